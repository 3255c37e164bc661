"""Resampling whole concepts (and models), as weights instead of loops.

A statistic of this room is a function of sums over items. A bootstrap draw multiplies
each concept's sums by the number of times that the draw picked it, so all draws are one
matrix product. Row 0 of every weight matrix is the sample itself: the same expression
gives the estimate and its draws, and the two cannot drift apart.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from paraspec.stats.tails import Drawn, Tails

FloatArray = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""Of every interval."""
TAIL = (1 - CONFIDENCE) / 2
"""Probability beyond each end of an interval."""
MIN_UNITS = 3
"""Fewest clusters (concepts, models) from which an interval is given."""
MAX_UNDEFINED = 0.05
"""Largest share of undefined draws that an interval may rest on."""


@dataclass(frozen=True)
class Estimate:
    """A number with the ends of its 95 % interval and its two-sided p value."""

    value: float
    low: float
    high: float
    p: float = np.nan
    tails: Tails | None = field(default=None, compare=False, repr=False)
    """Distribution behind the interval; None without one."""

    def columns(self, name: str) -> dict[str, float]:
        """Three columns of a table: ``name``, ``name_low`` and ``name_high``."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


UNDEFINED = Estimate(np.nan, np.nan, np.nan)


def resamples(n: int, draws: int, rng: np.random.Generator) -> FloatArray:
    """Weights of ``n`` clusters: the sample itself, then ``draws`` resamples.

    Notes
    -----
    Drawing ``n`` clusters with replacement picks them multinomially (Efron 1979); the
    counts are the weights.

    >>> resamples(3, 2, np.random.default_rng(0)).sum(axis=1)
    array([3., 3., 3.])
    """
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    return np.vstack([np.ones((1, n)), drawn]).astype(np.float64)


def estimate(values: FloatArray, n: int) -> Estimate:
    """Estimate and 95 % percentile interval of ``values``: the sample, then draws.

    Parameters
    ----------
    values
        Statistic under each row of :func:`resamples`.
    n
        Clusters that were resampled.

    Notes
    -----
    Percentile interval (Efron 1979; NumPy's linear quantiles). Without
    :data:`MIN_UNITS` clusters, or with more than :data:`MAX_UNDEFINED` of the draws
    undefined, the ends are NaN. ``p`` is twice the smaller tail beyond zero, with the
    sample counted in (Davison & Hinkley 1997, eq. 4.11).

    >>> estimate(np.array([2.0, 1.0, 2.0, 3.0]), n=5)
    Estimate(value=2.0, low=1.05, high=2.95, p=0.5)
    """
    point, drawn = float(values[0]), values[1:]
    defined = drawn[np.isfinite(drawn)]
    enough = defined.size > 0 and defined.size >= (1 - MAX_UNDEFINED) * drawn.size
    if not np.isfinite(point) or n < MIN_UNITS or not enough:
        return Estimate(point, np.nan, np.nan)
    low, high = np.quantile(defined, [TAIL, 1 - TAIL])
    tails = Drawn(defined)
    p = min(1.0, 2 * min(tails.below(0), tails.above(0)))
    return Estimate(point, float(low), float(high), p, tails)


def weighted_mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Mean over the last axis with weights, undefined values left out.

    >>> weighted_mean(np.array([[1.0, 3.0, np.nan]]), np.array([[1.0, 1.0, 1.0]]))
    array([2.])
    """
    used = np.where(np.isfinite(values), weights, 0.0)
    total = used.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((used * np.nan_to_num(values)).sum(axis=-1) / total)


def weighted_pearson(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Pearson correlation over the last axis with weights; NaN without variance.

    >>> rows = np.array([[1.0, 2.0, 3.0]])
    >>> float(weighted_pearson(rows, 2 * rows, np.ones((1, 3)))[0])
    1.0
    """
    dx = x - weighted_mean(x, weights)[..., None]
    dy = y - weighted_mean(y, weights)[..., None]
    covariance = (weights * dx * dy).sum(axis=-1)
    spread = (weights * dx**2).sum(axis=-1) * (weights * dy**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = covariance / np.sqrt(spread)
    return np.asarray(np.where(spread > 1e-24, r, np.nan))
