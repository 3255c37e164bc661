"""The definitions: PSS and its relatives, from summed items.

The same function serves one sample and thousands of bootstrap draws.
"""

from dataclasses import dataclass, fields

import numpy as np

from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.items import (
    AFTER,
    BEFORE,
    CHANCE,
    FLOOR,
    KEPT,
    MARGIN_AFTER,
    MARGIN_BEFORE,
    N,
)

NO_GENERAL = "general accuracy before masking is 0"
NO_GENERAL_CHANCE = "chance-corrected general accuracy before masking is not positive"
NO_ROWS = "no items of both sets under this mask and ratio"


@dataclass(frozen=True)
class Effects:
    """What a mask does, for each column of the totals."""

    concept_before: FloatArray
    general_before: FloatArray
    concept_after: FloatArray
    general_after: FloatArray
    pss: FloatArray
    pss_overall: FloatArray
    pss_chance: FloatArray
    signed: FloatArray
    signed_chance: FloatArray
    signed_floor: FloatArray
    signed_margin: FloatArray
    signed_known: FloatArray
    general_change: FloatArray

    def map(self, name: str) -> FloatArray:
        """The quantity of that name."""
        return np.asarray(getattr(self, name))


QUANTITIES = tuple(field.name for field in fields(Effects))


def effects(totals: FloatArray, overall: float = np.nan) -> Effects:
    """PSS and signed difference-in-differences of totals.

    Parameters
    ----------
    totals
        Axes: set (concept, general), field, and any others (draws).
    overall
        Unmasked accuracy over all distinct items.

    Notes
    -----
    With accuracies ``S`` (concept) and ``G`` (general) before (0) and after (1)::

        pss    = |G1 - S1| / G0                       (paper, section 3)
        signed = (S0 - S1) - (G0 - G1)

    Means are over all concepts' items first (pooled), then subtracted. A corrected
    accuracy is ``(a - b) / (1 - b)`` with ``b`` the set's mean chance or floor.
    ``signed_margin`` is the same difference in mean margins (nats), ``signed_known`` in
    accuracies on the items that are right without a mask. Undefined is NaN.

    >>> own = [10, 8, 3, 2.5, 3, 20, 5, 3]  # n, right before, right after, ...
    >>> general = [20, 16, 14, 5, 6, 40, 36, 12]
    >>> found = effects(np.array([own, general]), overall=0.8)
    >>> round(float(found.pss), 6), round(float(found.signed), 6)
    (0.5, 0.4)
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        own, general = totals[:, 1:] / totals[:, :1]
        mean = {i + 1: (own[i], general[i]) for i in range(len(own))}
        s0, g0 = mean[BEFORE]
        s1, g1 = mean[AFTER]
        chance = [_corrected(a, mean[CHANCE]) for a in (mean[BEFORE], mean[AFTER])]
        floor = [_corrected(a, mean[FLOOR]) for a in (mean[BEFORE], mean[AFTER])]
        return Effects(
            concept_before=s0,
            general_before=g0,
            concept_after=s1,
            general_after=g1,
            pss=_relative_gap(g1, s1, g0),
            pss_overall=_relative_gap(g1, s1, np.asarray(overall)),
            pss_chance=_relative_gap(chance[1][1], chance[1][0], chance[0][1]),
            signed=_signed(mean[BEFORE], mean[AFTER]),
            signed_chance=_signed(*chance),
            signed_floor=_signed(*floor),
            signed_margin=_signed(mean[MARGIN_BEFORE], mean[MARGIN_AFTER]),
            signed_known=mean[KEPT][1] / g0 - mean[KEPT][0] / s0,
            general_change=g1 - g0,
        )


Pair = tuple[FloatArray, FloatArray]


def _corrected(accuracy: Pair, base: Pair) -> Pair:
    own, general = accuracy
    return (own - base[0]) / (1 - base[0]), (general - base[1]) / (1 - base[1])


def _relative_gap(after: FloatArray, own: FloatArray, before: FloatArray) -> FloatArray:
    return np.asarray(np.abs(after - own) / np.where(before > 0, before, np.nan))


def _signed(before: Pair, after: Pair) -> FloatArray:
    return (before[0] - after[0]) - (before[1] - after[1])


def accuracy(own: FloatArray) -> FloatArray:
    """Unmasked accuracy of sums with axes field, and any others; NaN without items.

    >>> float(accuracy(np.array([4.0, 3.0])))
    0.75
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(own[BEFORE] / own[N])


def reason(found: Effects) -> str:
    """Why a quantity of the sample (index 0, if there are draws) is NaN."""
    before = float(np.ravel(found.general_before)[0])
    chance = float(np.ravel(found.pss_chance)[0])
    if np.isnan(before):
        return NO_ROWS
    if before == 0:
        return NO_GENERAL
    return NO_GENERAL_CHANCE if np.isnan(chance) else ""
