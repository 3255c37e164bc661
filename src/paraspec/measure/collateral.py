"""Collateral damage: what masks do to text that speaks of none of the concepts.

A sentence is a prompt whose prefix is the BOS token, or the first one where there is
none, and whose only option is all the rest: its log-likelihood under a mask comes from
the same engine as an item's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, takewhile

import pandas as pd
from transformers import PreTrainedTokenizerBase

from paraspec.core.definitions import NONE
from paraspec.core.files import sha256_text
from paraspec.core.tables.measured import COLLATERAL
from paraspec.measure.applied import Applied
from paraspec.measure.chunked import CONCEPTS_AT_ONCE, Scoring
from paraspec.measure.plan import Mask
from paraspec.measure.prompts import Prompt
from paraspec.measure.score import Asked, Row, answer_rows, rows_of
from paraspec.models.encoding import Encoding


def collateral_frame(
    scoring: Scoring,
    masks: Mapping[str, Sequence[Mask]],
    texts: Sequence[str],
    on_batch: Callable[[int], None],
) -> pd.DataFrame:
    """Rows of the ``collateral`` table: loss on the same sentences under each mask.

    Masks that act alike are read once: the empty one, listed for every concept; a
    donor's, which is a swap mask elsewhere; a random one of both halves.

    Parameters
    ----------
    scoring
        The model.
    masks
        Masks of every concept, the empty one among them; no matter which items they
        are meant for. Those that select nothing get no row.
    texts
        Sentences, the same for all masks, so that differences between them are paired.
    on_batch
        Called with the number of sentences read.
    """
    prompts = sentence_prompts(texts, scoring.loaded.tokenizer)
    n_tokens = sum(len(prompt.options[0]) for prompt in prompts.values())
    losses: dict[Applied, float] = {}
    lines = []
    concepts = list(masks.values())
    for start in range(0, len(concepts), CONCEPTS_AT_ONCE):
        group = chain.from_iterable(concepts[start : start + CONCEPTS_AT_ONCE])
        rows = [_rows(mask, prompts, scoring) for mask in group]
        acting = [of_mask for of_mask in rows if of_mask]
        fresh = [r for of_mask in acting for r in of_mask if r.applied not in losses]
        losses |= _losses(scoring, fresh, prompts, n_tokens, on_batch)
        lines += [_line(scoring.model, r[0], n_tokens, losses) for r in acting]
    return pd.DataFrame(lines, columns=COLLATERAL.names)


def sentence_prompts(
    texts: Iterable[str], tokenizer: PreTrainedTokenizerBase
) -> dict[str, Prompt]:
    """Sentences as prompts with one option, by their text.

    Leading special tokens are given; where there are none, the first token is, as
    nothing predicts it.
    """
    encoding, special = Encoding(tokenizer), set(tokenizer.all_special_ids)
    found = {}
    for text in texts:
        ids = encoding.ids(text)
        start = sum(1 for _ in takewhile(lambda token: token in special, ids)) or 1
        found[text] = Prompt(
            item=text,
            gold=0,
            prompt_hash=sha256_text(text)[:12],
            prefix=tuple(ids[:start]),
            counted=(False,) * start,
            options=(tuple(ids[start:]),),
        )
    return found


def _rows(mask: Mask, texts: Iterable[str], scoring: Scoring) -> list[Row]:
    """Cross one mask with all sentences; none where it selects nothing.

    Rankings have their shared names, under which equal ones are known to be equal.
    """
    asked = [Asked(text, "neutral", NONE, mask.halves[0]) for text in texts]
    shared = scoring.rankings.shared(mask.ranking)
    everything = replace(mask, general=True, ranking=shared)
    return rows_of([everything], asked, scoring.rankings.counts)


def _losses(
    scoring: Scoring,
    rows: Sequence[Row],
    prompts: Mapping[str, Prompt],
    n_tokens: int,
    on_batch: Callable[[int], None],
) -> dict[Applied, float]:
    """Mean loss of a token under each acting mask, nats."""
    if not rows:
        return {}
    answers = answer_rows(
        scoring.loaded,
        rows,
        prompts,
        scoring.rankings,
        scoring.batch_rows,
        on_batch,
        replace(scoring.method, packed=False, max_new_tokens=0),
    )
    logprob = {
        (row.applied, row.asked.item): answer.logprobs[0]
        for row, answer in zip(rows, answers, strict=True)
    }
    sums: dict[Applied, float] = {}
    for (applied, _), value in logprob.items():
        sums[applied] = sums.get(applied, 0.0) - value
    return {applied: value / n_tokens for applied, value in sums.items()}


def _line(
    model: str, row: Row, n_tokens: int, losses: Mapping[Applied, float]
) -> dict[str, object]:
    mask = row.mask
    return {
        "model": model,
        "concept": mask.concept,
        "selector": mask.selector,
        "mask": mask.kind,
        "ablation": mask.ablation,
        "draw": mask.draw,
        "ratio": mask.ratio,
        "half": NONE if mask.kind == "none" else mask.halves,
        "n_tokens": n_tokens,
        "loss": losses[row.applied],
    }
