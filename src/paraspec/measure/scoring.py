"""Option log-likelihoods of many prompts in one batch, each row under its own mask.

One forward pass answers a batch: see :mod:`paraspec.measure.layout` for how options
lie in it. Padding is on the right, where causal attention does not look, and the
output embedding is applied only where a logit is needed. A few-shot beginning that all
prompts share is computed once per mask and reused through the key-value cache.
"""

import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import nn
from transformers import Cache, PreTrainedModel

from paraspec.measure.layout import Batch, Targets
from paraspec.measure.prompts import Prompt
from paraspec.models.load import LoadedModel
from paraspec.models.taps import masked

Keep = Sequence[Bool[torch.Tensor, "row neuron"]]


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
    fill: Sequence[Float[torch.Tensor, "row neuron"]] = ()
    """For every layer, what masked coefficients become; empty: zero."""

    def of(self, rows: Int[torch.Tensor, " line"]) -> "Masks":
        """Masks of these rows, which may occur more than once."""
        same = None if self.same is None else self.same[rows]
        return Masks(
            [layer[rows] for layer in self.keep],
            same,
            [layer[rows] for layer in self.fill],
        )


def answer(
    loaded: LoadedModel, prompts: Sequence[Prompt], masks: Masks, *, packed: bool
) -> list[Answer]:
    """Answer one batch of prompts: lay it out, then :func:`answer_batch`."""
    return answer_batch(loaded, Batch.of(prompts, packed=packed), masks)


def answer_batch(loaded: LoadedModel, batch: Batch, masks: Masks) -> list[Answer]:
    """Answer prompts that are laid out.

    Parameters
    ----------
    loaded
        Model, tokenizer and sites.
    batch
        Prompts as tensors.
    masks
        What each prompt's row keeps.

    Returns
    -------
    One answer per prompt.
    """
    with torch.inference_mode():
        logits = _read_logits(loaded, batch.to(loaded.model.device), masks)
        logprobs: list[float] = _target_logprobs(logits, batch.targets).tolist()
    sums = [[0.0] * len(p.options) for p in batch.prompts]
    for (i, option), value in zip(batch.targets.owner, logprobs, strict=True):
        sums[i][option] += value
    return [
        Answer(tuple(line), p.gold, p.scores_of(line))
        for line, p in zip(sums, batch.prompts, strict=True)
    ]


def option_logprobs(
    loaded: LoadedModel, batch: Batch
) -> list[Float[torch.Tensor, " option"]]:
    """Summed log-likelihood of each prompt's options, nats, as the graph has it.

    For derivatives: nothing is masked, and nothing detached.
    """
    logits = _read_logits(loaded, batch, Masks([]))
    values = _target_logprobs(logits, batch.targets)
    sizes = [len(p.options) for p in batch.prompts]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    place = [starts[i] + option for i, option in batch.targets.owner]
    flat = values.new_zeros(sum(sizes))
    flat = flat.index_add(0, torch.tensor(place, device=values.device), values)
    return list(torch.split(flat, sizes))


def _read_logits(
    loaded: LoadedModel, batch: Batch, masks: Masks
) -> Float[torch.Tensor, "read vocab"]:
    model = loaded.model
    extra: dict[str, object] = {}
    if batch.beginning:
        extra["past_key_values"] = _shared_cache(loaded, batch, masks)
    if batch.packed:
        extra["attention_mask"] = batch.attention(model.dtype)
        extra["position_ids"] = batch.positions
    else:
        masks = masks.of(batch.source)
    with under(loaded, masks), only_logits(loaded, batch.read) as chosen:
        out = model(
            input_ids=batch.ids, use_cache=bool(batch.beginning), **chosen, **extra
        )
    logits = out.logits
    assert isinstance(logits, torch.Tensor)
    return logits if logits.dim() == 2 else logits[batch.read]


@contextmanager
def only_logits(
    loaded: LoadedModel, read: Bool[torch.Tensor, "row pos"]
) -> Iterator[dict[str, torch.Tensor]]:
    """Have the model apply its output embedding only where logits are read.

    Yields
    ------
    What to pass to the model. Of a model spread over devices nothing: accelerate moves
    inputs to the first one, and transformers indexes hidden states on the last.
    """
    if not loaded.spread:
        yield {"logits_to_keep": read}
        return
    head = loaded.model.get_output_embeddings()
    assert head is not None

    def choose(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (args[0][read.to(args[0].device)], *args[1:])

    hook = head.register_forward_pre_hook(choose)
    try:
        yield {}
    finally:
        hook.remove()


def _target_logprobs(
    logits: Float[torch.Tensor, "read vocab"], targets: Targets
) -> Float[torch.Tensor, " token"]:
    """Log-probability of every target token."""
    place, token = (t.to(logits.device) for t in (targets.place, targets.token))
    values = logits.float()
    return values[place, token] - values.logsumexp(-1)[place]


def under(loaded: LoadedModel, masks: Masks) -> AbstractContextManager[None]:
    """Masks of a batch's rows, as a context; none where they mask nothing."""
    if not masks.keep:
        return nullcontext()
    return masked(loaded.sites, masks.keep, masks.fill)


def _shared_cache(loaded: LoadedModel, batch: Batch, masks: Masks) -> Cache:
    """Key-value cache of the shared beginning, computed once for every mask."""
    device, n = loaded.model.device, len(batch.prompts)
    same = torch.arange(n, device=device) if masks.same is None else masks.same
    first, line = _firsts(same)
    ids = torch.tensor([batch.beginning], device=device).expand(len(first), -1)
    with under(loaded, masks.of(first)):
        out = loaded.model(input_ids=ids, use_cache=True, logits_to_keep=1)
    cache = copy.copy(out.past_key_values)
    cache.layers = [copy.copy(layer) for layer in out.past_key_values.layers]
    cache.batch_select_indices(line.cpu())  # layers may lie on several devices
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


def can_pack(model: PreTrainedModel) -> bool:
    """Whether a model takes positions and a mask of its own making."""
    return "position_ids" in inspect.signature(model.forward).parameters
