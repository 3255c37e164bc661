"""The correlation that random masks alone would give: a null for PSS."""

from collections.abc import Sequence

import numpy as np

from paraspec.stats.association import Association, correlation
from paraspec.stats.bootstrap import TAIL, FloatArray, weighted_pearson
from paraspec.stats.tails import Drawn

NO_DRAWS = "a model has no draws of the random mask at its primary ratio"


def random_mask_null(
    x: FloatArray,
    y: FloatArray,
    random: Sequence[FloatArray],
    draws: int,
    rng: np.random.Generator,
) -> Association:
    """Correlation of x and y against those of x and one random mask of each model.

    Parameters
    ----------
    x, y
        Accuracy and effect of the top mask of each model.
    random
        For each model, the effect of each draw of its random mask.
    draws
        Draws of the null.
    rng
        Chooses the masks.

    Returns
    -------
    Association
        The observed correlation; its ends are *not* an interval of it, but the middle
        95 % of the null.

    Notes
    -----
    PSS is an absolute value over general accuracy, so that it goes with accuracy even
    where masks hit nothing in particular. Each draw of the null takes one random mask
    of each model and correlates its effect with accuracy. The null need not be centred
    on 0, so that ``p`` is twice the share of draws beyond the observed correlation, on
    the side where fewer are; the sample is counted in.
    """
    observed = correlation([(x, y)], "pearson")
    if not np.isfinite(observed.value):
        return Association(reason=observed.reason)
    if not all(len(one) and np.isfinite(one).all() for one in random):
        return Association(observed.value, reason=NO_DRAWS)
    picked = np.column_stack([rng.choice(one, size=draws) for one in random])
    null = weighted_pearson(x[None], picked, np.ones_like(picked))
    null = null[np.isfinite(null)]
    if not null.size:
        return Association(observed.value, reason="random masks change no model")
    low, high = np.quantile(null, [TAIL, 1 - TAIL])
    tails = Drawn(null)
    p = min(1.0, 2 * min(tails.below(observed.value), tails.above(observed.value)))
    interval = "range of the null (one random mask per model), not of the estimate"
    return Association(observed.value, float(low), float(high), float(p), interval)
