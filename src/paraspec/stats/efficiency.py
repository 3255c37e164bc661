"""How few value vectors carry a concept: knock-out and keep-only curves."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from paraspec.core.definitions import KNOWN_ACCURACY, PAPER_SELECTOR
from paraspec.core.tables.per_model import EFFICIENCY
from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.effects import accuracy
from paraspec.stats.items import MARGIN_AFTER, Measured, N

MASKS = ("top", "random")

VALUES = ("k50", "knockout_auc", "keep50", "keep_auc")

NOT_POSITIVE = "unmasked margin is not positive"
NO_MASK = "no masked answers"
NO_KEEP = "no keep-only answers"


@dataclass(frozen=True)
class Halving:
    """Where a curve reaches half of a reference."""

    at: float
    censored: bool


def k50(ratios: FloatArray, margins: FloatArray) -> Halving:
    """Mask ratio at which the margin has halved.

    Parameters
    ----------
    ratios
        Ascending, from 0 (unmasked).
    margins
        Mean margin at each ratio, nats; the first is positive.

    Notes
    -----
    First crossing of half the unmasked margin by the isotonic (non-increasing) least
    squares fit, linear in the ratio between grid points. Never crossed:
    censored at the last ratio, a lower bound.

    >>> k50(np.array([0.0, 0.1, 0.3]), np.array([4.0, 3.0, 1.0]))
    Halving(at=0.2, censored=False)
    >>> k50(np.array([0.0, 0.1, 0.3]), np.array([4.0, 3.0, 3.5]))
    Halving(at=0.3, censored=True)
    """
    fitted = isotonic_regression(margins, increasing=False).x
    return _first_crossing(ratios, fitted, margins[0] / 2)


def keep50(shares: FloatArray, margins: FloatArray) -> Halving:
    """Share of kept vectors at which half of the margin is back.

    Parameters
    ----------
    shares
        Ascending, up to 1 (nothing masked).
    margins
        Mean margin at each share, nats; the last is positive.

    Notes
    -----
    The mirror image of :func:`k50`: the last share, going down from 1, at which the
    isotonic (non-decreasing) fit is still above half. Above half at the smallest share:
    censored there, an upper bound.

    >>> keep50(np.array([0.25, 0.5, 1.0]), np.array([0.0, 1.0, 3.0]))
    Halving(at=0.625, censored=False)
    """
    fitted = isotonic_regression(margins, increasing=True).x
    found = _first_crossing(-shares[::-1], fitted[::-1], margins[-1] / 2)
    return Halving(-found.at, found.censored)


def relative_area(x: FloatArray, margins: FloatArray, reference: float) -> float:
    """Mean of ``margins / reference`` over the range of ``x`` (trapezoid rule).

    1 where nothing changes, whatever range the grid has.

    >>> relative_area(np.array([0.0, 0.5]), np.array([4.0, 2.0]), 4.0)
    0.75
    """
    return float(np.trapezoid(margins / reference, x) / (x[-1] - x[0]))


def efficiency_table(masked: Measured, kept: Measured | None) -> pd.DataFrame:
    """Efficiency of knowledge use, one row per concept and mask.

    Parameters
    ----------
    masked
        Sums under zero ablation.
    kept
        Sums under keep-only ablation of the same model; None if not measured.

    Returns
    -------
    DataFrame
        Table ``efficiency``.

    Notes
    -----
    Areas are means over the ratios that both masks share, so that the top mask's and
    the random mask's can be compared.
    """
    rows = []
    for selector in _selectors(masked):
        for mask in MASKS:
            knock_out = _curve(masked, mask, selector)
            keep = None if kept is None else _curve(kept, mask, selector, rising=True)
            rows += _concept_rows(masked, (selector, mask), knock_out, keep)
    return pd.DataFrame(rows, columns=EFFICIENCY.names)


@dataclass(frozen=True)
class _Curve:
    """Mean margins with axes ratio, concept, and what both masks have in common."""

    ratios: FloatArray
    margins: FloatArray
    shared: int
    """Number of leading (rising: trailing) ratios within the range of every mask."""


def _selectors(measured: Measured) -> list[str]:
    """The paper's selector, and others whose top mask was measured along a grid."""
    grids = Counter(
        cell.selector
        for cell in measured.cells
        if (cell.mask, cell.ablation) == ("top", "zero")
    )
    return sorted(s for s, n in grids.items() if n > 1 or s == PAPER_SELECTOR)


def _cells(measured: Measured, mask: str, selector: str) -> list[int]:
    """Cells of a mask by ratio; a random mask belongs to every selector."""
    return [
        index
        for index, cell in enumerate(measured.cells)
        if cell.mask == mask
        and cell.ablation in ("zero", "keep")
        and (mask != "top" or cell.selector == selector)
    ]


def _curve(
    measured: Measured, mask: str, selector: str, *, rising: bool = False
) -> _Curve | None:
    cells = _cells(measured, mask, selector)
    if not cells:
        return None
    ratios = np.array([measured.cells[index].ratio for index in cells])
    margins = np.array([_mean_margin(measured, index) for index in cells])
    plain = _mean_margin(measured, 0)[None]
    if rising:
        x = np.append(ratios, 1.0)
        return _Curve(x, np.concatenate([margins, plain]), len(x))
    x = np.insert(ratios, 0, 0.0)
    shared = int((x <= _last_shared(measured, selector) + 1e-9).sum())
    return _Curve(x, np.concatenate([plain, margins]), shared)


def _last_shared(measured: Measured, selector: str) -> float:
    grids = (_cells(measured, mask, selector) for mask in MASKS)
    return min(measured.cells[grid[-1]].ratio for grid in grids if grid)


def _mean_margin(measured: Measured, cell: int) -> FloatArray:
    own = measured.own(cell)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(own[MARGIN_AFTER] / own[N])


def _concept_rows(
    measured: Measured,
    name: tuple[str, str],
    knock_out: _Curve | None,
    keep: _Curve | None,
) -> list[dict[str, object]]:
    plain, known = _mean_margin(measured, 0), accuracy(measured.own())
    rows = []
    for index, (concept, traits) in enumerate(measured.concepts.iterrows()):
        rows.append(
            {
                "model": measured.model,
                "concept": concept,
                "category": traits["category"],
                "tier": traits["tier"],
                "exposure": traits["exposure"],
                "selector": name[0],
                "mask": name[1],
                "known": bool(known[index] >= KNOWN_ACCURACY),
                "accuracy": known[index],
                "margin": plain[index],
                **_values(index, float(plain[index]), knock_out, keep),
            }
        )
    return rows


def _values(
    concept: int, plain: float, knock_out: _Curve | None, keep: _Curve | None
) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(VALUES, np.nan)
    row |= {"censored": False, "reason": NOT_POSITIVE}
    if not plain > 0:
        return row
    reasons = []
    measured = _points(knock_out, concept)
    if knock_out is None or measured is None:
        reasons.append(NO_MASK)
    else:
        x, y = measured
        half = k50(x, y)
        common = x <= knock_out.ratios[knock_out.shared - 1]
        row |= {"k50": half.at, "censored": half.censored}
        row["knockout_auc"] = relative_area(x[common], y[common], plain)
    measured = _points(keep, concept)
    if measured is None:
        reasons.append(NO_KEEP)
    else:
        row["keep50"] = keep50(*measured).at
        row["keep_auc"] = relative_area(*measured, plain)
    return row | {"reason": "; ".join(reasons)}


def _points(curve: _Curve | None, concept: int) -> tuple[FloatArray, FloatArray] | None:
    """Ratios and margins of one concept where it was measured; None below two."""
    if curve is None:
        return None
    margins = curve.margins[:, concept]
    there = np.isfinite(margins)
    if there.sum() < 2:
        return None
    return curve.ratios[there], margins[there]


def _first_crossing(x: FloatArray, falling: FloatArray, level: float) -> Halving:
    below = np.flatnonzero(falling <= level)
    if below.size == 0:
        return Halving(float(x[-1]), censored=True)
    after = int(below[0])
    if after == 0:
        return Halving(float(x[0]), censored=False)
    before = after - 1
    share = (falling[before] - level) / (falling[before] - falling[after])
    return Halving(float(x[before] + share * (x[after] - x[before])), censored=False)
