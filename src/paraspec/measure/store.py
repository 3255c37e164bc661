"""Answers that are never given twice: chunks of a run, and what an earlier run left.

A chunk is a fixed group of concepts; its answers are written whole or not at all. A run
that starts again, after an interruption, with more ratios or with more concepts, takes
over every answer that was given to the same question under the same mask by the same
code, model and inputs: their hash, the mark, stands in each file by concept. It is one
for a whole chunk, whose concepts share batches.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from paraspec.core.table import Table, checked, plain, write_table
from paraspec.core.tables.measured import ITEMS

KEY = ("concept", "selector", "mask", "ablation", "draw", "donor", "ratio", "item")
"""What makes an answer of one model unique."""

MARKS = "marks"


def write_marked(
    frame: pd.DataFrame, table: Table, marks: Mapping[str, str], path: Path
) -> None:
    """Write rows of concepts with what later runs know by that they hold."""
    ready = frame.reset_index(drop=True)
    concepts = ready["concept"].astype("str").unique()
    ready.attrs[MARKS] = {concept: marks[concept] for concept in concepts}
    write_table(ready, table, path)


def read_marked(path: Path, table: Table, marks: Mapping[str, str]) -> pd.DataFrame:
    """Rows of an earlier run that hold, as plain text; none where they are not ours."""
    if not path.is_file():
        return _nothing(table)
    frame = pd.read_parquet(path)
    known = frame.attrs.get(MARKS)
    if not isinstance(known, dict):
        return _nothing(table)
    ours = [concept for concept, mark in marks.items() if known.get(concept) == mark]
    return plain(frame[frame["concept"].isin(ours)], table)


def _nothing(table: Table) -> pd.DataFrame:
    return plain(checked(pd.DataFrame(columns=table.names), table), table)


class ItemStore:
    """Finished answers of one model on disk.

    Parameters
    ----------
    items
        ``items.parquet`` of the model; an earlier run's may lie there.
    marks
        Concept to hash of what its answers depend on; others are not taken over.
    parts
        Files of jobs that answered a part of the concepts each.
    """

    def __init__(
        self,
        items: Path,
        marks: Mapping[str, str],
        parts: Sequence[Path] = (),
    ) -> None:
        self._items = items
        self._marks = marks
        self._chunks = items.with_name(f".{items.stem}.chunks")
        earlier = (items, *parts, *sorted(self._chunks.glob("*.parquet")))
        found = [self._read(path) for path in earlier]
        self._earlier = pd.concat(found, ignore_index=True)
        self._earlier = self._earlier.drop_duplicates(list(KEY))

    def earlier(self, concepts: Sequence[str]) -> pd.DataFrame:
        """Answers of these concepts that earlier runs gave, indexed by ``KEY``."""
        chosen = self._earlier[self._earlier["concept"].isin(concepts)]
        return chosen.set_index(list(KEY))

    def write(self, chunk: int, frame: pd.DataFrame) -> None:
        """Keep the answers of a chunk."""
        self._write(frame, self._chunk(chunk))

    def finish(self, chunks: Sequence[int]) -> None:
        """Merge chunks into the items file, in this order, and drop all of them."""
        frames = [self._read(self._chunk(chunk)) for chunk in chunks]
        frames = frames or [_nothing(ITEMS)]  # a part may have no concept
        self._write(pd.concat(frames, ignore_index=True), self._items)
        shutil.rmtree(self._chunks, ignore_errors=True)

    def _chunk(self, chunk: int) -> Path:
        return self._chunks / f"{chunk:05d}.parquet"

    def _write(self, frame: pd.DataFrame, path: Path) -> None:
        write_marked(frame, ITEMS, self._marks, path)

    def _read(self, path: Path) -> pd.DataFrame:
        return read_marked(path, ITEMS, self._marks)
