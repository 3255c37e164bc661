"""Permutation of models within their families: the exact null of a family slope."""

from collections.abc import Sequence
from itertools import permutations
from math import factorial, prod

import numpy as np

from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.items import IntArray

Groups = list[IntArray]
"""Models of each family, as positions."""

EXACT_LIMIT = 200_000
"""Most permutations that are enumerated (1.6 MB per array); beyond, they are drawn."""


def permutation_p(
    directions: Sequence[tuple[FloatArray, FloatArray]],
    families: Sequence[str],
    rng: np.random.Generator,
    draws: int = 20_000,
) -> tuple[float, str]:
    """Two-sided p value of a within-family slope, and how it was computed.

    Parameters
    ----------
    directions
        (x, y) pairs; the same permutation acts on every pair's y.
    families
        Family of each model.
    rng
        Used only where enumeration is too large.
    draws
        Permutations drawn then.

    Notes
    -----
    Under the null the models of one family are exchangeable. The statistic is the mean
    over directions of ``sum(dx * y) / sum(dx^2)``, with dx the deviation from the
    family mean: the least-squares slope with one intercept per family. Families are
    permuted independently, so the null distribution of the sum is the convolution of
    the families' distributions.

    >>> x = np.array([1.0, 2.0, 3.0])
    >>> permutation_p([(x, x)], ["a"] * 3, np.random.default_rng(0))
    (0.3333333333333333, 'exact, 6 permutations')
    """
    names = sorted(set(families))
    groups = [np.flatnonzero(np.asarray(families) == name) for name in names]
    groups = [group for group in groups if len(group) > 1]
    slopes = _influence(directions, groups)
    if not groups or slopes is None:
        return np.nan, ""
    count = prod(factorial(len(group)) for group in groups)
    if count <= EXACT_LIMIT:
        null = _enumerated(slopes, directions, groups)
        extra, how = 0, f"exact, {count} permutations"
    else:
        null = _drawn(slopes, directions, groups, rng, draws)
        extra, how = 1, f"{draws} of {count} permutations"
    parts = [s @ y for s, (_, y) in zip(slopes, directions, strict=True)]
    observed = abs(float(np.sum(parts)))
    extreme = np.count_nonzero(np.abs(null) >= observed - 1e-12) + extra
    return float(extreme / (null.size + extra)), how


def _influence(
    directions: Sequence[tuple[FloatArray, FloatArray]], groups: Groups
) -> list[FloatArray] | None:
    """Weight of each model's y in the slope, for each direction."""
    found = []
    for x, _ in directions:
        deviation: FloatArray = np.zeros(len(x))
        for group in groups:
            deviation[group] = x[group] - x[group].mean()
        square = float(deviation @ deviation)
        if square < 1e-18:
            return None
        found.append(deviation / square / len(directions))
    return found


def _enumerated(
    slopes: list[FloatArray],
    directions: Sequence[tuple[FloatArray, FloatArray]],
    groups: Groups,
) -> FloatArray:
    null = np.zeros(1)
    for group in groups:
        orders = np.array(list(permutations(range(len(group)))))
        part = _parts(slopes, directions, group, orders)
        null = np.add.outer(null, part).ravel()
    return null


def _drawn(
    slopes: list[FloatArray],
    directions: Sequence[tuple[FloatArray, FloatArray]],
    groups: Groups,
    rng: np.random.Generator,
    draws: int,
) -> FloatArray:
    null = np.zeros(draws)
    for group in groups:
        orders = rng.permuted(np.tile(np.arange(len(group)), (draws, 1)), axis=1)
        null += _parts(slopes, directions, group, orders)
    return null


def _parts(
    slopes: list[FloatArray],
    directions: Sequence[tuple[FloatArray, FloatArray]],
    group: IntArray,
    orders: IntArray,
) -> FloatArray:
    """One family's share of the slope under each order of its models."""
    shares = [
        y[group][orders] @ slope[group]
        for slope, (_, y) in zip(slopes, directions, strict=True)
    ]
    return np.asarray(np.sum(shares, axis=0))
