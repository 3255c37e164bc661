"""How batches are answered: packed or plain, masked by hook or by weight, how large.

Packing needs a model that honours a given attention mask and given positions. Rather
than to know which do, a probe answers a few prompts both ways and compares. Batches
that do not fit in memory are halved, and so are all after them.
"""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch

from paraspec.core.definitions import Masking
from paraspec.core.errors import UserError
from paraspec.measure.generating import generated_options
from paraspec.measure.layout import Batch, shared_length
from paraspec.measure.prompts import Prompt
from paraspec.measure.scoring import (
    Answer,
    Masks,
    answer,
    answer_batch,
    can_pack,
    under,
)
from paraspec.models.load import LoadedModel
from paraspec.models.weights import zeroed

logger = logging.getLogger(__name__)

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.25, torch.float16: 0.05}
"""Nats by which log-likelihoods of the same option may differ between both ways.

Sums of a few tokens: some times the logit noise that value-vectors.md measured (5e-4
in fp32, 1e-2 in bf16). A mask or a position that is not honoured moves them by more.
"""
N_PROBES = 4
MASKINGS: tuple[Masking, ...] = ("hook", "weight")
Rows = tuple[int, ...]
"""Numbers of the prompts of a batch."""


@dataclass(frozen=True)
class Method:
    """How batches are answered."""

    packed: bool
    masking: Masking = "hook"
    """hook: rows of any masks share a batch; weight: a batch has one mask, written into
    the down projections; auto: whichever a trial finds faster."""
    max_new_tokens: int = 0
    """Longest answer that is generated beside; 0: none."""


class MaskSource(Protocol):
    """Gives the masks of rows by their numbers."""

    same: torch.Tensor
    """Rows of equal number have equal masks."""

    def masks(self, rows: Sequence[int]) -> Masks:
        """Masks of these rows."""


def packing_holds(loaded: LoadedModel, prompts: Sequence[Prompt]) -> bool:
    """Whether the longest prompts get the same log-likelihoods packed and plain."""
    if not can_pack(loaded.model):
        return False
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
    holds = bool(gap <= TOLERANCE[loaded.model.dtype])
    if not holds:
        logger.info("options get rows of their own: packing differs by %.2g nats", gap)
    return holds


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
    masking = method.masking
    if masking == "auto":
        masking = faster_masking(loaded, prompts, source, batch_rows, method)
    groups = _groups(prompts, source, masking)
    todo = deque(rows for group in groups for rows in _parts(group, batch_rows))
    with LaidAhead(prompts, packed=method.packed) as laid:
        while todo:
            rows, following = todo[0], todo[1] if len(todo) > 1 else ()
            try:
                batch = laid.batch(rows, following)
                replies = _answered(loaded, batch, rows, source, method, masking)
            except RuntimeError as error:
                size = _smaller(len(rows), error)
                todo = deque(part for rows in todo for part in _parts(rows, size))
                continue
            answers.update(zip(rows, replies, strict=True))
            on_batch(len(rows))
            todo.popleft()
    return [answers[i] for i in range(len(prompts))]


class LaidAhead:
    """Lays out batches, the next one in a thread while the device works."""

    def __init__(self, prompts: Sequence[Prompt], *, packed: bool) -> None:
        self._prompts = prompts
        self._packed = packed
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._ahead: dict[Rows, Future[Batch]] = {}

    def batch(self, rows: Rows, following: Rows) -> Batch:
        """Give the batch of these rows; begin that of the following ones, if any."""
        ahead = self._ahead.pop(rows, None)
        self._ahead = {}
        batch = ahead.result() if ahead else self._laid(rows)
        if following:
            self._ahead[following] = self._worker.submit(self._laid, following)
        return batch

    def _laid(self, rows: Rows) -> Batch:
        return Batch.of([self._prompts[i] for i in rows], packed=self._packed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown(cancel_futures=True)


def faster_masking(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    source: MaskSource,
    batch_rows: int,
    method: Method,
) -> Masking:
    """Try one batch each way, after a warm-up, and compare seconds per row.

    By hook where weights cannot be written, or memory holds no copy of them.
    """

    def seconds_per_row(rows: Rows, masking: Masking) -> float:
        batch = Batch.of([prompts[i] for i in rows], packed=method.packed)
        try:
            for _ in range(2):
                started = time.perf_counter()
                _answered(loaded, batch, rows, source, method, masking)
        except RuntimeError as error:
            return seconds_per_row(rows[: _smaller(len(rows), error)], masking)
        return (time.perf_counter() - started) / len(rows)

    seconds: dict[Masking, float] = {}
    for masking in MASKINGS:
        group = max(_groups(prompts, source, masking), key=len)
        try:
            seconds[masking] = seconds_per_row(tuple(group[:batch_rows]), masking)
        except UserError:
            if masking == "hook":
                raise
    chosen = min(seconds, key=lambda masking: seconds[masking])
    told = ", ".join(f"{name} {1e3 * s:.2f} ms" for name, s in seconds.items())
    logger.info("masking by %s (%s a row)", chosen, told)
    return chosen


def _groups(
    prompts: Sequence[Prompt], source: MaskSource, masking: Masking
) -> list[list[int]]:
    """Rows that may share a batch, in order of length."""
    order = _in_order(prompts, source)
    if masking == "hook":
        return [order]
    same = source.same.tolist()
    groups: dict[int, list[int]] = defaultdict(list)
    for i in order:
        groups[same[i]].append(i)
    return list(groups.values())


def _parts(rows: Sequence[int], size: int) -> Iterator[Rows]:
    for start in range(0, len(rows), size):
        yield tuple(rows[start : start + size])


def _answered(
    loaded: LoadedModel,
    batch: Batch,
    rows: Rows,
    source: MaskSource,
    method: Method,
    masking: Masking,
) -> list[Answer]:
    masks = source.masks(rows)
    with ExitStack() as stack:
        if masking == "weight" and masks.keep and not masks.fill:
            one = [layer[0] for layer in masks.keep]
            stack.enter_context(zeroed(loaded.sites, one))
            masks = Masks([], masks.same)
        replies = answer_batch(loaded, batch, masks)
        if not method.max_new_tokens:
            return replies
        named = generated_options(
            loaded, batch.prompts, under(loaded, masks), method.max_new_tokens
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
