"""Answering a model's rows chunk by chunk, and only those not answered before."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from paraspec.core.config import Asking
from paraspec.core.progress import progress
from paraspec.measure.method import Method
from paraspec.measure.plan import Mask, Rankings
from paraspec.measure.prompts import Prompt
from paraspec.measure.score import (
    Asked,
    Row,
    answer_rows,
    item_frame,
    n_distinct,
    rows_of,
)
from paraspec.measure.store import KEY, ItemStore
from paraspec.models.load import LoadedModel

logger = logging.getLogger(__name__)

CONCEPTS_AT_ONCE = 16
"""Concepts of a chunk: their masks are held together, their answers kept together."""


@dataclass(frozen=True)
class Scoring:
    """A model with all that answering its items takes."""

    model: str
    asking: Asking
    loaded: LoadedModel
    rankings: Rankings
    prompts: Mapping[str, Prompt]
    about_item: pd.DataFrame
    """The ``prompts`` table."""
    about_concept: pd.DataFrame
    """The ``concepts`` table, with this model's exposures."""
    batch_rows: int
    method: Method

    def frame(
        self, rows: Sequence[Row], on_batch: Callable[[int], None]
    ) -> pd.DataFrame:
        """Answer rows: rows of the ``items`` table in the same order."""
        answers = answer_rows(
            self.loaded,
            rows,
            self.prompts,
            self.rankings,
            self.batch_rows,
            on_batch,
            self.method,
        )
        return item_frame(
            self.model,
            self.asking.scorer,
            rows,
            answers,
            self.prompts,
            self.about_item,
            self.about_concept,
        )


def score_in_chunks(
    scoring: Scoring,
    masks: Mapping[str, Sequence[Mask]],
    asked: Mapping[str, Sequence[Asked]],
    store: ItemStore,
) -> None:
    """Answer the items of every concept under its masks, and store them.

    Parameters
    ----------
    scoring
        The model.
    masks, asked
        Masks and items of every concept.
    store
        Takes the answers; gives back those of earlier runs.
    """
    names = list(masks)
    groups = [
        names[start : start + CONCEPTS_AT_ONCE]
        for start in range(0, len(names), CONCEPTS_AT_ONCE)
    ]
    n_rows = n_fresh = 0
    with progress(f"scoring {scoring.model}, concepts", len(names)) as advance:
        for chunk, group in enumerate(groups):
            rows = [
                row
                for concept in group
                for row in rows_of(
                    masks[concept], asked[concept], scoring.rankings.sizes
                )
            ]
            earlier = store.earlier(group)
            fresh = [row for row in rows if row.key not in earlier.index]
            n_rows, n_fresh = n_rows + len(rows), n_fresh + len(fresh)
            answered = _answered(scoring, fresh, len(group), advance)
            store.write(chunk, _in_order(rows, earlier, answered))
    store.finish(len(groups))
    taken = n_rows - n_fresh
    logger.info("%d answers given, %d taken from an earlier run", n_fresh, taken)


def _answered(
    scoring: Scoring,
    rows: Sequence[Row],
    n_concepts: int,
    advance: Callable[[float], None],
) -> pd.DataFrame | None:
    if not rows:
        advance(n_concepts)
        return None
    each = n_concepts / n_distinct(rows)
    return scoring.frame(rows, lambda n: advance(n * each))


def _in_order(
    rows: Sequence[Row], earlier: pd.DataFrame, fresh: pd.DataFrame | None
) -> pd.DataFrame:
    """Answers of these rows, in their order, whoever gave them."""
    if fresh is not None and len(fresh) == len(rows):
        return fresh
    given = [earlier] if fresh is None else [earlier, fresh.set_index(list(KEY))]
    return pd.concat(given).loc[[row.key for row in rows]].reset_index()
