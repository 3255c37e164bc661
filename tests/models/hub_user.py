"""Somebody who fetches models from the loopback hub, at the command line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.command import RUN
from tests.models.hub_server import Hub

from paraspec.core.layout import StudyFiles

NAME = "owner/tiny-llama"
COLUMNS = ("model", "source", "revision", "family", "remote_code")
DOWNLOAD = """
import logging, sys
from pathlib import Path
from paraspec.core.errors import UserError
from paraspec.core.model_lock import locked_commit
from paraspec.core.model_table import row_of
from paraspec.models.hub.fetch import fetch

logging.basicConfig(level=logging.INFO, format="%(message)s")
table, folder = map(Path, sys.argv[1:])
row = row_of(table, "tiny")
try:
    fetch(row, locked_commit(table, row), folder)
except UserError as error:
    sys.exit(f"error: {error}")
"""
"""What `paraspec fetch` does before it describes the model, which imports torch."""
MEBIBYTE = 2**20
CHUNK = 10 * MEBIBYTE
"""Bytes that the client writes at once: what is kept of a broken answer."""


def folder_files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@dataclass
class User:
    """Somebody with a model table, at the command line."""

    hub: Hub
    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "models.tsv"

    @property
    def model(self) -> Path:
        return StudyFiles(self.folder).model("tiny")

    def write(self, *rows: str) -> None:
        rows = rows or (f"tiny\thub:{NAME}\tmain\tllama\tfalse",)
        self.table.write_text("\n".join(["\t".join(COLUMNS), *rows]) + "\n")

    def run(
        self, *arguments: str, script: str = RUN, **environment: str
    ) -> subprocess.CompletedProcess:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        own = {
            "HF_ENDPOINT": self.hub.address,
            "HF_HOME": str(self.folder / "home"),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=kept | own | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def resolve(self, *more: str, **environment: str) -> subprocess.CompletedProcess:
        return self.run("resolve", "--models", str(self.table), *more, **environment)

    def fetch(self, **environment: str) -> subprocess.CompletedProcess:
        return self.run(
            *("fetch", "--model", "tiny", "--models", str(self.table)),
            *("--results", str(self.folder)),
            **environment,
        )

    def download(self, **environment: str) -> subprocess.CompletedProcess:
        places = (str(self.table), str(self.model))
        return self.run(*places, script=DOWNLOAD, **environment)

    def refused(self, run: subprocess.CompletedProcess) -> str:
        """One line that says what is wrong, after nothing but log lines."""
        assert run.returncode == 1, run.stdout + run.stderr
        assert "Traceback" not in run.stderr
        return run.stderr.strip().splitlines()[-1]
