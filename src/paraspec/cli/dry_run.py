"""Asking Snakemake what it would do, without doing it."""

import re
import subprocess
import sys
from pathlib import Path

from paraspec.core.errors import UserError

JOBS = re.compile(r"^([a-z_]+)\s+(\d+)\s*$", re.MULTILINE)
"""Lines of Snakemake's table of jobs."""


def all_jobs(configfile: Path) -> dict[str, int]:
    """Rule to number of jobs of a study, as if nothing had been run yet.

    Raises
    ------
    UserError
        Where this is no checkout, or Snakemake refuses.
    """
    command = ["--dry-run", "--forceall", "--quiet", "host", "--configfile"]
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *command, str(configfile)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = run.stdout + run.stderr
    if run.returncode:
        fault = " ".join(told.split()) or "it printed nothing"
        raise UserError("snakemake --dry-run", fault, "Run it in the checkout")
    found = {rule: int(n) for rule, n in JOBS.findall(told)}
    return {rule: n for rule, n in found.items() if rule not in ("all", "total")}
