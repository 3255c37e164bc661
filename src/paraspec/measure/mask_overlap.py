"""How far masks agree: Jaccard indices, and what chance would give.

Two masks are compared over the value vectors of all layers, ``|A and B| / |A or B|``,
from 0 to 1. Intersections are products of 0/1 matrices, a layer at a time.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.stats import hypergeom

from paraspec.core.definitions import vectors_at
from paraspec.measure.ranked import RankingKey, Rankings

AT_ONCE = 64
"""Rankings that are held together."""

Masked = list[Bool[torch.Tensor, "key neuron"]]
"""Value vectors that some keys' masks hold, one tensor per layer."""
PerKey = Float[np.ndarray, " key"]
Counts = Int[np.ndarray, " key"]


def masked_vectors(
    rankings: Rankings, keys: Sequence[RankingKey], ratio: float
) -> Masked:
    """Value vectors that the keys' masks hold at a ratio."""
    blocks = []
    for start in range(0, len(keys), AT_ONCE):
        block = keys[start : start + AT_ONCE]
        k = torch.tensor([rankings.counts(key, ratio) for key in block])
        places = enumerate(rankings.stacked(block))
        blocks.append([place.cpu() < k[:, i, None] for i, place in places])
    return [torch.cat(layers) for layers in zip(*blocks, strict=True)]


def sizes(masks: Masked) -> Counts:
    """Value vectors of each key's mask, over all layers."""
    return np.asarray(np.sum([layer.sum(1).numpy() for layer in masks], axis=0))


def paired(one: Masked, other: Masked) -> PerKey:
    """Jaccard index of every key's two masks; NaN where both are empty."""
    layers = zip(one, other, strict=True)
    shared = np.sum([(a & b).sum(1).numpy() for a, b in layers], axis=0)
    return _jaccard(sizes(one), sizes(other), shared)


def crossed(masks: Masked) -> Float[np.ndarray, "key key"]:
    """Jaccard index of every two keys' masks; NaN where both are empty."""
    products = [(layer.float() @ layer.float().T).numpy() for layer in masks]
    n = sizes(masks)
    return _jaccard(n[:, None], n[None, :], np.sum(products, axis=0))


def _jaccard(n: np.ndarray, other: np.ndarray, shared: np.ndarray) -> np.ndarray:
    union = n + other - shared
    found: np.ndarray = np.full(union.shape, np.nan)
    np.divide(shared, union, out=found, where=union > 0)
    return found


def chance(rankings: Rankings, one: str, other: str, ratio: float) -> float:
    """Jaccard index that two selectors' masks are expected to have if they are random.

    The selector ``global`` chooses among the value vectors of all layers together: a
    mask that is random over all of them meets any other one of its size in a
    hypergeometric number, wherever that one lies.
    """
    n = rankings.sizes
    k = tuple(vectors_at(ratio, layer) for layer in n)
    if "global" in (one, other):
        return expected_jaccard((sum(n),), (sum(k),))
    return expected_jaccard(n, k)


@cache
def expected_jaccard(n: tuple[int, ...], k: tuple[int, ...]) -> float:
    """Mean Jaccard index of two masks, each of ``k`` out of ``n`` vectors per layer.

    The intersection is hypergeometric in each layer, and layers are independent: the
    distribution of their sum is the convolution. NaN where masks are empty.

    >>> expected_jaccard((2,), (1,))  # the same one, or not
    0.5
    >>> round(expected_jaccard((2, 2), (1, 1)), 4)  # 1/4 * 0 + 1/2 * 1/3 + 1/4 * 1
    0.4167
    """
    law = np.ones(1)
    for layer, drawn in zip(n, k, strict=True):
        alone = hypergeom(layer, drawn, drawn).pmf(np.arange(drawn + 1))
        law = np.convolve(law, alone)
    shared, total = np.arange(len(law)), sum(k)
    if total == 0:
        return float("nan")
    return float((law * shared / (2 * total - shared)).sum())
