"""Calling Snakemake and DVC as the commands that they are, from the checkout."""

import os
import subprocess
import sys
from pathlib import Path

from paraspec.core.checksums import REPAIRING


def snakemake(configfile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake on a study whose faulty files must not stop it."""
    command = ("snakemake", "--configfile", str(configfile), *arguments)
    return _run(command, os.environ | {REPAIRING: "1"})


def dvc(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC; what it needs to know of a remote it has from its own configuration."""
    return _run(("dvc", *arguments), dict(os.environ))


def told(run: subprocess.CompletedProcess[str], n_lines: int = 12) -> str:
    """The end of what a command said, for a message."""
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    return "\n".join(lines[-n_lines:]) or "it said nothing"


def _run(
    command: tuple[str, ...], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
