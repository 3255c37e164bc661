"""Reading and masking coefficients while a model runs.

The *coefficient* of a value vector is the down projection's input. In a mixture of
experts it is the gated output of the expert, read and ranked times its routing weight;
a token that is not routed to an expert counts as 0 there.

Both taps are context managers: hooks go when the block ends, also by an exception.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import nn
from transformers.integrations.moe import grouped_mm_experts_forward

from paraspec.models.sites import Site


@dataclass(frozen=True)
class Slots:
    """Coefficients of one layer in one forward pass, with where each line belongs."""

    coefficients: Float[torch.Tensor, "slot d_ff"]
    token: Int[torch.Tensor, " slot"]
    """Flat position ``row * n_pos + pos`` in the batch."""
    expert: Int[torch.Tensor, " slot"] | None
    """Expert of each line; None if dense."""
    routing: Float[torch.Tensor, " slot"] | None
    """Routing weight of each line; None if dense."""


Tap = Callable[[int, Slots], torch.Tensor | None]
"""Called with the layer and its slots; returns replaced coefficients or None."""


@contextmanager
def masked(
    sites: Sequence[Site], keep: Sequence[Bool[torch.Tensor, "row neuron"]]
) -> Iterator[None]:
    """Set coefficients to zero where ``keep`` is False, per row of the batch.

    Parameters
    ----------
    sites
        The model's sites.
    keep
        For every layer, which value vectors each row keeps.
    """
    rows = keep[0].shape[0]

    def tap(layer: int, slots: Slots) -> torch.Tensor:
        n_tokens = _tokens(slots)
        row = slots.token // (n_tokens // rows)
        kept = keep[layer]
        if slots.expert is not None:
            kept = kept.view(rows, sites[layer].n_experts, -1)
            return slots.coefficients * kept[row, slots.expert]
        c = slots.coefficients.view(rows, -1, kept.shape[-1])
        return (c * kept[:, None, :]).view_as(slots.coefficients)

    with tapped(sites, tap):
        yield


@dataclass(frozen=True)
class Recorded:
    """Sums over the counted tokens of each row, one tensor per layer."""

    coefficients: list[Float[torch.Tensor, "row neuron"]]
    """Absolute coefficients; in an expert times the routing weight."""
    routing: list[Float[torch.Tensor, "row expert"]]
    """Routing weights; in a dense layer the number of counted tokens."""


@contextmanager
def recorded(
    sites: Sequence[Site], counted: Float[torch.Tensor, "row pos"]
) -> Iterator[Recorded]:
    """Sum absolute coefficients and routing weights over the counted tokens of rows.

    Yields
    ------
    Sums that are complete after the forward pass.
    """
    rows, n_pos = counted.shape
    sums = Recorded(
        [counted.new_zeros(rows, site.n) for site in sites],
        [counted.new_zeros(rows, site.n_experts) for site in sites],
    )

    def tap(layer: int, slots: Slots) -> None:
        if slots.expert is None:
            c = slots.coefficients.abs().float().view(rows, n_pos, -1)
            sums.coefficients[layer] += torch.einsum("rpn,rp->rn", c, counted)
            sums.routing[layer] += counted.sum(1, keepdim=True)
            return
        assert slots.routing is not None
        share = slots.routing.float() * counted.reshape(-1)[slots.token]
        line = slots.token // n_pos * sites[layer].n_experts + slots.expert
        flat = sums.coefficients[layer].view(rows * sites[layer].n_experts, -1)
        flat.index_add_(0, line, slots.coefficients.abs().float() * share[:, None])
        sums.routing[layer].view(-1).index_add_(0, line, share)

    with tapped(sites, tap):
        yield sums


@contextmanager
def tapped(sites: Sequence[Site], tap: Tap) -> Iterator[None]:
    """Call ``tap`` with every layer's coefficients during the block."""
    with ExitStack() as stack:
        for layer, site in enumerate(sites):
            attach = _tap_experts if site.layout == "experts" else _tap_dense
            stack.enter_context(attach(site.module, layer, tap))
        yield


@contextmanager
def _tap_dense(module: nn.Module, layer: int, tap: Tap) -> Iterator[None]:
    def hook(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        x = args[0]
        flat = x.reshape(-1, x.shape[-1])
        token = torch.arange(flat.shape[0], device=x.device)
        replaced = tap(layer, Slots(flat, token, None, None))
        return None if replaced is None else (replaced.view_as(x), *args[1:])

    handle = module.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _tap_experts(module: nn.Module, layer: int, tap: Tap) -> Iterator[None]:
    """Run the experts through transformers' grouped function, with its gate tapped.

    Its lines are sorted by expert; the same sort of the same indices gives their
    order. A hook on the module would see hidden states, not coefficients.
    """
    gate = module._apply_gate

    def forward(
        hidden: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
    ) -> torch.Tensor:
        expert, order = torch.sort(top_k_index.reshape(-1))
        token = order // top_k_index.shape[-1]
        routing = top_k_weights.reshape(-1)[order]

        def tapped_gate(gate_up: torch.Tensor) -> torch.Tensor:
            coefficients = gate(gate_up)  # type: ignore[operator]
            replaced = tap(layer, Slots(coefficients, token, expert, routing))
            return coefficients if replaced is None else replaced

        module._apply_gate = tapped_gate  # type: ignore[assignment]
        try:
            out = grouped_mm_experts_forward(module, hidden, top_k_index, top_k_weights)
        finally:
            del module._apply_gate
        assert isinstance(out, torch.Tensor)
        return out

    module.forward = forward
    try:
        yield
    finally:
        del module.forward


def _tokens(slots: Slots) -> int:
    """Tokens in the batch; with experts every token has as many slots."""
    if slots.expert is None:
        return int(slots.token.shape[0])
    return int(slots.token.max()) + 1
