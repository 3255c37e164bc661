"""A SLURM for the session, and toy runs through the study's own profile."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflow.conftest import BASE
from tests.workflow.slurm.cluster import CannotStart, Cluster

PROFILE = [
    *("--profile", str(BASE / "profiles/slurm")),
    # Nobody else waits for this controller: it is asked often.
    *("--slurm-init-seconds-before-status-checks", "2"),
    *("--latency-wait", "5"),
]


@pytest.fixture(scope="session")
def cluster():
    """A running SLURM; where it cannot run, the reason why tests are skipped."""
    try:
        with Cluster() as running:
            yield running
    except CannotStart as reason:
        if os.environ.get("PARASPEC_SLURM") == "required":
            raise
        pytest.skip(f"no SLURM: {reason}")


@dataclass(frozen=True)
class Run:
    """Snakemake at work in a process group of its own; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def ended(self, seconds: float = 500) -> str:
        """All it said, once it has ended well."""
        try:
            code = self.process.wait(seconds)
        finally:
            self.kill()
        said = self.log.read_text()
        assert code == 0, said
        return said

    @property
    def over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """End it as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def begin(arguments: list[str], log: Path, folder: Path = BASE) -> Run:
    """Start Snakemake in a folder: the checkout, as a user would, or another one."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, start_new_session=True
        )
    return Run(process, log)


@dataclass(frozen=True)
class Toy:
    """The toy workflow in a folder of its own."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "said.log"

    def start(self, *arguments: str, **config: object) -> Run:
        """Start it through SLURM; a later ``--profile`` replaces the study's."""
        toy = ["--snakefile", str(Path(__file__).with_name("toy.smk"))]
        given = [f"{key}={value}" for key, value in config.items()]
        where = ["--directory", str(self.folder)]
        named = ["--config", *given] if given else []
        return begin([*PROFILE, *toy, *where, *arguments, *named], self.log)

    @property
    def said(self) -> str:
        """All that Snakemake said."""
        return self.log.read_text()

    @property
    def attempts(self) -> list[str]:
        """What was started, line by line."""
        path = self.folder / "attempts.txt"
        return path.read_text().splitlines() if path.exists() else []

    def attempts_of(self, name: str) -> list[str]:
        """What was started of one rule."""
        return [line for line in self.attempts if line.split()[0] == name]

    def result_of(self, name: str) -> list[str]:
        """Words that a rule wrote."""
        return (self.folder / f"{name}.txt").read_text().split()
