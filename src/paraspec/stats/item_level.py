"""Item-level model of one mask: a GEE on counts, clustered by concept (decision 15)."""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from paraspec.stats.bootstrap import CONFIDENCE, UNDEFINED, Estimate, FloatArray
from paraspec.stats.items import AFTER, BEFORE, N

MIN_CONCEPTS = 10
"""Fewest clusters for a sandwich variance; with fewer it is far too small."""

NO_VARIANCE = 1e-10
"""Variance that is rounding: real ones exceed 1 / (number of items)^2."""


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
    ``right ~ masked + own + masked:own``, binomial counts per concept, set and state;
    minus the interaction. Independence working correlation and sandwich variance
    (Liang & Zeger 1986; statsmodels GEE). The log-odds have no ceiling, unlike the
    signed effect in accuracy.
    """
    used = totals[:, :, (totals[:, N] > 0).all(axis=0)]
    pooled = used.sum(axis=-1)
    share = pooled[:, [BEFORE, AFTER]] / np.maximum(pooled[:, [N]], 1)
    if used.shape[-1] < MIN_CONCEPTS or ((share <= 0) | (share >= 1)).any():
        return UNDEFINED
    frame = _counts(used)
    fit = sm.GEE(
        frame[["right", "wrong"]].to_numpy(),
        frame[["one", "masked", "own", "both"]].to_numpy(),
        groups=frame["concept"].to_numpy(),
        family=sm.families.Binomial(),
        cov_struct=sm.cov_struct.Independence(),
    ).fit()
    drop, variance = -float(fit.params[3]), float(fit.cov_robust[3, 3])
    if variance <= NO_VARIANCE:
        return Estimate(drop, np.nan, np.nan)
    low, high = stats.norm.interval(CONFIDENCE, drop, np.sqrt(variance))
    p = float(2 * stats.norm.sf(abs(drop) / np.sqrt(variance)))
    return Estimate(drop, float(low), float(high), p)


def _counts(used: FloatArray) -> pd.DataFrame:
    """Right and wrong answers, one row per concept, set and state."""
    frames = []
    for own, sums in ((1, used[0]), (0, used[1])):
        for masked, field in ((0, BEFORE), (1, AFTER)):
            part = pd.DataFrame({"right": sums[field], "wrong": sums[N] - sums[field]})
            part["concept"] = np.arange(len(part))
            flags = {"one": 1, "masked": masked, "own": own, "both": masked * own}
            frames.append(part.assign(**flags))
    return pd.concat(frames, ignore_index=True)
