"""Tables ``selectors`` and ``overlaps``: rankings of value vectors compared."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paraspec.core.definitions import ALL, SELECTORS
from paraspec.core.tables import across_models
from paraspec.core.tables.per_model import MADE_OF
from paraspec.stats.bootstrap import Estimate, FloatArray, weighted_mean
from paraspec.stats.controls import RANDOM
from paraspec.stats.groups import over_models
from paraspec.stats.record import Record
from paraspec.stats.study import Study

MEANS = tuple(name for name, *_ in MADE_OF)
"""Columns of ``selection`` whose mean over concepts is told."""

PLANTED = {
    "recall": "recall",
    "recall_primary": "recall_primary",
    "chance": "recall_chance",
    "auc": "auc",
}
"""Columns of ``planted`` and what they are called here."""

DRAWN = ("signed", "top_minus_random", "reliability")
"""What gets an interval."""

Row = dict[str, object]


def selectors_table(study: Study) -> pd.DataFrame:
    """What each selector finds: effect of its mask, reliability, planted vectors."""
    rows = []
    for selector in (*SELECTORS, RANDOM.selector):
        having = [r for r in study.records if _has(r, selector)]
        rows += [_row(study, record, selector) for record in having]
        primary = [r for r in having if r in study.primary_models]
        if primary:
            rows.append(_pooled(study, primary, selector))
    return pd.DataFrame(rows, columns=across_models.SELECTORS.names)


def overlaps_table(study: Study) -> pd.DataFrame:
    """Mean overlap of two selectors' masks over the primary models."""
    frames = [r.described.overlap for r in study.primary_models]
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if rows.empty:
        return pd.DataFrame(columns=across_models.OVERLAPS.names)
    found = rows.groupby(["selector", "other"], as_index=False, sort=False).agg(
        n_models=("model", "nunique"),
        jaccard=("jaccard", "mean"),
        chance=("chance", "mean"),
    )
    return found[across_models.OVERLAPS.names]


def reliability(study: Study, record: Record, selector: str) -> FloatArray:
    """Mean split-half Jaccard of masks, in the sample and in every draw of concepts."""
    rows = record.selections.get(selector)
    if rows is None:
        return np.full(len(study.weights), np.nan)
    values = rows["reliability"].reindex(list(study.concepts)).to_numpy(np.float64)
    return weighted_mean(values[None], study.weights)


def _has(record: Record, selector: str) -> bool:
    """Whether anything is known of a selector in a model."""
    mask = RANDOM.mask if selector == RANDOM.selector else "top"
    if record.measured.find(mask, record.primary, selector) is not None:
        return True
    planted = record.described.planted["selector"] == selector
    return selector in record.selections or bool(planted.any())


def _drawn(study: Study, record: Record, selector: str) -> dict[str, FloatArray]:
    """Quantities with an interval, in the sample and in every draw."""
    random = study.effects(record, RANDOM.mask).signed
    if selector == RANDOM.selector:
        nothing = np.full(len(random), np.nan)
        return {"signed": random, "top_minus_random": nothing, "reliability": nothing}
    signed = study.effects(record, "top", selector=selector).signed
    same = reliability(study, record, selector)
    return {"signed": signed, "top_minus_random": signed - random, "reliability": same}


def _described(study: Study, record: Record, selector: str) -> dict[str, float]:
    """Means over concepts, without an interval."""
    mask = "random" if selector == RANDOM.selector else "top"
    rows = record.selections.get(selector)
    found = dict.fromkeys(MEANS, np.nan)
    if rows is not None:
        found |= {name: float(rows[name].mean()) for name in MEANS}
    planted = record.described.planted
    planted = planted[planted["selector"] == selector]
    found |= {new: _weighted(planted, name) for name, new in PLANTED.items()}
    pss = study.effects(record, mask, selector=selector).pss
    return found | {"pss": float(pss[0])}


def _weighted(planted: pd.DataFrame, name: str) -> float:
    """Mean over concepts, each counting as many times as it has planted vectors."""
    if planted.empty:
        return np.nan
    return float(np.average(planted[name], weights=planted["n_planted"]))


def _row(study: Study, record: Record, selector: str) -> Row:
    drawn = _drawn(study, record, selector)
    values = {name: study.estimate(record, drawn[name]) for name in DRAWN}
    return {
        "model": record.card.model,
        "selector": selector,
        "n_models": 1,
        "n_concepts": study.n_concepts(record),
        **_described(study, record, selector),
        **_cells(values),
    }


def _pooled(study: Study, records: Sequence[Record], selector: str) -> Row:
    drawn = [_drawn(study, r, selector) for r in records]
    values = {
        name: over_models([one[name] for one in drawn], study.seed) for name in DRAWN
    }
    described = pd.DataFrame([_described(study, r, selector) for r in records])
    return {
        "model": ALL,
        "selector": selector,
        "n_models": len(records),
        "n_concepts": len(study.concepts),
        **described.mean().to_dict(),
        **_cells(values),
    }


def _cells(values: dict[str, Estimate]) -> Row:
    row: Row = {}
    for name, value in values.items():
        row |= value.columns(name)
    lacking = [name for name, value in values.items() if np.isnan(value.low)]
    reason = f"no interval of {', '.join(lacking)}" if lacking else ""
    return row | {"reason": reason}
