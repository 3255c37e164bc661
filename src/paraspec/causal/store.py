"""Finished arms on disk: none is trained twice, and no half-finished one is read."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraspec.core.table import Table, plain, read_table, write_table
from paraspec.core.tables.causal import ARM_ITEMS, ARM_RUNS, FREE_ANSWERS, SWEEP

TABLES: Mapping[str, Table] = {
    "arms.csv": ARM_RUNS,
    "sweep.csv": SWEEP,
    "items.parquet": ARM_ITEMS,
    "answers.parquet": FREE_ANSWERS,
}
"""Files of a fine-tuned model."""


class ArmStore:
    """Tables of the runs of one model's arms.

    Parameters
    ----------
    folder
        Where the model's tables end up.
    fingerprint
        Hash of what every run depends on; runs with another are not taken over.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._runs = folder / ".runs" / fingerprint[:16]

    @property
    def checkpoints(self) -> Path:
        """Folder for checkpoints of the training at work."""
        return self._runs / "checkpoints"

    def has(self, run: str) -> bool:
        """Whether a run is finished."""
        return self._done(run).is_file()

    def read(self, run: str, name: str) -> pd.DataFrame:
        """One table of a finished run."""
        return read_table(self._path(run, name), TABLES[name])

    def write(self, run: str, frames: Mapping[str, pd.DataFrame]) -> None:
        """Keep a run's tables; it counts as finished once all of them are whole."""
        for name, frame in frames.items():
            write_table(frame, TABLES[name], self._path(run, name))
        self._done(run).touch()

    def finish(self, runs: Mapping[str, list[str]]) -> None:
        """Join each table's runs, in this order, and drop what they left."""
        for name, of in runs.items():
            frames = [plain(self.read(run, name), TABLES[name]) for run in of]
            joined = pd.concat(frames, ignore_index=True)
            write_table(joined, TABLES[name], self._folder / name)
        shutil.rmtree(self._folder / ".runs", ignore_errors=True)

    def _path(self, run: str, name: str) -> Path:
        return self._runs / run / name

    def _done(self, run: str) -> Path:
        return self._runs / run / "done"


def nothing_of(table: Table) -> pd.DataFrame:
    """No rows of a table."""
    return pd.DataFrame(columns=table.names)
