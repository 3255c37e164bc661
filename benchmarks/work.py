"""What every way has to do: the same questions under the same masks of one model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool
from transformers import PreTrainedTokenizerFast

from paraspec.core.config import Asking
from paraspec.data.format import Concept
from paraspec.data.sets import set_table
from paraspec.data.study import prompt_table
from paraspec.measure.applied import Applied
from paraspec.measure.extract import extract, membership
from paraspec.measure.method import Method, packing_holds
from paraspec.measure.plan import Donors, Grid, masks_of, swap_donors
from paraspec.measure.prompts import Prompt, tokenise
from paraspec.measure.ranked import UNRANKED, RankingKey, Rankings
from paraspec.measure.rankings import counts
from paraspec.measure.score import Row, asked_items, n_distinct, rows_of
from paraspec.models.load import LoadedModel
from paraspec.models.tokenizer import BOS, EOS, PAD, train_tokenizer

SEED = 0


@dataclass(frozen=True)
class Work:
    """Questions and masks, each pair of the two once."""

    loaded: LoadedModel
    rows: Sequence[Row]
    prompts: Mapping[str, Prompt]
    rankings: Rankings
    method: Method
    """How ours answers, found by a probe once per model."""

    def only(self, rows: Sequence[Row]) -> "Work":
        """The same with some of the rows."""
        return replace(self, rows=rows)


def factbook_tokenizer(
    concepts: Sequence[Concept], vocab_size: int
) -> PreTrainedTokenizerFast:
    """Byte-level BPE trained on the statements and answers that will be asked."""
    sentences = [
        f"{statement} {option}"
        for concept in concepts
        for question in concept.questions
        for statement in question.statements
        for option in question.options
    ]
    return PreTrainedTokenizerFast(
        tokenizer_object=train_tokenizer(sentences, vocab_size),
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
    )


def prepare(
    loaded: LoadedModel,
    concepts: Sequence[Concept],
    grid: Grid,
    general_items: int,
    n_concepts: int,
    batch_rows: int,
) -> Work:
    """Word the questions, rank the value vectors, list the masks of some concepts.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    concepts
        All of the study's: the rankings need unrelated questions too.
    grid
        Ratios and draws of the masks.
    general_items
        Items of other concepts that each mask is evaluated on as well.
    n_concepts
        Concepts whose masks are applied.
    batch_rows
        Prompts of one pass while coefficients are read.
    """
    sets = set_table(concepts, [], general_items, SEED)
    prompts = tokenise(prompt_table(concepts, SEED), Asking(), loaded.tokenizer)
    members = membership(sets)
    every = [prompts[item] for item in members.lines_of]
    activations = extract(loaded, every, members, batch_rows, lambda _: None)
    asked = asked_items(sets)
    donors = swap_donors({c.concept: c.category for c in concepts}, SEED)
    rankings = Rankings("benchmark", activations, loaded.model.device)
    rows = [
        row
        for concept in list(asked)[:n_concepts]
        for row in rows_of(
            masks_of(concept, donors[concept], grid),
            asked[concept],
            rankings.counts,
        )
    ]
    distinct = {(row.applied, row.asked.item): row for row in rows}
    return Work(
        loaded,
        list(distinct.values()),
        prompts,
        rankings,
        Method(packing_holds(loaded, every)),
    )


def answers_per_concept(
    concepts: Sequence[Concept], grid: Grid, general_items: int
) -> int:
    """Answers that one concept takes in a study of large models."""
    asked = asked_items(set_table(concepts, [], general_items, SEED))
    concept, donor = list(asked)[:2]
    masks = masks_of(concept, Donors((donor,)), grid)

    def wide(_: RankingKey, ratio: float) -> tuple[int, ...]:
        """So wide a layer that no two ratios select equally many value vectors."""
        return counts(ratio, (2**16,))

    return n_distinct(rows_of(masks, asked[concept], wide))


def some_masks(rows: Sequence[Row], n_rows: int) -> list[Row]:
    """About ``n_rows`` rows: all those of masks spread evenly over the list.

    Whole masks, because the loop ranks value vectors and sets its hooks once per mask.
    """
    of_mask: dict[Applied, list[Row]] = {}
    for row in rows:
        of_mask.setdefault(row.applied, []).append(row)
    masks = list(of_mask.values())
    step = min(len(masks), max(1, len(rows) // n_rows))
    return [row for group in masks[step // 2 :: step] for row in group]


def spread(rows: Sequence[Row], n_rows: int) -> list[Row]:
    """At most ``n_rows`` rows, spread evenly over the list."""
    return list(rows[:: max(1, -(-len(rows) // n_rows))])


def unmasked(row: Row) -> Row:
    """The same question under a mask that selects nothing."""
    return replace(row, applied=Applied(UNRANKED, (0,) * len(row.applied.k)))


Kept = Bool[torch.Tensor, " neuron"]


def kept_by(work: Work, applied: Applied) -> list[Kept]:
    """Which value vectors of each layer survive a mask, on the model's device."""
    ranking = work.rankings.stacked([applied.ranking])
    return [
        ((place[0] >= k) != (applied.ablation == "keep")).to(work.loaded.model.device)
        for place, k in zip(ranking, applied.k, strict=True)
    ]
