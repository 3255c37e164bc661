"""Association of two numbers per model, with intervals; undefined is NaN and a reason.

Arrays in, one :class:`Association` out; nothing here knows about models or masks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import statsmodels.api as sm
from scipy import stats

from paraspec.stats.bootstrap import (
    TAIL,
    FloatArray,
    estimate,
    resamples,
    weighted_pearson,
)
from paraspec.stats.tails import Student, Tails

Method = Literal["pearson", "spearman"]
Directions = Sequence[tuple[FloatArray, FloatArray]]
"""(x, y) pairs whose statistics are averaged: one, or two where x and y come from
disjoint halves of the questions (A against B, and B against A)."""

TOO_FEW = "fewer than 3 models"
NO_VARIANCE = "no variance"
NO_RESIDUAL = "no variance left beside what is held constant"
NO_FAMILY = "no family with two models that differ"
FEW_FAMILIES = "fewer than 3 families"
FLAT = 1e-9
"""Spread below which a column counts as constant (accuracies have steps > 1e-4)."""


@dataclass(frozen=True)
class Association:
    """A statistic over models."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    interval: str = ""
    reason: str = ""
    tails: Tails | None = field(default=None, compare=False, repr=False)
    """Distribution behind the interval; None without one."""


def correlation(directions: Directions, method: Method) -> Association:
    """Pearson or Spearman correlation with a Fisher interval.

    Notes
    -----
    ``tanh(z +- 1.96 * s)`` with ``z`` the mean of the directions' ``atanh(r)`` and
    ``s = 1 / sqrt(n - 3)`` (Fisher 1921), for Spearman times ``sqrt(1 + r^2 / 2)``
    (Bonett & Wright 2000). The mean of two directions keeps the standard error of one,
    which is conservative. ``p`` from Student's t with ``n - 2`` degrees of freedom.

    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> round(correlation([(x, np.array([1.0, 3.0, 2.0, 4.0]))], "spearman").value, 6)
    0.8
    """
    fault = _fault(directions)
    if fault:
        return Association(reason=fault)
    function = stats.pearsonr if method == "pearson" else stats.spearmanr
    rs = [float(function(x, y).statistic) for x, y in directions]
    spread = 1 + np.mean(rs) ** 2 / 2 if method == "spearman" else 1.0
    return _fisher(rs, len(directions[0][0]), float(spread))


def partial(directions: Directions, controls: FloatArray) -> Association:
    """Pearson correlation of what ``controls`` leave of x and of y.

    Parameters
    ----------
    directions
        (x, y) pairs.
    controls
        Held constant: axes model, and control where there are several.

    Notes
    -----
    Residuals of least squares on the controls; Fisher interval with one observation
    less for each of them (Fisher 1924).
    """
    held = controls if controls.ndim > 1 else controls[:, None]
    fault = _fault(directions) or _fault([(column, column) for column in held.T])
    if fault:
        return Association(reason=fault)
    rests = [(_residual(x, held), _residual(y, held)) for x, y in directions]
    if any(np.ptp(column) <= FLAT for pair in rests for column in pair):
        return Association(reason=NO_RESIDUAL)
    rs = [float(stats.pearsonr(x, y).statistic) for x, y in rests]
    return _fisher(rs, len(held), 1.0, controls=held.shape[1])


def _fisher(rs: list[float], n: int, spread: float, controls: int = 0) -> Association:
    limit = 1 - 1e-12
    z = float(np.mean(np.arctanh(np.clip(rs, -limit, limit))))
    r = float(np.tanh(z)) if len(rs) > 1 else rs[0]
    freedom = n - 2 - controls
    if freedom < 1:
        return Association(r, reason="too few models for a p value")
    t = r * np.sqrt(freedom / max(1 - r**2, 1e-24))
    p = float(2 * stats.t.sf(abs(t), freedom))
    if n - 3 - controls < 1:
        return Association(r, p=p, reason="fewer models than an interval needs")
    error = float(np.sqrt(spread / (n - 3 - controls)))
    half_width = stats.norm.isf(TAIL) * error
    low, high = np.tanh([z - half_width, z + half_width])
    tails = Student(z, error, transform="fisher")
    return Association(r, float(low), float(high), p, "Fisher z", tails=tails)


def leave_one_out(directions: Directions, families: Sequence[str]) -> Association:
    """Pearson correlation, and its range when each family in turn is left out."""
    full = correlation(directions, "pearson")
    names = sorted(set(families))
    if full.reason == TOO_FEW or np.isnan(full.value) or len(names) < 2:
        return Association(full.value, reason=full.reason or "fewer than 2 families")
    keep = [np.array([f != name for f in families]) for name in names]
    rs = [
        correlation([(x[k], y[k]) for x, y in directions], "pearson").value
        for k in keep
    ]
    if not np.isfinite(rs).any():
        return Association(full.value, reason="undefined without some family")
    low, high = float(np.nanmin(rs)), float(np.nanmax(rs))
    return Association(full.value, low, high, interval="range over left-out families")


def family_bootstrap(
    directions: Directions,
    families: Sequence[str],
    draws: int,
    rng: np.random.Generator,
) -> Association:
    """Pearson correlation with whole families resampled."""
    fault = _fault(directions)
    names, codes = np.unique(families, return_inverse=True)
    if fault or len(names) < 3:
        return Association(reason=fault or FEW_FAMILIES)
    weights = resamples(len(names), draws, rng)[:, codes]
    return _weighted(directions, weights, len(names), "family bootstrap, percentile")


def two_way_bootstrap(directions: Directions, rng: np.random.Generator) -> Association:
    """Pearson correlation with models and concepts resampled at once.

    Parameters
    ----------
    directions
        Each x and y with axes draw (of concepts, the sample first), model.
    rng
        Draws the models.

    Notes
    -----
    Pigeonhole bootstrap (Owen 2007): it contains the noise of each model's
    measurement, which the Fisher interval does not see as such.
    """
    fault = _fault([(x[0], y[0]) for x, y in directions])
    if fault:
        return Association(reason=fault)
    draws, n = directions[0][0].shape
    weights = resamples(n, draws - 1, rng)
    return _weighted(directions, weights, n, "models x concepts bootstrap, percentile")


def _weighted(
    directions: Directions, weights: FloatArray, n: int, interval: str
) -> Association:
    limit = 1 - 1e-12
    rs = np.array([weighted_pearson(x, y, weights) for x, y in directions])
    r = np.tanh(np.arctanh(np.clip(rs, -limit, limit)).mean(axis=0))
    found = estimate(r, n)
    reason = "" if np.isfinite(found.low) else "too many undefined draws"
    return Association(
        found.value, found.low, found.high, found.p, interval, reason, found.tails
    )


def family_slope(x: FloatArray, y: FloatArray, families: Sequence[str]) -> Association:
    """Common slope of y on x within families.

    Notes
    -----
    Least squares with one intercept per family (statsmodels OLS), Student interval
    with ``n - families - 1`` degrees of freedom. Families of one model tell nothing
    about it and are left out.
    """
    keep = _in_families(families)
    codes = np.unique(np.asarray(families)[keep], return_inverse=True)[1]
    if not keep.any() or _within(x[keep], codes) @ _within(x[keep], codes) <= FLAT**2:
        return Association(reason=NO_FAMILY)
    dummies = np.eye(codes.max() + 1)[codes]
    if keep.sum() - dummies.shape[1] - 1 < 1:
        dx = _within(x[keep], codes)
        slope = float(dx @ y[keep] / (dx @ dx))
        return Association(slope, reason="no degrees of freedom for an interval")
    fit = sm.OLS(y[keep], np.column_stack([x[keep], dummies])).fit()
    slope, (low, high) = float(fit.params[0]), fit.conf_int()[0]
    tails = Student(slope, float(fit.bse[0]), float(fit.df_resid))
    return Association(slope, float(low), float(high), interval="OLS t", tails=tails)


def _fault(directions: Directions) -> str:
    columns = [column for pair in directions for column in pair]
    if len(columns[0]) < 3:
        return TOO_FEW
    if any(not np.isfinite(column).all() for column in columns):
        return "undefined for a model"
    return NO_VARIANCE if any(np.ptp(column) <= FLAT for column in columns) else ""


def _residual(values: FloatArray, control: FloatArray) -> FloatArray:
    return np.asarray(sm.OLS(values, sm.add_constant(control)).fit().resid)


def _in_families(families: Sequence[str]) -> np.ndarray:
    return np.array([list(families).count(name) > 1 for name in families], dtype=bool)


def _within(values: FloatArray, codes: np.ndarray) -> FloatArray:
    """Deviations from the family mean."""
    means = np.bincount(codes, values) / np.bincount(codes)
    return np.asarray(values - means[codes])
