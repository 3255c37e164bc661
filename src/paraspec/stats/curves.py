"""Masking curves: accuracy and margin over the mask ratios, per model and mask."""

import numpy as np
import pandas as pd

from paraspec.core.tables.across_models import CURVES
from paraspec.stats.bootstrap import FloatArray, estimate
from paraspec.stats.items import AFTER, KINSHIPS, MARGIN_AFTER, RANKED, Cell, N
from paraspec.stats.record import Record
from paraspec.stats.study import Study

Row = dict[str, object]


def curves_table(study: Study) -> pd.DataFrame:
    """Table ``curves``: accuracy and margin over mask ratios; ratio 0 for each mask."""
    rows: list[Row] = []
    for record in study.records:
        cells = record.measured.cells
        for mask in sorted({cell.mask for cell in cells} - {"none"}):
            for index, cell in enumerate(cells):
                if _belongs(cell, mask, study.selector):
                    rows += _curve_points(study, record, mask, index)
    return pd.DataFrame(rows, columns=CURVES.names)


def _belongs(cell: Cell, mask: str, selector: str) -> bool:
    """Whether a curve passes through a cell: its mask, or the unmasked start."""
    if cell.mask == "none":
        return True
    ranked = mask not in RANKED or cell.selector == selector
    return (cell.mask, cell.ablation) == (mask, "zero") and ranked


def _curve_points(study: Study, record: Record, mask: str, cell: int) -> list[Row]:
    head: Row = {
        "model": record.card.model,
        "mask": mask,
        "ratio": record.measured.cells[cell].ratio,
    }
    own = record.measured.own(cell)
    rows = [head | {"set": "concept", "kinship": "own"} | _point(study, own)]
    for kinship in KINSHIPS:
        general = record.measured.totals(cell, kinship)[1]
        if general[N].any():
            extra: Row = {"set": "general", "kinship": kinship}
            rows.append(head | extra | _point(study, general))
    return rows


def _point(study: Study, sums: FloatArray) -> Row:
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = sums[[N, AFTER, MARGIN_AFTER]] @ study.weights.T
        accuracy, margin = drawn[1] / drawn[0], drawn[2] / drawn[0]
    n = int((sums[N] > 0).sum())
    row: Row = {"n_items": int(sums[N].sum())}
    row |= estimate(accuracy, n).columns("accuracy")
    return row | estimate(margin, n).columns("margin")
