"""What one arm does: its answers under masks, and those that it writes itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import pandas as pd

from paraspec.causal.lesson import Lesson
from paraspec.core.config import Asking
from paraspec.core.definitions import primary_ratio
from paraspec.measure.chunked import Scoring
from paraspec.measure.extract_run import rankings_of, read_activations
from paraspec.measure.plan import NO_DONORS, Grid, Mask, masks_of
from paraspec.measure.prepare import Planned
from paraspec.measure.ranked import Rankings
from paraspec.measure.score import Row, asked_items, rows_of, unmasked_rows
from paraspec.measure.score_run import scoring_of
from paraspec.models.load import LoadedModel
from paraspec.models.manifest import Manifest

RANDOM_DRAWS = 3
"""Random masks of every taught concept."""

FIXED = "top-fixed"
"""Mask kind whose value vectors were selected before training."""


@dataclass(frozen=True)
class Subject:
    """A model that arms are trained on in place, and what it was before."""

    loaded: LoadedModel
    manifest: Manifest
    study: Planned
    lesson: Lesson
    asking: Asking
    batch_rows: int
    scoring: Scoring
    """Answers questions; its rankings were made before any training."""

    @classmethod
    def of(
        cls,
        loaded: LoadedModel,
        manifest: Manifest,
        study: Planned,
        lesson: Lesson,
        before: Rankings,
        asking: Asking,
        batch_rows: int,
    ) -> "Subject":
        """Make a subject of a model whose rankings are known."""
        scoring = scoring_of(loaded, manifest, study, before, asking, batch_rows)
        return cls(loaded, manifest, study, lesson, asking, batch_rows, scoring)

    def unmasked(self, items: Sequence[str]) -> pd.DataFrame:
        """Answers to these items without a mask: rows of the ``items`` table."""
        table = self.study.table
        rows = unmasked_rows(
            table[table["item"].isin(set(items))], self.scoring.rankings.counts
        )
        return self.scoring.frame(rows, lambda _: None)

    def items(self) -> pd.DataFrame:
        """Answers of the model as it is now: rows of the ``items`` table.

        All questions without a mask; those of taught concepts and of their general
        sets under top and random masks, selected anew, and under the earlier top ones.
        """
        after = self._rankings_now()
        masks = [m for c in self.lesson.concepts for m in self._masks(c)]
        earlier = [replace(m, kind=FIXED) for m in masks if m.kind == "top"]
        now = replace(self.scoring, rankings=after)
        frames = [
            now.frame(self._rows(masks, after), lambda _: None),
            self.scoring.frame(
                self._rows(earlier, self.scoring.rankings), lambda _: None
            ),
            self.unmasked(self._elsewhere()),
        ]
        return pd.concat(frames, ignore_index=True)

    def _rankings_now(self) -> Rankings:
        name = self.manifest.model
        prompts = [self.scoring.prompts[i] for i in self.study.members.lines_of]
        activations = read_activations(
            self.loaded, name, self.study, prompts, self.batch_rows
        )
        return rankings_of(self.loaded, self.manifest, activations, None)

    def _masks(self, concept: str) -> list[Mask]:
        ratio = primary_ratio(self.manifest.parameters_total)
        grid = Grid((ratio,), (ratio,), (), ratio, RANDOM_DRAWS)
        kinds = ("none", "top", "random")
        return [m for m in masks_of(concept, NO_DONORS, grid) if m.kind in kinds]

    def _rows(self, masks: Sequence[Mask], rankings: Rankings) -> list[Row]:
        asked = asked_items(self.study.sets)
        of = (rows_of([m], asked[m.concept], rankings.counts) for m in masks)
        return list(chain.from_iterable(of))

    def _elsewhere(self) -> list[str]:
        """Items of the study's own concepts that are not taught."""
        out = self.study.added | set(self.lesson.concepts)
        table = self.study.table
        return table.loc[~table["item_concept"].isin(out), "item"].tolist()
