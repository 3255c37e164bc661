"""Orders of value vectors, and the masks that are their prefixes.

A *selector* gives every value vector of a layer one number; the mask of ratio r is the
top ``floor(r * n + 0.5)`` of each layer, ties by index. Masks of one selector are
nested: a ranking is computed once, every ratio is a prefix of it.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int

from paraspec.core.definitions import vectors_at
from paraspec.core.seeds import seed_for

Place = Int[torch.Tensor, " neuron"]
"""Place of every value vector in a ranking; 0 is the first to be masked."""


def places(
    values: Float[torch.Tensor, "*ranking neuron"],
) -> Int[torch.Tensor, "*ranking neuron"]:
    """Place of every value vector when ordered by falling value, ties by index.

    Several rankings at once where there are leading dimensions.

    >>> places(torch.tensor([0.5, 2.0, 2.0, -1.0])).tolist()
    [2, 0, 1, 3]
    """
    order = torch.argsort(values, descending=True, stable=True)
    place = torch.empty_like(order, dtype=torch.int32)
    index = torch.arange(order.shape[-1], dtype=torch.int32, device=order.device)
    return place.scatter_(-1, order, index.expand_as(place))


def random_places(n: int, *names: object) -> Place:
    """Places in a permutation seeded by names, e.g. model, concept, layer, draw."""
    rng = torch.Generator().manual_seed(seed_for("random", *names))
    return torch.randperm(n, generator=rng, dtype=torch.int32)


def shared_out_like(
    place: Place, like: Place, expert: Int[torch.Tensor, " neuron"]
) -> Place:
    """Reorder a ranking so that each expert comes up where it does in another one.

    Every prefix then holds as many value vectors of each expert as the other ranking's
    prefix of that length, hence the same routing-weighted share of active vectors. The
    order within an expert stays.

    >>> expert = torch.tensor([0, 0, 1, 1])
    >>> place, like = torch.tensor([3, 2, 1, 0]), torch.tensor([0, 2, 1, 3])
    >>> shared_out_like(place, like, expert).tolist()  # experts 0, 1, 0, 1
    [2, 0, 3, 1]
    """
    turns = torch.argsort(expert[torch.argsort(like)], stable=True)
    order = torch.argsort(place)
    by_expert = order[torch.argsort(expert[order], stable=True)]
    shared = torch.empty_like(place)
    shared[by_expert] = turns.to(place.dtype)
    return shared


def difference(
    related: Float[torch.Tensor, "*ranking neuron"],
    unrelated: Float[torch.Tensor, "*ranking neuron"],
) -> Float[torch.Tensor, "*ranking neuron"]:
    """Mean |coefficient| on related minus unrelated questions (paper, section 3)."""
    return related.float() - unrelated.float()


N_BINS = 10
"""Bins of equally many value vectors that a matched mask is drawn within."""


def matched_bins(
    size: Float[torch.Tensor, " neuron"], expert: Int[torch.Tensor, " neuron"]
) -> Int[torch.Tensor, " neuron"]:
    """Bin of every value vector by its mean |coefficient|; experts' bins apart.

    >>> matched_bins(torch.tensor([3.0, 1.0, 2.0]), torch.tensor([0, 0, 1])).tolist()
    [0, 6, 13]
    """
    bins = places(size) * N_BINS // len(size)
    return expert * N_BINS + bins


def welch(
    mean: Float[torch.Tensor, "ranking neuron"],
    square: Float[torch.Tensor, "ranking neuron"],
    n: Float[torch.Tensor, "ranking 1"],
    other_mean: Float[torch.Tensor, "ranking neuron"],
    other_square: Float[torch.Tensor, "ranking neuron"],
    other_n: Float[torch.Tensor, "ranking 1"],
) -> Float[torch.Tensor, "ranking neuron"]:
    """Welch's t of related against unrelated questions, from means and mean squares.

    ``(m - m') / sqrt(s^2 / n + s'^2 / n')`` with unbiased variances (Welch 1947); 0
    where nothing varies.
    """

    def variance_of_mean(
        mean: torch.Tensor, square: torch.Tensor, n: torch.Tensor
    ) -> torch.Tensor:
        return (square - mean**2).clamp(min=0) / (n - 1).clamp(min=1)

    spread = variance_of_mean(mean, square, n)
    spread = spread + variance_of_mean(other_mean, other_square, other_n)
    found: torch.Tensor = (mean - other_mean) / spread.sqrt().clamp(min=1e-12)
    return torch.where(spread > 0, found, 0.0)


def kept(
    ranking: Int[torch.Tensor, "row neuron"], k: Int[torch.Tensor, " row"]
) -> Bool[torch.Tensor, "row neuron"]:
    """Which value vectors survive masking of each row's top k."""
    return ranking >= k[:, None]


def counts(ratio: float, sizes: Sequence[int]) -> tuple[int, ...]:
    """Value vectors masked in each layer at a ratio."""
    return tuple(vectors_at(ratio, n) for n in sizes)
