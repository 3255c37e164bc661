"""Table ``controls``: every mask kind at the primary ratio, against the top mask."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.tables.across_models import CONTROLS
from paraspec.stats.bootstrap import UNDEFINED, Estimate, FloatArray
from paraspec.stats.groups import ALL, over_models
from paraspec.stats.item_level import specificity_log_odds
from paraspec.stats.study import Record, Study

MASKS = ("top", "top-insample", "random", "swap")

STRONG_PSS = 0.15
"""PSS that decision 10 counts models above."""


@dataclass(frozen=True)
class Control:
    """A mask's effects in one model, each in the sample and in every draw."""

    signed: FloatArray
    top_minus: FloatArray
    general_change: FloatArray
    pss: FloatArray
    active_share: float
    """Share of active value vectors that the mask hits."""
    draws: int
    log_odds: Estimate
    """Item-level model of the sample."""


def control(study: Study, record: Record, mask: str) -> Control:
    """Effects of a mask at the primary ratio; NaN where it was not measured."""
    found = study.effects(record, mask)
    top = study.effects(record, "top")
    cell = record.measured.find(mask, record.primary, study.selector)
    table = None if cell is None else record.measured.totals(cell)
    return Control(
        signed=found.signed,
        top_minus=top.signed - found.signed,
        general_change=found.general_change,
        pss=found.pss,
        active_share=record.active_share(mask),
        draws=0 if cell is None else record.measured.cells[cell].draws,
        log_odds=UNDEFINED if table is None else specificity_log_odds(table),
    )


def controls_table(study: Study) -> pd.DataFrame:
    """Each model's masks, and their means over the primary models."""
    rows = []
    for mask in MASKS:
        found = {r.card.model: control(study, r, mask) for r in study.records}
        rows += [_row(study, r, mask, found[r.card.model]) for r in study.records]
        pooled = [found[r.card.model] for r in study.primary_models]
        rows.append(_pooled(study, mask, pooled))
    return pd.DataFrame(rows, columns=CONTROLS.names)


def _row(study: Study, record: Record, mask: str, found: Control) -> dict[str, object]:
    signed = study.estimate(record, found.signed)
    row = _cells(
        signed,
        study.estimate(record, found.top_minus),
        study.estimate(record, found.general_change),
    )
    pss = float(found.pss[0])
    return row | {
        "model": record.card.model,
        "mask": mask,
        "ratio": record.primary,
        "draws": found.draws,
        "n_models": 1,
        "n_concepts": study.n_concepts(record),
        "pss": pss,
        "pss_above_015": pss > STRONG_PSS,
        "active_share": found.active_share,
        "reason": _reason(signed, mask),
        **found.log_odds.columns("log_odds"),
    }


def _pooled(study: Study, mask: str, found: list[Control]) -> dict[str, object]:
    present = [one for one in found if np.isfinite(one.signed[0])]
    signed = over_models([c.signed for c in present], study.seed)
    row = _cells(
        signed,
        over_models([c.top_minus for c in present], study.seed),
        over_models([c.general_change for c in present], study.seed),
    )
    pss = float(np.mean([c.pss[0] for c in present])) if present else np.nan
    active = float(np.mean([c.active_share for c in present])) if present else np.nan
    return row | {
        "model": ALL,
        "mask": mask,
        "ratio": np.nan,
        "draws": max((c.draws for c in present), default=0),
        "n_models": len(present),
        "n_concepts": len(study.concepts),
        "pss": pss,
        "pss_above_015": pss > STRONG_PSS,
        "active_share": active,
        "reason": _reason(signed, mask),
        **UNDEFINED.columns("log_odds"),
    }


def _cells(
    signed: Estimate, top_minus: Estimate, general: Estimate
) -> dict[str, object]:
    row: dict[str, object] = {}
    row |= signed.columns("signed")
    row |= top_minus.columns("top_minus")
    row |= general.columns("general_change")
    return row | {"contains_zero": bool(signed.low <= 0 <= signed.high)}


def _reason(signed: Estimate, mask: str) -> str:
    if np.isnan(signed.value):
        return f"no {mask} mask at the primary ratio"
    return "too few concepts or models for an interval" if np.isnan(signed.low) else ""
