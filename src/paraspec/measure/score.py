"""Answering a model's items under every mask: rows of ``items.parquet``.

Masks differ per row of a batch, so concepts and masks share batches. Ratios that select
equally many value vectors in every layer are answered once.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import pandas as pd

from paraspec.measure.applied import Applied, RankingTable
from paraspec.measure.method import (
    Method,
    answer_all,
    faster_masking,
)
from paraspec.measure.plan import NO_DONORS, Grid, Mask, masks_of
from paraspec.measure.prompts import Prompt
from paraspec.measure.ranked import RankingKey, Rankings
from paraspec.measure.scoring import Answer
from paraspec.models.load import LoadedModel


@dataclass(frozen=True)
class Asked:
    """An item as a concept's sets hold it."""

    item: str
    set: str
    kinship: str
    half: str


@dataclass(frozen=True)
class Row:
    """One line of the items table: a mask, an item, and how the two were answered."""

    mask: Mask
    asked: Asked
    applied: Applied

    @property
    def key(self) -> tuple[object, ...]:
        """Values of the columns that make it unique, see ``store.KEY``."""
        m = self.mask
        named = (m.concept, m.selector, m.kind, m.ablation, m.draw, m.donor, m.ratio)
        return (*named, self.asked.item)


def asked_items(sets: pd.DataFrame) -> dict[str, list[Asked]]:
    """Evaluated items of every concept."""
    evaluated = sets[sets["set"] != "conflict"]
    columns = ["item", "set", "kinship", "half"]
    return {
        str(concept): [Asked(*map(str, line)) for line in group[columns].to_numpy()]
        for concept, group in evaluated.groupby("concept", sort=False, observed=True)
    }


Counts = Callable[[RankingKey, float], tuple[int, ...]]
"""Value vectors that a ranking's prefix at a mask ratio takes of each layer."""


def rows_of(masks: Iterable[Mask], asked: Sequence[Asked], counts: Counts) -> list[Row]:
    """Cross masks with the items that each is evaluated on.

    Masks that select nothing are left out, except the empty one.
    """
    rows = []
    for mask in masks:
        k = counts(mask.ranking, mask.ratio)
        if sum(k) == 0 and mask.kind != "none":
            continue
        applied = Applied(mask.ranking, k, mask.ablation)
        rows += [
            Row(mask, item, applied)
            for item in asked
            if item.half in mask.halves and (mask.general or item.set == "concept")
        ]
    return rows


def unmasked_rows(table: pd.DataFrame, counts: Counts) -> list[Row]:
    """Every item of a prompt table once, without a mask."""
    nothing = Grid((), (), (), primary=0.0, draws=1)
    rows = []
    for concept, group in table.groupby("item_concept", sort=False):
        own = zip(group["item"], group["half"], strict=True)
        asked = [Asked(item, "concept", "own", half) for item, half in own]
        unmasked = next(masks_of(str(concept), NO_DONORS, nothing))
        rows += rows_of([unmasked], asked, counts)
    return rows


def n_distinct(rows: Sequence[Row]) -> int:
    """Pairs of an acting mask and an item: what really has to be answered."""
    return len({(row.applied, row.asked.item) for row in rows})


def answer_rows(
    loaded: LoadedModel,
    rows: Sequence[Row],
    prompts: Mapping[str, Prompt],
    rankings: Rankings,
    batch_rows: int,
    on_batch: Callable[[int], None],
    method: Method,
) -> list[Answer]:
    """Answer every row; equal (applied mask, item) pairs are answered once.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    rows
        What to answer.
    prompts
        Tokenised items.
    rankings
        The model's rankings.
    batch_rows
        Rows of one forward pass.
    on_batch
        Called with the number of distinct pairs done.
    method
        How batches are answered.
    """
    pairs = list(dict.fromkeys((row.applied, row.asked.item) for row in rows))
    asked, table = _batched(pairs, prompts, rankings)
    answers = answer_all(loaded, asked, table, batch_rows, method, on_batch)
    given = dict(zip(pairs, answers, strict=True))
    return [given[row.applied, row.asked.item] for row in rows]


def settled(
    method: Method,
    loaded: LoadedModel,
    rows: Sequence[Row],
    prompts: Mapping[str, Prompt],
    rankings: Rankings,
    batch_rows: int,
) -> Method:
    """A method whose masking is decided, by a trial on these rows if it is not yet."""
    if method.masking != "auto" or not rows:
        return method
    pairs = list(dict.fromkeys((row.applied, row.asked.item) for row in rows))
    asked, table = _batched(pairs, prompts, rankings)
    chosen = faster_masking(loaded, asked, table, batch_rows, method)
    return replace(method, masking=chosen)


def _batched(
    pairs: Sequence[tuple[Applied, str]],
    prompts: Mapping[str, Prompt],
    rankings: Rankings,
) -> tuple[list[Prompt], RankingTable]:
    applied = [mask for mask, _ in pairs]
    table = RankingTable(rankings, applied)
    return [prompts[item] for _, item in pairs], table


def item_frame(
    model: str,
    scorer: str,
    rows: Sequence[Row],
    answers: Sequence[Answer],
    prompts: Mapping[str, Prompt],
    about_item: pd.DataFrame,
    about_concept: pd.DataFrame,
) -> pd.DataFrame:
    """Rows of the ``items`` table.

    Parameters
    ----------
    model, scorer
        Names.
    rows, answers
        What was asked and answered, in the same order.
    prompts
        Tokenised items.
    about_item
        The ``prompts`` table.
    about_concept
        The ``concepts`` table, with this model's exposures.
    """
    frame = pd.DataFrame(
        {
            "concept": [r.mask.concept for r in rows],
            "item": [r.asked.item for r in rows],
            "set": [r.asked.set for r in rows],
            "kinship": [r.asked.kinship for r in rows],
            "half": [r.asked.half for r in rows],
            "prompt_hash": [prompts[r.asked.item].prompt_hash for r in rows],
            "option_order": [order_text(prompts[r.asked.item]) for r in rows],
            "selector": [r.mask.selector for r in rows],
            "mask": [r.mask.kind for r in rows],
            "ablation": [r.mask.ablation for r in rows],
            "draw": [r.mask.draw for r in rows],
            "donor": [r.mask.donor for r in rows],
            "ratio": [r.mask.ratio for r in rows],
            "k": [sum(r.applied.k) for r in rows],
            "correct": [a.predicted == a.gold for a in answers],
            "parsed": [a.predicted >= 0 for a in answers],
            "margin": [a.margin for a in answers],
            "gold_logprob": [a.logprobs[a.gold] for a in answers],
            "predicted": [a.predicted for a in answers],
            "option_mass": [sum(map(math.exp, a.logprobs)) for a in answers],
        }
    )
    items = about_item.rename(columns={"tier": "item_tier"})[
        ["item", "item_concept", "relation", "item_tier", "chance", "floor"]
    ]
    concepts = about_concept[["concept", "category", "tier", "exposure"]]
    frame = frame.merge(items, on="item", how="left", validate="many_to_one")
    frame = frame.merge(concepts, on="concept", how="left", validate="many_to_one")
    return frame.assign(model=model, scorer=scorer)


def mask_frame(
    model: str, masks: Mapping[str, Sequence[Mask]], rankings: Rankings
) -> pd.DataFrame:
    """Rows of the ``masks`` table."""
    rows = []
    for mask in chain.from_iterable(masks.values()):
        k = rankings.counts(mask.ranking, mask.ratio)
        hit = rankings.active_share(mask.ranking, k, mask.concept, mask.halves)
        empty = sum(k) == 0 and mask.kind != "none"
        rows.append(
            {
                "model": model,
                "concept": mask.concept,
                "selector": mask.selector,
                "mask": mask.kind,
                "ablation": mask.ablation,
                "draw": mask.draw,
                "donor": mask.donor,
                "ratio": mask.ratio,
                "halves": mask.halves,
                "k": sum(k),
                "active_share": hit,
                "reason": "the ratio selects no value vector" if empty else "",
            }
        )
    return pd.DataFrame(rows)


def order_text(prompt: Prompt) -> str:
    """Stored positions of options in the order asked, e.g. ``2301``."""
    return "".join(map(str, prompt.order))
