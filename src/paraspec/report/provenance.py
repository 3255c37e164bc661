"""Where the numbers come from: versions, inputs' hashes, machine, time per rule."""

import csv
import math
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from paraspec.core.files import sha256_of
from paraspec.report.numbers import memory

PACKAGES = (
    "paraspec",
    "torch",
    "transformers",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "matplotlib",
    "snakemake",
    "dvc",
)


@dataclass(frozen=True)
class RuleCost:
    """What one rule's jobs took."""

    rule: str
    jobs: int
    seconds: float
    """Sum over jobs of wall-clock time."""
    longest: float
    peak_mib: float
    """Largest resident memory of any job; NaN if none was long enough to measure."""


def software() -> list[tuple[str, str]]:
    """Installed versions, without importing anything."""
    found = [("python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            found.append((package, "not installed"))
    return found


def hardware() -> list[tuple[str, str]]:
    """Processor and memory of this machine, without its name."""
    found = [
        ("processor", platform.machine() or "unknown"),
        ("CPUs", str(os.cpu_count() or "unknown")),
    ]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found.append(("memory", memory(total / 2**20)))
    return [*found, ("system", platform.system())]


def inputs(named: dict[str, Path]) -> list[tuple[str, str]]:
    """File name and SHA-256 of each input."""
    return [
        (f"{label} ({path.name})", sha256_of(path)) for label, path in named.items()
    ]


def commit(folder: Path) -> str:
    """Commit of the checkout around ``folder``; empty where there is none."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def rule_costs(benchmarks: Path) -> list[RuleCost]:
    """Time and memory per rule, most expensive first.

    Parameters
    ----------
    benchmarks
        Folder of Snakemake's benchmark files, ``<rule>/<job>.tsv`` or ``<rule>.tsv``.
    """
    jobs: dict[str, list[tuple[float, float]]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).with_suffix("").parts[0]
        jobs.setdefault(rule, []).extend(_runs(path))
    costs = [_cost(rule, runs) for rule, runs in jobs.items() if runs]
    return sorted(costs, key=lambda cost: (-cost.seconds, cost.rule))


def _runs(path: Path) -> Iterator[tuple[float, float]]:
    """Seconds and peak MiB of each repeat in a benchmark file."""
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            yield _number(row.get("s")), _number(row.get("max_rss"))


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _cost(rule: str, runs: list[tuple[float, float]]) -> RuleCost:
    seconds = [s for s, _ in runs if math.isfinite(s)]
    peaks = [m for _, m in runs if math.isfinite(m) and m > 0]
    return RuleCost(
        rule=rule,
        jobs=len(runs),
        seconds=math.fsum(seconds),
        longest=max(seconds, default=math.nan),
        peak_mib=max(peaks, default=math.nan),
    )
