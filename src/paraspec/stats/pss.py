"""The PSS table of one model: every mask and ratio, and the cross-fitted peak."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.seeds import generator
from paraspec.core.tables.per_model import PSS
from paraspec.stats.bootstrap import FloatArray, estimate, resamples
from paraspec.stats.effects import QUANTITIES, Effects, effects, reason
from paraspec.stats.items import HALVES, KINSHIPS, Cell, Measured, N

DRAWS = 2000
"""Bootstrap draws: the ends of a 95 % interval then rest on 50 draws beyond each."""

Row = dict[str, object]


def concept_weights(n: int, draws: int, seed: int) -> FloatArray:
    """Resampled concepts; the same for every model, so that models stay paired."""
    return resamples(n, draws, generator("concept-bootstrap", seed))


def pss_table(measured: Measured, draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """PSS of one model under every mask, with 95 % concept-bootstrap intervals.

    Returns
    -------
    DataFrame
        Table ``pss``: one row per selector, mask, general set and ratio where both
        sets were asked, and one ``peak`` row where there are at least two ratios.

    Notes
    -----
    PSS is an absolute value: without an effect it is not 0 but its noise, and its
    percentile interval cannot contain 0. Inference uses the signed columns.
    """
    weights = concept_weights(len(measured.concepts), draws, seed)
    rows: list[Row] = []
    for series in _series(measured):
        for kinship in KINSHIPS:
            rows += _grid_rows(measured, series, kinship, weights)
            rows += _peak_rows(measured, series, kinship, weights)
    return pd.DataFrame(rows, columns=PSS.names)


def peak(by_half: Sequence[Sequence[Effects]]) -> tuple[Effects, np.ndarray]:
    """Effects at the ratio that the other half of the items chose, averaged.

    Parameters
    ----------
    by_half
        For half A, then half B, the effects at each ratio.

    Returns
    -------
    tuple
        The mean over both directions, and the chosen ratios' indices with axes
        direction, draw.

    Notes
    -----
    The largest of several noisy values is biased upward; a ratio chosen on half A and
    evaluated on half B is not. Ties go to the smaller ratio. Each
    bootstrap draw chooses anew, so the interval contains the choice.
    """
    stacked = {
        name: np.array([[at.map(name) for at in half] for half in by_half])
        for name in QUANTITIES
    }
    ranked = np.where(np.isnan(stacked["pss"]), -np.inf, stacked["pss"])
    chosen = ranked.argmax(axis=1)
    crossed = {
        name: np.take_along_axis(values[::-1], chosen[:, None], axis=1)[:, 0]
        for name, values in stacked.items()
    }
    mean = {name: values.mean(axis=0) for name, values in crossed.items()}
    return Effects(**mean), chosen


@dataclass(frozen=True)
class _Counts:
    concepts: int
    concept_items: int
    general_items: int


def _series(measured: Measured) -> Iterator[list[int]]:
    """Cells of one selector and mask under zero ablation, by ratio."""
    groups: dict[tuple[str, str], list[int]] = {}
    for index, cell in enumerate(measured.cells):
        if cell.ablation == "zero":
            groups.setdefault((cell.selector, cell.mask), []).append(index)
    yield from groups.values()


def _counts(totals: FloatArray) -> _Counts:
    n = totals[:, N]
    return _Counts(int((n[0] > 0).sum()), int(n[0].sum()), int(n[1].sum()))


def _grid_rows(
    measured: Measured, series: list[int], kinship: str, weights: FloatArray
) -> list[Row]:
    rows = []
    for index in series:
        totals = measured.totals(index, kinship)
        counts = _counts(totals)
        if counts.concepts:
            found = effects(totals @ weights.T, measured.overall)
            head = _head(measured, measured.cells[index], kinship, "ratio")
            rows.append(head | _values(found, counts, measured.overall))
    return rows


def _peak_rows(
    measured: Measured, series: list[int], kinship: str, weights: FloatArray
) -> list[Row]:
    usable = [i for i in series if _counts(measured.totals(i, kinship)).concepts]
    if len(usable) < 2:
        return []
    by_half = [
        [
            effects(measured.totals(i, kinship, half) @ weights.T, measured.overall)
            for i in usable
        ]
        for half in HALVES
    ]
    found, chosen = peak(by_half)
    cells = [usable[i] for i in chosen[:, 0]]
    other = [
        measured.totals(i, kinship, half)
        for i, half in zip(cells, HALVES[::-1], strict=True)
    ]
    head = _head(measured, measured.cells[cells[0]], kinship, "peak")
    chose = [measured.cells[i] for i in cells]
    head |= {
        "ratio": float(np.mean([cell.ratio for cell in chose])),
        "k": round(np.mean([cell.k for cell in chose])),
    }
    counts = _counts(np.sum(other, axis=0))
    return [head | _values(found, counts, measured.overall)]


def _head(measured: Measured, cell: Cell, kinship: str, at: str) -> Row:
    return {
        "model": measured.model,
        "selector": cell.selector,
        "mask": cell.mask,
        "kinship": kinship,
        "at": at,
        "ratio": cell.ratio,
        "k": cell.k,
    }


def _values(found: Effects, counts: _Counts, overall: float) -> Row:
    row: Row = {
        name: float(found.map(name)[0])
        for name in QUANTITIES
        if name in PSS.names and name not in ("pss", "signed")
    }
    for name in ("pss", "signed"):
        row |= estimate(found.map(name), counts.concepts).columns(name)
    return row | {
        "n_concepts": counts.concepts,
        "n_concept_items": counts.concept_items,
        "n_general_items": counts.general_items,
        "overall_before": overall,
        "reason": reason(found),
    }
