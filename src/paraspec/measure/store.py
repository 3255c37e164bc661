"""Answers that are never given twice: chunks of a run, and what an earlier run left.

A chunk is a fixed group of concepts; its answers are written whole or not at all. A run
that starts again, after an interruption, with more ratios or with more concepts, takes
over every answer that was given to the same question under the same mask by the same
code, model and inputs: their hash, the fingerprint, stands in each file by concept. It
is one for a whole chunk, whose concepts share batches.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from paraspec.core.files import sha256_text
from paraspec.core.table import checked, plain, write_table
from paraspec.core.tables.measured import ITEMS

KEY = ("concept", "selector", "mask", "ablation", "draw", "donor", "ratio", "item")
"""What makes an answer of one model unique."""

FINGERPRINT = "fingerprint"


def fingerprint(made_with: Mapping[str, object]) -> str:
    """Hash of all that answers depend on."""
    return sha256_text(json.dumps(made_with, sort_keys=True))


class ItemStore:
    """Finished answers of one model on disk.

    Parameters
    ----------
    items
        ``items.parquet`` of the model; an earlier run's may lie there.
    fingerprints
        Concept to hash of what its answers depend on; others are not taken over.
    parts
        Files of jobs that answered a part of the concepts each.
    """

    def __init__(
        self,
        items: Path,
        fingerprints: Mapping[str, str],
        parts: Sequence[Path] = (),
    ) -> None:
        self._items = items
        self._fingerprints = fingerprints
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
        frames = [_nothing(), *(self._read(self._chunk(chunk)) for chunk in chunks)]
        self._write(pd.concat(frames, ignore_index=True), self._items)
        shutil.rmtree(self._chunks, ignore_errors=True)

    def _chunk(self, chunk: int) -> Path:
        return self._chunks / f"{chunk:05d}.parquet"

    def _write(self, frame: pd.DataFrame, path: Path) -> None:
        ready = frame.reset_index(drop=True)
        concepts = ready["concept"].astype("str").unique()
        ready.attrs[FINGERPRINT] = {c: self._fingerprints[c] for c in concepts}
        write_table(ready, ITEMS, path)

    def _read(self, path: Path) -> pd.DataFrame:
        """Read answers as plain text columns; none where they are not ours."""
        if not path.is_file():
            return _nothing()
        frame = pd.read_parquet(path)
        made_with = frame.attrs.get(FINGERPRINT)
        if not isinstance(made_with, dict):
            return _nothing()
        now = self._fingerprints.items()
        ours = [concept for concept, mark in now if made_with.get(concept) == mark]
        return plain(frame[frame["concept"].isin(ours)], ITEMS)


def _nothing() -> pd.DataFrame:
    return plain(checked(pd.DataFrame(columns=ITEMS.names), ITEMS), ITEMS)
