"""Answering a model's rows chunk by chunk, and only those not answered before."""

import logging
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.core.progress import progress
from paraspec.measure.method import Method
from paraspec.measure.plan import Mask
from paraspec.measure.prompts import Prompt
from paraspec.measure.ranked import Rankings
from paraspec.measure.score import (
    Asked,
    Row,
    answer_rows,
    item_frame,
    n_distinct,
    rows_of,
    settled,
)
from paraspec.measure.store import KEY, ItemStore
from paraspec.models.load import LoadedModel

logger = logging.getLogger(__name__)

CONCEPTS_AT_ONCE = 16
"""Concepts of a chunk: their masks are held together, their answers kept together."""


def chunks_of(
    concepts: Sequence[str], added: Container[str] = ()
) -> list[tuple[str, ...]]:
    """Divide concepts into chunks: an added one is alone, so that none depends on it.

    >>> names = [*map(str, range(18)), "a", "b"]
    >>> [len(chunk) for chunk in chunks_of(names, {"a", "b"})]
    [16, 2, 1, 1]
    """
    own = [concept for concept in concepts if concept not in added]
    starts = range(0, len(own), CONCEPTS_AT_ONCE)
    together = [tuple(own[i : i + CONCEPTS_AT_ONCE]) for i in starts]
    return [*together, *((concept,) for concept in concepts if concept in added)]


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
    trained_on_study: bool = False
    """Trained by the study: it is known which concepts the model never met."""

    def settled(self, rows: Sequence[Row]) -> "Scoring":
        """The same with its masking decided, by a trial on these rows if need be."""
        method = settled(
            *(self.method, self.loaded, rows, self.prompts, self.rankings),
            self.batch_rows,
        )
        return replace(self, method=method)

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


@dataclass(frozen=True)
class Part:
    """Share of a model's chunks that one job answers: ``number`` of ``of``, from 1."""

    number: int
    of: int

    def has(self, chunk: int) -> bool:
        """Whether a chunk is of this part; chunks are dealt out in turn."""
        return chunk % self.of == self.number - 1

    @classmethod
    def read(cls, text: str) -> "Part":
        """Read Snakemake's name of a part.

        >>> Part.read("2-of-8")
        Part(number=2, of=8)
        """
        match = re.fullmatch(r"([0-9]+)-of-([0-9]+)", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UserError("--part", f"{text!r} names no part", "Write it as 2-of-8")
        return cls(int(match[1]), int(match[2]))


WHOLE = Part(1, 1)


def score_in_chunks(
    scoring: Scoring,
    masks: Mapping[str, Sequence[Mask]],
    asked: Mapping[str, Sequence[Asked]],
    store: ItemStore,
    part: Part = WHOLE,
    added: Container[str] = (),
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
    part
        Which chunks are this job's.
    added
        Concepts that are in chunks of their own.
    """
    chunks = enumerate(chunks_of(list(masks), added))
    groups = {chunk: group for chunk, group in chunks if part.has(chunk)}
    n_concepts = sum(map(len, groups.values()))
    n_rows = n_fresh = 0
    with progress(f"scoring {scoring.model}, concepts", n_concepts) as advance:
        for chunk, group in groups.items():
            rows = [
                row
                for concept in group
                for row in rows_of(
                    masks[concept], asked[concept], scoring.rankings.counts
                )
            ]
            earlier = store.earlier(group)
            known = set(earlier.index)
            fresh = [row for row in rows if row.key not in known]
            scoring = scoring.settled(fresh)
            n_rows, n_fresh = n_rows + len(rows), n_fresh + len(fresh)
            answered = _answered(scoring, fresh, len(group), advance)
            store.write(chunk, _in_order(rows, earlier, answered))
    store.finish(list(groups))
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
