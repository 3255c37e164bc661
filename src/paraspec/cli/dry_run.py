"""Asking Snakemake what it would do, without doing it."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paraspec.core.errors import UserError

JOBS = re.compile(r"^([a-z_]+)\s+(\d+)\s*$", re.MULTILINE)
"""Lines of Snakemake's table of jobs."""
JOB = re.compile(
    r"^(?:local)?rule (\w+):\n((?:    .*\n)*)(?:Shell command: (.*))?", re.MULTILINE
)
"""A job as it is announced: its rule, its fields, its command."""
FIELD = re.compile(r"^    (\w+): (.*)$", re.MULTILINE)

PLACES = ("  File ", "Using workflow specific profile", "host: ")
"""Beginnings of lines that say nothing of a refusal."""


@dataclass(frozen=True)
class Job:
    """A job that Snakemake would run."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    reason: str
    model: str
    """Model that it is about; may be empty."""
    command: str


def all_jobs(configfile: Path) -> dict[str, int]:
    """Rule to number of jobs of a study, as if nothing had been run yet.

    Raises
    ------
    UserError
        Where this is no checkout, or Snakemake refuses.
    """
    told = _told(["--forceall", "--quiet", "host"], configfile)
    found = {rule: int(n) for rule, n in JOBS.findall(told)}
    return {rule: n for rule, n in found.items() if rule not in ("all", "total")}


def jobs_for(target: str, configfile: Path, folder: Path) -> list[Job]:
    """Jobs that would run, and why, to make a file of a study's folder.

    Raises
    ------
    UserError
        Where this is no checkout, no rule makes the file, or Snakemake refuses.
    """
    options = ["--printshellcmds", "--directory", str(folder.absolute()), target]
    return _read(_told(options, configfile))


def made_files(configfile: Path, folder: Path) -> list[str]:
    """Every file that a study's rules make."""
    options = ["--forceall", "--directory", str(folder.absolute())]
    jobs = _read(_told(options, configfile))
    return [path for job in jobs for path in job.outputs]


def _told(options: Sequence[str], configfile: Path) -> str:
    """What a dry run prints."""
    command = ["--dry-run", *options, "--configfile", str(configfile)]
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    told = run.stdout + run.stderr
    if run.returncode:
        raise UserError("snakemake --dry-run", _refusal(told), "It lists no jobs")
    return run.stdout


def _refusal(told: str) -> str:
    r"""Why Snakemake refused, without where in the workflow it says so.

    >>> _refusal('host: me\nWorkflowError in file "a", line 1:\nBad.\n  File "b"')
    'WorkflowError: Bad'
    """
    lines = [line for line in told.splitlines() if not line.startswith(PLACES)]
    text = " ".join(" ".join(lines).split())
    text = re.sub(r'(\w+) in file "[^"]*"(, line \d+)?:', r"\1:", text)
    return text.rstrip(".") or "it printed nothing"


def _read(told: str) -> list[Job]:
    """Read the announcements of jobs."""
    jobs = []
    for rule, block, command in JOB.findall(told):
        field = dict(FIELD.findall(block))
        jobs.append(
            Job(
                rule,
                _files(field.get("input", "")),
                _files(field.get("output", "")),
                field.get("reason", ""),
                field.get("wildcards", "").partition("model=")[2].split(",")[0],
                command.strip(),
            )
        )
    return jobs


def _files(listed: str) -> tuple[str, ...]:
    """Paths of a list, without Snakemake's remarks.

    >>> _files("a.csv, b.parquet (update)")
    ('a.csv', 'b.parquet')
    """
    return tuple(name.split(" (")[0] for name in listed.split(", ") if name)
