"""Reading and masking coefficients while a model runs.

The *coefficient* of a value vector is the down projection's input. In a mixture of
experts it is the gated output of the expert, read and ranked times the routing weight
that multiplies the expert's output (after normalisation and scaling, as the class has
it); a token that is not routed to an expert counts as 0 there.

Both taps are context managers: hooks go when the block ends, also by an exception.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import nn
from transformers.integrations.moe import (
    ALL_EXPERTS_FUNCTIONS,
    grouped_mm_experts_forward,
)

from paraspec.models.sites import Site


class Slots(NamedTuple):
    """Coefficients of one site in one forward pass, with where each line belongs."""

    coefficients: Float[torch.Tensor, "slot d_ff"]
    n_tokens: int
    """Tokens of the batch; a token's number is ``row * n_pos + pos``."""
    routes: "Routes | None" = None
    """None if the site is not routed: line ``i`` then is token ``i``."""

    def row(self, rows: int) -> Int[torch.Tensor, " slot"]:
        """Row of the batch that each routed line belongs to."""
        assert self.routes is not None
        return self.routes.token // (self.n_tokens // rows)


class Routes(NamedTuple):
    """Where the lines of routed experts belong."""

    token: Int[torch.Tensor, " slot"]
    expert: Int[torch.Tensor, " slot"]
    weight: Float[torch.Tensor, " slot"]
    """What multiplies the expert's output for this token."""


Tap = Callable[[int, Slots], torch.Tensor | None]
"""Called with a site's number and its slots; returns replaced coefficients or None."""


@contextmanager
def masked(
    sites: Sequence[Site],
    keep: Sequence[Bool[torch.Tensor, "row neuron"]],
    fill: Sequence[Float[torch.Tensor, "row neuron"]] = (),
) -> Iterator[None]:
    """Replace coefficients where ``keep`` is False, per row of the batch.

    Parameters
    ----------
    sites
        The model's sites.
    keep
        For every site, which value vectors each row keeps.
    fill
        For every site, what the others' coefficients become; zero where empty.
    """
    rows = keep[0].shape[0]

    def tap(number: int, slots: Slots) -> torch.Tensor:
        c = slots.coefficients
        kept = keep[number].to(c.device)
        values = fill[number].to(c) if fill else None
        if slots.routes is None:
            per_row = c.view(rows, -1, c.shape[1])
            if values is None:
                return zero_where_dropped(per_row, kept).view_as(c)
            return torch.where(kept[:, None], per_row, values[:, None]).view_as(c)
        place = (slots.row(rows), slots.routes.expert)
        n_experts = sites[number].n_experts
        new = 0 if values is None else values.view(rows, n_experts, -1)[place]
        return torch.where(kept.view(rows, n_experts, -1)[place], c, new)

    with tapped(sites, tap):
        yield


@contextmanager
def gated(
    sites: Sequence[Site], gates: Sequence[Float[torch.Tensor, "row neuron"]]
) -> Iterator[None]:
    """Multiply coefficients by gates, one for each row and value vector.

    A mask is a gate of 0. The derivative of an output by a gate at 1 is the sum over
    tokens of coefficient times gradient.
    """
    rows = gates[0].shape[0]

    def tap(number: int, slots: Slots) -> torch.Tensor:
        c = slots.coefficients
        gate = gates[number].to(c.device)
        if slots.routes is None:
            return (c.view(rows, -1, c.shape[1]) * gate[:, None].to(c)).view_as(c)
        per_expert = gate.view(rows, sites[number].n_experts, -1)
        return c * per_expert[slots.row(rows), slots.routes.expert].to(c)

    with tapped(sites, tap):
        yield


def zero_where_dropped(
    c: Float[torch.Tensor, "row pos neuron"], kept: Bool[torch.Tensor, "row neuron"]
) -> Float[torch.Tensor, "row pos neuron"]:
    """Coefficients with zero where a row does not keep a value vector.

    Zero is the number whose bits are all 0: a logical AND of several numbers at once
    moves less data than a product, and makes 0 of NaN and infinity too.
    """
    size = c.element_size()
    whole = {2: torch.int16, 4: torch.int32}.get(size)
    odd = c.shape[-1] * size % 8 or c.storage_offset() * size % 8
    if whole is None or odd or not c.is_contiguous():
        return torch.where(kept[:, None], c, 0)
    bits = (-kept.to(whole)).view(torch.int64)  # -1 is the number of all bits 1
    return (c.view(torch.int64) & bits[:, None]).view(c.dtype)


@dataclass(frozen=True)
class Recorded:
    """Sums over the counted tokens of each row, one tensor per site."""

    coefficients: list[Float[torch.Tensor, "row neuron"]]
    """Absolute coefficients; in a routed expert times the routing weight."""
    routing: list[Float[torch.Tensor, "row expert"]]
    """Routing weights; in a site without routing the number of counted tokens."""


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
        [counted.new_zeros(rows, s.n, device=s.weight.device) for s in sites],
        [counted.new_zeros(rows, s.n_experts, device=s.weight.device) for s in sites],
    )

    def tap(number: int, slots: Slots) -> None:
        c = slots.coefficients.abs().float()
        counts = counted.to(c.device)
        if slots.routes is None:
            per_row = torch.einsum("rpn,rp->rn", c.view(rows, n_pos, -1), counts)
            sums.coefficients[number] += per_row
            sums.routing[number] += counts.sum(1, keepdim=True)
            return
        token, expert, weight = slots.routes
        share = weight.float() * counts.reshape(-1)[token]
        n_experts = sites[number].n_experts
        line = token // n_pos * n_experts + expert
        flat = sums.coefficients[number].view(rows * n_experts, -1)
        flat.index_add_(0, line, c * share[:, None])
        sums.routing[number].view(-1).index_add_(0, line, share)

    with tapped(sites, tap):
        yield sums


@contextmanager
def tapped(sites: Sequence[Site], tap: Tap) -> Iterator[None]:
    """Call ``tap`` with every site's coefficients during the block.

    Blocks within blocks see each other's changes, the outer one first.
    """
    undo: list[Callable[[], None]] = []
    try:
        for number, site in enumerate(sites):
            attach = _tap_experts if site.routed else _tap_dense
            undo.append(attach(site.module, number, tap))
        yield
    finally:
        for detach in reversed(undo):
            detach()


def _tap_dense(module: nn.Module, number: int, tap: Tap) -> Callable[[], None]:
    def hook(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        x = args[0]
        flat = x.reshape(-1, x.shape[-1])
        replaced = tap(number, Slots(flat, flat.shape[0]))
        return None if replaced is None else (replaced.view_as(x), *args[1:])

    return module.register_forward_pre_hook(hook).remove


TAPPED = "paraspec_tapped"
"""Our entry in transformers' table of functions that run experts."""
TAPS = "_paraspec_taps"
"""Attribute of an experts module that holds its (number, tap) pairs."""


def _tap_experts(module: nn.Module, number: int, tap: Tap) -> Callable[[], None]:
    """Let transformers dispatch these experts to our function.

    A hook on the module would see hidden states, not coefficients; and whichever of its
    own functions transformers would choose, ours runs while the tap is attached.
    """
    config: Any = module.config
    before = config._experts_implementation_internal
    taps: list[tuple[int, Tap]] = vars(module).setdefault(TAPS, [])
    taps.append((number, tap))
    config._experts_implementation_internal = TAPPED

    def detach() -> None:
        config._experts_implementation_internal = before
        taps.pop()
        if not taps:
            del vars(module)[TAPS]

    return detach


def _tapped_experts(
    module: nn.Module,
    hidden: Float[torch.Tensor, "token d_model"],
    top_k_index: Int[torch.Tensor, "token choice"],
    top_k_weights: Float[torch.Tensor, "token choice"],
) -> Float[torch.Tensor, "token d_model"]:
    """Run transformers' grouped function with the experts' gate tapped.

    Its lines are sorted by expert; the same sort of the same indices gives their order.
    """
    expert, order = torch.sort(top_k_index.reshape(-1))
    token = order // top_k_index.shape[-1]
    routes = Routes(token, expert, top_k_weights.reshape(-1)[order])
    gate: Any = module._apply_gate

    def tapped_gate(gate_up: torch.Tensor) -> torch.Tensor:
        c: torch.Tensor = gate(gate_up)
        for number, tap in vars(module).get(TAPS, ()):
            replaced = tap(number, Slots(c, hidden.shape[0], routes))
            c = c if replaced is None else replaced
        return c

    vars(module)["_apply_gate"] = tapped_gate
    try:
        out: torch.Tensor = grouped_mm_experts_forward(
            module, hidden, top_k_index, top_k_weights
        )
    finally:
        del vars(module)["_apply_gate"]
    return out


ALL_EXPERTS_FUNCTIONS.register(TAPPED, _tapped_experts)
