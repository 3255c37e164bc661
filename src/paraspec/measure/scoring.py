"""Option log-likelihoods of many prompts in one batch, each row under its own mask.

One forward pass answers a batch: see :mod:`paraspec.measure.layout` for how options
lie in it. Padding is on the right, where causal attention does not look, and the
output embedding is applied only where a logit is needed. A few-shot beginning that all
prompts share is computed once per mask and reused through the key-value cache.
"""

import copy
import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from transformers import Cache, PreTrainedModel

from paraspec.measure.layout import Batch, Layout, layout
from paraspec.measure.prompts import Prompt
from paraspec.models.load import LoadedModel
from paraspec.models.taps import masked

Keep = Sequence[Bool[torch.Tensor, "row neuron"]]

WORTH_SHARING = 16
"""Shared tokens from which reusing the cache beats computing them again."""


@dataclass(frozen=True)
class Answer:
    """What the model answered to one prompt."""

    logprobs: tuple[float, ...]
    """Summed log-likelihood of each option, nats."""
    gold: int
    scores: tuple[float, ...] = ()
    """What decides, by option; the log-likelihoods where empty."""
    generated: int | None = None
    """Option found in generated text, -1 if none; None where nothing was generated."""

    @property
    def deciding(self) -> tuple[float, ...]:
        """Score of each option."""
        return self.scores or self.logprobs

    @property
    def predicted(self) -> int:
        """Option of highest score, the first one of a tie; or the generated one."""
        if self.generated is not None:
            return self.generated
        return self.deciding.index(max(self.deciding))

    @property
    def margin(self) -> float:
        """Gold score minus that of the best other option (nats, if not normalised)."""
        others = [v for i, v in enumerate(self.deciding) if i != self.gold]
        return self.deciding[self.gold] - max(others)


@dataclass(frozen=True)
class Masks:
    """Masks of a batch's rows."""

    keep: Keep
    """For every layer, which value vectors each row keeps; empty: all, everywhere."""
    same: Int[torch.Tensor, " row"] | None = None
    """Rows of equal number have equal masks; None where that is not known."""


def answer(
    loaded: LoadedModel, prompts: Sequence[Prompt], masks: Masks, *, packed: bool
) -> list[Answer]:
    """Answer one batch of prompts.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    prompts
        One prompt per row.
    masks
        What each row keeps.
    packed
        Lay all options of a prompt in one row; else one row for each.

    Returns
    -------
    One answer per row.
    """
    if packed:
        rows = [layout(p, range(len(p.options))) for p in prompts]
        source = list(range(len(prompts)))
    else:
        places = [(i, o) for i, p in enumerate(prompts) for o in range(len(p.options))]
        rows = [layout(prompts[i], [o]) for i, o in places]
        source = [i for i, _ in places]
    start = shared_length(prompts) if packed else 0
    logits = _read_logits(loaded, rows, source, masks, start, packed=packed)
    sums = [[0.0] * len(p.options) for p in prompts]
    for (i, option), value in _target_logprobs(rows, source, logits):
        sums[i][option] += value
    return [
        Answer(tuple(line), p.gold, p.scores_of(line))
        for line, p in zip(sums, prompts, strict=True)
    ]


def shared_length(prompts: Sequence[Prompt]) -> int:
    """Length of the beginning that is computed once per mask."""
    shared = min(p.shared for p in prompts)
    return shared if shared >= WORTH_SHARING else 0


def _read_logits(
    loaded: LoadedModel,
    rows: Sequence[Layout],
    source: Sequence[int],
    masks: Masks,
    start: int,
    *,
    packed: bool,
) -> Float[torch.Tensor, "read vocab"]:
    model = loaded.model
    batch = Batch.of(rows, start, model.device)
    line = torch.tensor(source, device=model.device)
    keep = masks.keep if packed else [layer[line] for layer in masks.keep]
    extra: dict[str, object] = {}
    with torch.inference_mode():
        if start:
            extra["past_key_values"] = _shared_cache(loaded, rows, masks, start)
        if packed:
            extra["attention_mask"] = batch.attention(start, model.dtype)
            extra["position_ids"] = batch.positions
        with under(loaded, keep):
            out = model(
                input_ids=batch.ids,
                use_cache=bool(start),
                logits_to_keep=batch.read,
                **extra,
            )
    logits = out.logits
    assert isinstance(logits, torch.Tensor)
    return logits if logits.dim() == 2 else logits[batch.read]


def under(loaded: LoadedModel, keep: Keep) -> AbstractContextManager[None]:
    """Masks of a batch's rows, as a context; none where ``keep`` is empty."""
    return masked(loaded.sites, keep) if keep else nullcontext()


def _shared_cache(
    loaded: LoadedModel, rows: Sequence[Layout], masks: Masks, start: int
) -> Cache:
    """Key-value cache of the shared beginning, computed once for every mask."""
    device = loaded.model.device
    n = len(rows)
    same = torch.arange(n, device=device) if masks.same is None else masks.same
    first, line = _firsts(same)
    ids = torch.tensor([rows[0].ids[:start]], device=device).expand(len(first), -1)
    with under(loaded, [layer[first] for layer in masks.keep]):
        out = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1)
    cache = copy.copy(out.past_key_values)
    cache.layers = [copy.copy(layer) for layer in out.past_key_values.layers]
    cache.batch_select_indices(line)
    assert isinstance(cache, Cache)
    return cache


def _firsts(
    same: Int[torch.Tensor, " row"],
) -> tuple[Int[torch.Tensor, " mask"], Int[torch.Tensor, " row"]]:
    """First row of every distinct number, and which of those each row equals."""
    numbers, line = torch.unique(same, return_inverse=True)
    first = torch.full_like(numbers, len(same))
    first.scatter_reduce_(0, line, torch.arange(len(same), device=same.device), "amin")
    return first, line


def _target_logprobs(
    rows: Sequence[Layout],
    source: Sequence[int],
    logits: Float[torch.Tensor, "read vocab"],
) -> list[tuple[tuple[int, int], float]]:
    """((prompt, option), log-probability) of every option token."""
    owners, places, tokens = [], [], []
    offset = 0
    for i, row in zip(source, rows, strict=True):
        for option, read, token in row.targets:
            owners.append((i, option))
            places.append(offset + read)
            tokens.append(token)
        offset += sum(row.read)
    values = logits.float()
    chosen = values[places, tokens] - values.logsumexp(-1)[places]
    return list(zip(owners, chosen.tolist(), strict=True))


def can_pack(model: PreTrainedModel) -> bool:
    """Whether a model takes positions and a mask of its own making."""
    return "position_ids" in inspect.signature(model.forward).parameters
