"""Table ``controls``: every mask kind at the primary ratio, against the top mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.definitions import (
    ALL,
    CONTROL_MASKS,
    PAPER_SELECTOR,
    STRONG_PSS,
)
from paraspec.core.tables.across_models import CONTROLS
from paraspec.stats.bootstrap import UNDEFINED, Estimate, FloatArray
from paraspec.stats.groups import over_models
from paraspec.stats.item_level import pooled_log_odds, specificity_log_odds
from paraspec.stats.items import MaskKind
from paraspec.stats.record import Record
from paraspec.stats.study import Study

TOP = MaskKind("top", PAPER_SELECTOR)
RANDOM = MaskKind("random", "random")

BASIC = (
    TOP,
    MaskKind("top-insample", PAPER_SELECTOR),
    RANDOM,
    MaskKind("swap", PAPER_SELECTOR),
)
"""Masks of every model: they have a row, with a reason, also where they are missing."""

ORDER = ("top", "top-insample", "random", *CONTROL_MASKS)


@dataclass(frozen=True)
class Control:
    """A mask's effects in one model, each in the sample and in every draw."""

    signed: FloatArray
    signed_margin: FloatArray
    top_minus: FloatArray
    general_change: FloatArray
    pss: FloatArray
    active_share: float
    """Share of active value vectors that the mask hits."""
    by_draw: FloatArray
    """Signed effect of each draw of a stochastic mask; none if it has but one."""
    draws: int
    totals: FloatArray | None
    """Sums of the sample, for the item-level model."""


def control(study: Study, record: Record, kind: MaskKind) -> Control:
    """Effects of a mask at the primary ratio; NaN where it was not measured."""
    found = study.effects_of(record, kind)
    cell = record.find(kind)
    return Control(
        signed=found.signed,
        signed_margin=found.signed_margin,
        top_minus=top_minus(study, record, kind),
        general_change=found.general_change,
        pss=found.pss,
        active_share=record.active_shares.get(kind, np.nan),
        by_draw=study.draw_effects(record, kind).signed,
        draws=0 if cell is None else record.measured.cells[cell].draws,
        totals=None if cell is None else record.measured.totals(cell),
    )


def top_minus(
    study: Study, record: Record, kind: MaskKind, quantity: str = "signed"
) -> FloatArray:
    """A quantity under the study's top mask minus that under a mask, paired by draw."""
    top = study.effects(record, "top", ablation=kind.ablation)
    other = study.effects_of(record, kind)
    return top.map(quantity) - other.map(quantity)


def controls_table(study: Study) -> pd.DataFrame:
    """Each model's masks, and their means over the primary models that have them."""
    rows = []
    for kind in kinds_of(study):
        having = [r for r in study.records if kind in BASIC or kind in r.kinds]
        found = [(r, control(study, r, kind)) for r in having]
        rows += [_row(study, record, kind, one) for record, one in found]
        primary = [one for record, one in found if record in study.primary_models]
        rows.append(_pooled(study, kind, primary))
    return pd.DataFrame(rows, columns=CONTROLS.names)


def kinds_of(study: Study) -> list[MaskKind]:
    """Masks that some model was measured under: by mask, then zero ablation first."""
    found = {kind for r in study.records for kind in r.kinds if kind.mask != "none"}
    return sorted(found | set(BASIC), key=_place)


def _place(kind: MaskKind) -> tuple[int, str, bool, bool, str, str]:
    at = ORDER.index(kind.mask) if kind.mask in ORDER else len(ORDER)
    own = kind.selector == PAPER_SELECTOR
    return (at, kind.mask, not own, kind.ablation != "zero", *kind[1:])


def _row(
    study: Study, record: Record, kind: MaskKind, found: Control
) -> dict[str, object]:
    values = {name: study.estimate(record, getattr(found, name)) for name in DRAWN}
    log_odds = UNDEFINED if found.totals is None else specificity_log_odds(found.totals)
    return _cells(kind, values | {"log_odds": log_odds}) | {
        "model": record.card.model,
        "ratio": record.primary,
        "draws": found.draws,
        "draw_sd": _spread(found.by_draw),
        "n_models": 1,
        "n_concepts": study.n_concepts(record),
        **_pss(float(found.pss[0])),
        "active_share": found.active_share,
    }


def _pooled(study: Study, kind: MaskKind, found: list[Control]) -> dict[str, object]:
    there = [one for one in found if np.isfinite(one.signed[0])]
    values = {
        name: over_models([getattr(one, name) for one in there], study.seed)
        for name in DRAWN
    }
    totals = [one.totals for one in there if one.totals is not None]
    return _cells(kind, values | {"log_odds": pooled_log_odds(totals)[0]}) | {
        "model": ALL,
        "ratio": np.nan,
        "draws": max((one.draws for one in there), default=0),
        "draw_sd": _mean([_spread(one.by_draw) for one in there]),
        "n_models": len(there),
        "n_concepts": len(study.concepts),
        **_pss(_mean([float(one.pss[0]) for one in there])),
        "active_share": _mean([one.active_share for one in there]),
    }


DRAWN = ("signed", "signed_margin", "top_minus", "general_change")
"""Quantities of :class:`Control` that get an interval."""


def _cells(kind: MaskKind, values: dict[str, Estimate]) -> dict[str, object]:
    row: dict[str, object] = dict(kind._asdict())
    for name, value in values.items():
        row |= value.columns(name)
    signed = values["signed"]
    contains = bool(signed.low <= 0 <= signed.high)
    return row | {"contains_zero": contains, "reason": _reason(signed, kind.mask)}


def _pss(value: float) -> dict[str, object]:
    return {"pss": value, "strong": value > STRONG_PSS}


def _spread(draws: FloatArray) -> float:
    """Standard deviation over draws."""
    return float(np.std(draws, ddof=1)) if len(draws) > 1 else np.nan


def _mean(values: Sequence[float]) -> float:
    """Mean of the defined values; NaN without any."""
    defined = [value for value in values if np.isfinite(value)]
    return float(np.mean(defined)) if defined else np.nan


def _reason(signed: Estimate, mask: str) -> str:
    if np.isnan(signed.value):
        return f"no {mask} mask at the primary ratio"
    return "too few concepts or models for an interval" if np.isnan(signed.low) else ""
