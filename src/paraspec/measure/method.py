"""How batches are answered: packed or plain, and how large.

Packing needs a model that honours a given attention mask and given positions. Rather
than to know which do, a probe answers a few prompts both ways and compares. Batches
that do not fit in memory are halved, and so are all after them.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch

from paraspec.core.errors import UserError
from paraspec.measure.generating import generated_options
from paraspec.measure.prompts import Prompt
from paraspec.measure.scoring import (
    Answer,
    Masks,
    answer,
    can_pack,
    shared_length,
    under,
)
from paraspec.models.load import LoadedModel

logger = logging.getLogger(__name__)

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.25, torch.float16: 0.05}
"""Nats by which log-likelihoods of the same option may differ between both ways.

Sums of a few tokens: some times the logit noise that value-vectors.md measured (5e-4
in fp32, 1e-2 in bf16). A mask or a position that is not honoured moves them by more.
"""
N_PROBES = 4


@dataclass(frozen=True)
class Method:
    """How batches are answered."""

    packed: bool
    max_new_tokens: int = 0
    """Longest answer that is generated beside; 0: none."""


class MaskSource(Protocol):
    """Gives the masks of rows by their numbers."""

    same: torch.Tensor

    def masks(self, rows: Sequence[int]) -> Masks:
        """Masks of these rows."""


def choose_method(
    loaded: LoadedModel, prompts: Sequence[Prompt], max_new_tokens: int = 0
) -> Method:
    """Pack where the longest prompts get the same log-likelihoods both ways."""
    if not can_pack(loaded.model):
        return Method(packed=False, max_new_tokens=max_new_tokens)
    longest = sorted({p.item: p for p in prompts}.values(), key=lambda p: len(p.prefix))
    probes = longest[-N_PROBES:]
    both = [
        answer(loaded, probes, Masks([]), packed=packed) for packed in (True, False)
    ]
    gap = max(
        abs(a - b)
        for one, other in zip(*both, strict=True)
        for a, b in zip(one.logprobs, other.logprobs, strict=True)
    )
    holds = gap <= TOLERANCE[loaded.model.dtype]
    if not holds:
        logger.info("options get rows of their own: packing differs by %.2g nats", gap)
    return Method(packed=holds, max_new_tokens=max_new_tokens)


def answer_all(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    source: MaskSource,
    batch_rows: int,
    method: Method,
    on_batch: Callable[[int], None],
) -> list[Answer]:
    """Answer every prompt under its own mask, in batches of similar length."""
    answers: dict[int, Answer] = {}
    size = batch_rows
    left = _in_order(prompts, source)
    while left:
        rows = left[:size]
        try:
            masks = source.masks(rows)
            chosen = [prompts[i] for i in rows]
            replies = _answered(loaded, chosen, masks, method)
        except RuntimeError as error:
            size = _smaller(len(rows), error)
            continue
        answers.update(zip(rows, replies, strict=True))
        on_batch(len(rows))
        left = left[size:]
    return [answers[i] for i in range(len(prompts))]


def _answered(
    loaded: LoadedModel, prompts: Sequence[Prompt], masks: Masks, method: Method
) -> list[Answer]:
    replies = answer(loaded, prompts, masks, packed=method.packed)
    if not method.max_new_tokens:
        return replies
    named = generated_options(
        loaded, prompts, under(loaded, masks.keep), method.max_new_tokens
    )
    return [
        replace(reply, generated=option)
        for reply, option in zip(replies, named, strict=True)
    ]


def _in_order(prompts: Sequence[Prompt], source: MaskSource) -> list[int]:
    """Rows by length; by mask first, where a mask's rows share a beginning."""
    same = source.same.tolist() if shared_length(prompts) else [0] * len(prompts)

    def key(i: int) -> tuple[int, int]:
        tails = sum(len(tokens) - 1 for tokens in prompts[i].options)
        return same[i], len(prompts[i].prefix) + tails

    return sorted(range(len(prompts)), key=key)


def _smaller(size: int, error: RuntimeError) -> int:
    """Half the batch size if memory ran out; another fault goes on."""
    full = isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
    if not full:
        raise error
    if size == 1:
        raise UserError(
            "scoring",
            "memory does not hold a single prompt beside the model",
            "Use dtype bfloat16, a larger device, or fewer shots",
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    logger.info("out of memory with %d rows: going on with %d", size, size // 2)
    return size // 2
