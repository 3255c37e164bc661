"""Collateral damage: what masks do to text that speaks of none of the concepts.

A sentence is a prompt whose prefix is the BOS token, or the first one where there is
none, and whose only option is all the rest: its log-likelihood under a mask comes from
the same engine as an item's.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

import pandas as pd
from transformers import PreTrainedTokenizerBase

from paraspec.core.definitions import NONE
from paraspec.core.files import sha256_text
from paraspec.core.tables.measured import COLLATERAL
from paraspec.measure.applied import Applied
from paraspec.measure.chunked import Scoring, chunks_of
from paraspec.measure.plan import Mask
from paraspec.measure.prompts import Prompt
from paraspec.measure.score import Asked, Row, answer_rows, rows_of
from paraspec.models.encoding import Encoding

KEY = ("concept", "selector", "mask", "ablation", "draw", "ratio", "half")


def collateral_frame(
    scoring: Scoring,
    masks: Mapping[str, Sequence[Mask]],
    texts: Sequence[str],
    on_batch: Callable[[int], None],
    added: Container[str] = (),
    earlier: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rows of the ``collateral`` table: loss on the same sentences under each mask.

    Masks that act alike are read once: the empty one, listed for every concept; a
    donor's, which is a swap mask elsewhere; a random one of both halves. An added
    concept shares the study's own masks only, so that none depends on another.

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
    added
        Concepts that are not the study's own.
    earlier
        Rows of an earlier run that hold: their masks are not read again.
    """
    prompts = sentence_prompts(texts, scoring.loaded.tokenizer)
    n_tokens = sum(len(prompt.options[0]) for prompt in prompts.values())
    known = _known(earlier)
    own: dict[Applied, float] = {}
    lines = []
    for group in chunks_of(list(masks), added):
        rows = [_rows(m, prompts, scoring) for concept in group for m in masks[concept]]
        acting = [of_mask for of_mask in rows if of_mask]
        losses = own | {
            row.applied: known[_key(row.mask)]
            for row, *_ in acting
            if _key(row.mask) in known
        }
        fresh = [r for of_mask in acting for r in of_mask if r.applied not in losses]
        losses |= _losses(scoring, fresh, prompts, n_tokens, on_batch)
        lines += [
            _line(scoring.model, r[0].mask, n_tokens, losses[r[0].applied])
            for r in acting
        ]
        if group[0] not in added:
            own = losses
    return pd.DataFrame(lines, columns=COLLATERAL.names)


def _known(earlier: pd.DataFrame | None) -> dict[tuple[object, ...], float]:
    """Loss under each mask of an earlier run."""
    if earlier is None:
        return {}
    keys = earlier[list(KEY)].itertuples(index=False, name=None)
    return dict(zip(keys, earlier["loss"], strict=True))


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


def _key(mask: Mask) -> tuple[object, ...]:
    """What makes a row of one model unique, in the order of ``KEY``."""
    half = NONE if mask.kind == "none" else mask.halves
    return (
        *(mask.concept, mask.selector, mask.kind, mask.ablation),
        *(mask.draw, mask.ratio, half),
    )


def _line(model: str, mask: Mask, n_tokens: int, loss: float) -> dict[str, object]:
    of_mask = dict(zip(KEY, _key(mask), strict=True))
    return {"model": model, **of_mask, "n_tokens": n_tokens, "loss": loss}
