"""The ways that need nothing but this package: the plain hook loop, and ours."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from benchmarks.work import Kept, Work, kept_by
from paraspec.measure.applied import Applied
from paraspec.measure.prompts import Prompt
from paraspec.measure.score import answer_rows
from paraspec.measure.scoring import Answer
from paraspec.models.load import LoadedModel

Way = Callable[[Work, int], list[Answer]]
"""Answers the work's rows in their order, with that many questions per batch."""


def ours(work: Work, batch_rows: int) -> list[Answer]:
    """Answer as the study does."""
    return answer_rows(
        work.loaded,
        work.rows,
        work.prompts,
        work.rankings,
        batch_rows,
        lambda _: None,
        work.method,
    )


def plain_loop(work: Work, _batch_rows: int) -> list[Answer]:
    """Answer one mask, question and option at a time, as one would write it first."""
    answers: dict[int, Answer] = {}
    of_mask: dict[Applied, list[int]] = {}
    for i, row in enumerate(work.rows):
        of_mask.setdefault(row.applied, []).append(i)
    for applied, positions in of_mask.items():
        with torch.inference_mode(), hooks(work.loaded, kept_by(work, applied)):
            for i in positions:
                prompt = work.prompts[work.rows[i].asked.item]
                scores = [score(work.loaded, prompt, o) for o in prompt.options]
                answers[i] = Answer(tuple(scores), prompt.gold)
    return [answers[i] for i in range(len(work.rows))]


def score(loaded: LoadedModel, prompt: Prompt, option: Sequence[int]) -> float:
    """Log-likelihood of one option, from one pass over prompt and option."""
    device = loaded.model.device
    ids = torch.tensor([[*prompt.prefix, *option]], device=device)
    logits = loaded.model(input_ids=ids, use_cache=False).logits[0]
    start = len(prompt.prefix) - 1
    logprobs = logits[start : start + len(option)].float().log_softmax(-1)
    targets = torch.tensor(option, device=device)[:, None]
    return float(logprobs.gather(1, targets).sum())


@contextmanager
def hooks(loaded: LoadedModel, keep: Sequence[Kept]) -> Iterator[None]:
    """Zero the coefficients that are not kept, by a hook on each down projection."""
    with ExitStack() as stack:
        for site, kept in zip(loaded.sites, keep, strict=True):
            hook = site.module.register_forward_pre_hook(zeroing(kept))
            stack.callback(hook.remove)
        yield


def zeroing(kept: Kept) -> Callable[[nn.Module, Any], Any]:
    """Hook that multiplies a module's input by a mask."""
    return lambda _module, args: (args[0] * kept, *args[1:])
