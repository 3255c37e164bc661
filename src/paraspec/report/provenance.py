"""Where the numbers come from: versions, inputs' hashes, machine, time per rule."""

import csv
import json
import math
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from paraspec.core.closure import PACKAGE
from paraspec.core.config import StudyConfig
from paraspec.core.files import sha256_of
from paraspec.core.layout import StudyFiles
from paraspec.core.machine import processor_name
from paraspec.core.table import read_table
from paraspec.core.tables.across_models import MODELS
from paraspec.report.numbers import count, memory
from paraspec.report.provenance_record import (
    Commit,
    Energy,
    ModelSource,
    Provenance,
    RuleCost,
    SourceFile,
)

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
POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the energy counters of a processor."""


def gather(root: Path, config: StudyConfig, sources: Mapping[str, Path]) -> Provenance:
    """Gather the provenance of the study in ``root``.

    Parameters
    ----------
    root
        The study's folder, with its tables.
    config
        Its configuration.
    sources
        Files that it was made from, by what they are.
    """
    files = StudyFiles(root)
    models = read_table(files.table("models.csv"), MODELS)
    trained = sorted({int(seed) for seed in models["seed"].dropna()})
    return Provenance(
        study=config.study,
        git=commit(PACKAGE),
        software=software(),
        hardware=hardware(),
        seeds={
            "study seed": str(config.seed),
            "training seeds": ", ".join(map(str, trained)) or "unknown",
            "resamples": count(config.stats.draws),
            "random masks": f"{config.measure.random_draws} draws",
        },
        inputs={
            label: SourceFile(file=path.name, sha256=sha256_of(path))
            for label, path in sources.items()
        },
        models={name: _model(files, name) for name in sorted(models["model"])},
        rules=rule_costs(root / "benchmarks"),
        energy=energy(POWERCAP),
    )


def _model(files: StudyFiles, name: str) -> ModelSource:
    facts = json.loads(files.model(name, "model.json").read_text(encoding="utf-8"))
    checked = json.loads(files.model(name, "check.json").read_text(encoding="utf-8"))
    return ModelSource(
        source=facts["source"],
        revision=facts.get("revision", ""),
        commit=facts.get("commit", ""),
        files={file: of["sha256"] for file, of in facts.get("files", {}).items()},
        hardware=checked["hardware"],
    )


def software() -> dict[str, str]:
    """Installed versions, without importing anything."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def hardware() -> dict[str, str]:
    """Processor and memory of the machine that writes the record."""
    found = {
        "processor": processor_name(),
        "CPUs": str(os.cpu_count() or "unknown"),
    }
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        found["memory"] = memory(total / 2**20)
    return found | {"system": platform.system()}


def commit(folder: Path) -> Commit:
    """Commit of the checkout around ``folder``, and whether it was changed."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return Commit(commit="", dirty=False)
    said = done.stdout.strip() if done.returncode == 0 else ""
    return Commit(commit=said.removesuffix("-dirty"), dirty=said.endswith("-dirty"))


def energy(powercap: Path) -> Energy:
    """Whether the processor's energy counters can be read.

    The counters run on over jobs and other people's programs and start again at zero
    every few minutes to hours, so that no joules of a study follow from them; where
    they are readable, a tool that samples them while the study runs gives the number.
    """
    readable = [
        path
        for path in sorted(powercap.glob("intel-rapl:*/energy_uj"))
        if os.access(path, os.R_OK)
    ]
    note = (
        "counters can be read; sample them while the study runs"
        if readable
        else "not readable on this machine"
    )
    return Energy(readable=bool(readable), note=note)


def rule_costs(benchmarks: Path) -> list[RuleCost]:
    """Time and memory per rule, most expensive first.

    Parameters
    ----------
    benchmarks
        Folder of Snakemake's benchmark files, ``<rule>/<job>.tsv`` or ``<rule>.tsv``.
    """
    jobs: dict[str, list[dict[str, float]]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).with_suffix("").parts[0]
        jobs.setdefault(rule, []).extend(_runs(path))
    costs = [_cost(rule, runs) for rule, runs in jobs.items() if runs]
    return sorted(costs, key=lambda cost: (-cost.seconds, cost.rule))


COLUMNS = ("s", "cpu_time", "max_rss")


def _runs(path: Path) -> Iterator[dict[str, float]]:
    """Seconds, processor seconds and peak MiB of each repeat in a benchmark file."""
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            yield {column: _number(row.get(column)) for column in COLUMNS}


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _cost(rule: str, runs: list[dict[str, float]]) -> RuleCost:
    of = {
        column: [run[column] for run in runs if math.isfinite(run[column])]
        for column in COLUMNS
    }
    return RuleCost(
        rule=rule,
        jobs=len(runs),
        seconds=math.fsum(of["s"]),
        longest=max(of["s"], default=None),
        cpu_seconds=math.fsum(of["cpu_time"]),
        peak_mib=max(filter(None, of["max_rss"]), default=None),
    )
