"""Item-level models of a mask, clustered by concept: specificity in log-odds.

``right ~ masked + own + masked:own`` with binomial counts, an independence working
correlation and a sandwich variance over concepts (GEE, Liang & Zeger 1986). Minus the
interaction is the drop in the log-odds of a right answer to a concept's own items
beyond that to general ones. Log-odds have no ceiling, unlike the signed effect in
accuracy.
"""

from collections.abc import Sequence

import numpy as np
import statsmodels.api as sm
from scipy import stats

from paraspec.stats.bootstrap import CONFIDENCE, UNDEFINED, Estimate, FloatArray
from paraspec.stats.items import AFTER, BEFORE, N
from paraspec.stats.tails import Student

MIN_CONCEPTS = 10
"""Fewest clusters for a sandwich variance; with fewer it is far too small."""

NO_VARIANCE = 1e-10
"""Variance that is rounding: real ones exceed 1 / (number of items)^2."""

SIGNS = np.array([[1.0, -1.0], [-1.0, 1.0]])
"""Of own before, own after, general before and general after in the drop."""


def specificity_log_odds(totals: FloatArray) -> Estimate:
    """Drop in the log-odds of a right answer, concept items beyond general ones.

    Parameters
    ----------
    totals
        Axes: set (concept, general), field, concept.

    Returns
    -------
    Estimate
        NaN where a set is answered all right or all wrong (no finite log-odds), or
        with fewer than :data:`MIN_CONCEPTS` concepts; without an interval where the
        mask changes nothing.

    Notes
    -----
    One model's GEE is saturated: its fitted shares are the pooled shares ``p`` of the
    four cells of set and state, and each concept moves a cell's log-odds by
    ``sum(right - n p) / (N p (1 - p))``. The variance is the sum over concepts of the
    squared moves of the interaction. Written out, because it is needed for every mask
    of every model.
    """
    used = totals[:, :, (totals[:, N] > 0).all(axis=0)]
    if used.shape[-1] < MIN_CONCEPTS or not _inside(used):
        return UNDEFINED
    right, n = used[:, [BEFORE, AFTER]], used[:, [N]]
    share = right.sum(axis=-1) / n.sum(axis=-1)
    drop = float((SIGNS * _logits(used)).sum())
    weight = SIGNS / (n.sum(axis=-1) * share * (1 - share))
    moves = ((right - n * share[..., None]) * weight[..., None]).sum(axis=(0, 1))
    return _normal(drop, float(moves @ moves))


def pooled_log_odds(models: Sequence[FloatArray]) -> tuple[Estimate, int]:
    """The same drop over several models, and how many of them could be used.

    Parameters
    ----------
    models
        Each model's totals, with one concept axis for all.

    Notes
    -----
    ``right ~ model * (masked + own) + masked:own``: each model has its own knowledge,
    damage and difference between sets, and all share one interaction. Clusters are
    concepts across all models, as an item that is hard for one is hard for others.
    Models in which a set is answered all right or all wrong have no finite log-odds and
    are left out.
    """
    usable = [totals for totals in models if totals[:, N].any() and _inside(totals)]
    if not usable:
        return UNDEFINED, 0
    counts = np.vstack([_counts(totals, i) for i, totals in enumerate(usable)])
    right, n, concept, model, masked, own = counts.T
    if len(np.unique(concept)) < MIN_CONCEPTS:
        return UNDEFINED, len(usable)
    each = np.eye(len(usable))[model.astype(np.int64)]
    masked, own = masked[:, None], own[:, None]
    # Shares weighted by counts: two columns of counts would all weigh the same here.
    fit = sm.GEE(
        right / n,
        np.hstack([masked * own, each, each * masked, each * own]),
        groups=concept,
        weights=n,
        family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Independence(),
    ).fit(start_params=_start(usable))
    return _normal(-float(fit.params[0]), float(fit.cov_robust[0, 0])), len(usable)


def _start(models: Sequence[FloatArray]) -> FloatArray:
    """Parameters to start from: those of each model's own fit, and their mean drop."""
    logits = np.array([_logits(totals) for totals in models])  # model, set, state
    own, general = logits[:, 0], logits[:, 1]
    masked = general[:, 1] - general[:, 0]
    drop = (SIGNS * logits).sum(axis=(1, 2))
    parts = [[-drop.mean()], general[:, 0], masked, own[:, 0] - general[:, 0]]
    return np.concatenate(parts)


def _logits(totals: FloatArray) -> FloatArray:
    """Pooled log-odds; axes: set, state."""
    right, n = totals[:, [BEFORE, AFTER]].sum(axis=-1), totals[:, [N]].sum(axis=-1)
    return np.asarray(np.log(right / (n - right)))


def _inside(totals: FloatArray) -> bool:
    """Whether every set is answered neither all right nor all wrong, in each state."""
    pooled = totals.sum(axis=-1)
    share = pooled[:, [BEFORE, AFTER]] / np.maximum(pooled[:, [N]], 1)
    return bool(((share > 0) & (share < 1)).all())


def _normal(drop: float, variance: float) -> Estimate:
    if variance <= NO_VARIANCE:
        return Estimate(drop, np.nan, np.nan)
    error = float(np.sqrt(variance))
    low, high = stats.norm.interval(CONFIDENCE, drop, error)
    p = float(2 * stats.norm.sf(abs(drop) / error))
    return Estimate(drop, float(low), float(high), p, Student(drop, error))


def _counts(totals: FloatArray, model: int) -> FloatArray:
    """Right, all, concept, model, masked, own: a row per concept, set and state."""
    there = np.flatnonzero((totals[:, N] > 0).all(axis=0))
    rows = []
    for own, sums in ((1, totals[0]), (0, totals[1])):
        for masked, field in ((0, BEFORE), (1, AFTER)):
            right, n = sums[field][there], sums[N][there]
            same = [np.full(len(there), value) for value in (model, masked, own)]
            rows.append(np.column_stack([right, n, there, *same]))
    return np.vstack(rows)
