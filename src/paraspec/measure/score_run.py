"""Scoring one model under its masks, from files to files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraspec.core.config import MeasureConfig
from paraspec.core.definitions import primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.progress import progress
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.measured import ITEMS
from paraspec.core.tables.planned import CONCEPTS, PROMPTS, SETS
from paraspec.measure.activation_files import load_activations
from paraspec.measure.extract import Activations
from paraspec.measure.plan import Grid, Mask, Rankings, masks_of, swap_donors
from paraspec.measure.prompts import tokenise
from paraspec.measure.score import (
    Asked,
    answer_rows,
    asked_items,
    item_frame,
    n_distinct,
    rows_of,
)
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest, load_measured

CONCEPTS_AT_ONCE = 16
"""Concepts whose masks are held together; also the unit of progress."""


def run_score(
    model: str,
    results: Path,
    config: MeasureConfig,
    scorer: str,
    dtype: str,
    seed: int,
) -> None:
    """Write ``items.parquet`` and ``never_seen.parquet`` of one model."""
    files = StudyFiles(results)
    loaded, manifest = load_measured(files, model, dtype)
    activations = load_activations(files.measure(model, "activations.safetensors"))
    grid = Grid.of(config, primary_ratio(manifest.parameters_total))
    concepts = _with_exposures(files, manifest)
    table = read_table(files.data("prompts.parquet"), PROMPTS)
    unseen = read_table(files.data("never_seen.parquet"), PROMPTS)
    asked = asked_items(read_table(files.data("sets.parquet"), SETS))
    category = dict(zip(concepts["concept"], concepts["category"], strict=True))
    donors = swap_donors(category, seed)
    masks = {c: list(masks_of(c, donors.get(c), grid)) for c in asked}
    scoring = Scoring(model, scorer, loaded, activations, config.batch_rows)
    items = scoring.frame(masks, asked, table, concepts)
    never_seen = scoring.unmasked(unseen)
    for name, frame in (("never_seen", never_seen), ("items", items)):
        path = files.measure(model, f"{name}.parquet")
        write_table(frame, ITEMS, path)


@dataclass(frozen=True)
class Scoring:
    """A model with all that answering its items needs."""

    model: str
    scorer: str
    loaded: LoadedModel
    activations: Activations
    batch_rows: int

    def frame(
        self,
        masks: Mapping[str, Sequence[Mask]],
        asked: Mapping[str, Sequence[Asked]],
        table: pd.DataFrame,
        concepts: pd.DataFrame,
    ) -> pd.DataFrame:
        """Answer the items of every concept under its masks."""
        prompts = tokenise(table, self.scorer, self.loaded.tokenizer)
        rankings = Rankings(self.model, self.activations)
        sizes = self.activations.sizes
        rows = {c: rows_of(masks[c], asked[c], sizes) for c in masks}
        names = list(rows)
        frames = []
        total = sum(map(n_distinct, rows.values()))
        with progress(f"scoring {self.model}", total) as advance:
            for start in range(0, len(names), CONCEPTS_AT_ONCE):
                chunk = [
                    r for c in names[start : start + CONCEPTS_AT_ONCE] for r in rows[c]
                ]
                answers = answer_rows(
                    self.loaded, chunk, prompts, rankings, self.batch_rows, advance
                )
                frames.append(
                    item_frame(
                        self.model,
                        self.scorer,
                        chunk,
                        answers,
                        prompts,
                        table,
                        concepts,
                    )
                )
        return pd.concat(frames, ignore_index=True)

    def unmasked(self, table: pd.DataFrame) -> pd.DataFrame:
        """Answer every item of a prompt table once, without a mask."""
        if table.empty:
            return pd.DataFrame(columns=ITEMS.names)
        asked = {
            str(concept): [
                Asked(item, "concept", "own", half)
                for item, half in zip(group["item"], group["half"], strict=True)
            ]
            for concept, group in table.groupby("item_concept", sort=False)
        }
        grid = Grid((), (), (), primary=0.0, draws=1)
        masks = {c: [next(masks_of(c, None, grid))] for c in asked}
        about = table[["item_concept", "category", "tier"]].drop_duplicates()
        about = about.rename(columns={"item_concept": "concept"}).assign(exposure=0)
        return self.frame(masks, asked, table, about)


def _with_exposures(files: StudyFiles, manifest: Manifest) -> pd.DataFrame:
    """Concepts with the exposures of this very model."""
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    unmet = concepts["concept"].isin(manifest.untrained) | (
        not manifest.trained_on_study
    )
    return concepts.assign(exposure=concepts["exposure"].mask(unmet, 0))
