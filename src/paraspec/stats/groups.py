"""Table ``tiers``: effects by exposure, tier, category and origin of the relation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.definitions import ALL
from paraspec.core.seeds import generator
from paraspec.core.tables.across_models import TIERS
from paraspec.stats.bootstrap import (
    UNDEFINED,
    Estimate,
    FloatArray,
    estimate,
    resamples,
    weighted_mean,
)
from paraspec.stats.items import ORIGINS, N
from paraspec.stats.record import Record
from paraspec.stats.study import Study

MASKS = ("top", "random")
CONTRAST = "highest minus lowest"
TIER_ORDER = ("low", "mid", "high")
QUANTITIES = ("accuracy", "signed", "pss")

Drawn = dict[str, FloatArray]
"""Quantity to its values in the sample and in each draw."""


@dataclass(frozen=True)
class Level:
    """A level of a group: which concepts or which relations belong to it."""

    group: str
    name: str
    only: FloatArray | None = None
    origin: str = ""


def tiers_table(study: Study) -> pd.DataFrame:
    """Every model's levels and contrasts, and their means over primary models."""
    rows: list[dict[str, object]] = []
    for mask in MASKS:
        pooled: dict[tuple[str, str], list[tuple[Drawn, Counts]]] = {}
        for record in study.records:
            for level, drawn, counts in _levels(study, record, mask):
                rows.append(_row(record.card.model, mask, level, drawn, counts))
                if record in study.primary_models:
                    pooled.setdefault(level, []).append((drawn, counts))
        rows += [
            _pooled_row(study, mask, level, found) for level, found in pooled.items()
        ]
    return pd.DataFrame(rows, columns=TIERS.names)


def contrast(study: Study, record: Record, mask: str, group: str) -> Drawn | None:
    """Highest minus lowest level of ``exposure`` or ``tier``; None without two."""
    levels = list(_members(record))
    ordered = [level for level in levels if level.group == group]
    if len(ordered) < 2:
        return None
    low, high = (_drawn(study, record, mask, ordered[i]) for i in (0, -1))
    return {name: high[name] - low[name] for name in QUANTITIES}


def over_models(values: list[FloatArray], seed: int) -> Estimate:
    """Mean over models, with models and concepts resampled at once.

    Parameters
    ----------
    values
        For each model the sample's value, then one for each draw of the concepts.
    seed
        Seed of the models' draws, the same for every statistic.

    Notes
    -----
    Pigeonhole bootstrap (Owen 2007). It counts the noise of single answers more than
    once, which is conservative, but percentiles of some 18 models that differ lie a
    little too close together; "Error rates" in docs/measures.md says how much. Models
    without a value are left out.
    """
    kept = [column for column in values if np.isfinite(column[0])]
    if not kept:
        return UNDEFINED
    table = np.column_stack(kept)
    rng = generator("model-bootstrap", seed)
    weights = resamples(table.shape[1], len(table) - 1, rng)
    return estimate(weighted_mean(table, weights), table.shape[1])


Counts = tuple[int, int]
"""Concepts and concept items."""


def _levels(
    study: Study, record: Record, mask: str
) -> Iterator[tuple[tuple[str, str], Drawn, Counts]]:
    seen: dict[str, list[Counts]] = {}
    for level in _members(record):
        counts = _counts(record, level)
        seen.setdefault(level.group, []).append(counts)
        yield (level.group, level.name), _drawn(study, record, mask, level), counts
    for group in ("exposure", "tier"):
        drawn = contrast(study, record, mask, group)
        if drawn is not None:
            ends = (seen[group][0], seen[group][-1])
            both = (ends[0][0] + ends[1][0], ends[0][1] + ends[1][1])
            yield (group, CONTRAST), drawn, both


def _members(record: Record) -> Iterator[Level]:
    """Levels that occur, ordered ones ascending; exposure 0 (untrained) is no level."""
    traits = record.measured.concepts
    exposures = traits["exposure"].dropna()
    for exposure in sorted(exposures[exposures > 0].unique()):
        yield _concepts("exposure", str(int(exposure)), traits["exposure"] == exposure)
    for tier in TIER_ORDER:
        if (traits["tier"] == tier).any():
            yield _concepts("tier", tier, traits["tier"] == tier)
    for category in sorted(traits["category"].dropna().unique()):
        yield _concepts("category", str(category), traits["category"] == category)
    for origin in ORIGINS if record.measured.has_origins else ():
        yield Level("origin", origin, origin=origin)


def _concepts(group: str, name: str, member: pd.Series) -> Level:
    return Level(group, name, only=member.to_numpy().astype(np.float64))


def _drawn(study: Study, record: Record, mask: str, level: Level) -> Drawn:
    found = study.effects(record, mask, origin=level.origin, only=level.only)
    knows = study.accuracy(record, origin=level.origin, only=level.only)
    return {"accuracy": knows, "signed": found.signed, "pss": found.pss}


def _counts(record: Record, level: Level) -> Counts:
    n = record.measured.own(0, origin=level.origin)[N]
    used = n if level.only is None else n * level.only
    return int((used > 0).sum()), int(used.sum())


def _row(
    model: str, mask: str, level: tuple[str, str], drawn: Drawn, counts: Counts
) -> dict[str, object]:
    found = {name: estimate(drawn[name], counts[0]) for name in QUANTITIES}
    return _cells(model, mask, level, found) | {
        "n_concepts": counts[0],
        "n_items": counts[1],
    }


def _pooled_row(
    study: Study,
    mask: str,
    level: tuple[str, str],
    models: list[tuple[Drawn, Counts]],
) -> dict[str, object]:
    found = {
        name: over_models([drawn[name] for drawn, _ in models], study.seed)
        for name in QUANTITIES
    }
    return _cells(ALL, mask, level, found) | {
        "n_concepts": max(counts[0] for _, counts in models),
        "n_items": sum(counts[1] for _, counts in models),
    }


def _cells(
    model: str, mask: str, level: tuple[str, str], found: Mapping[str, Estimate]
) -> dict[str, object]:
    row: dict[str, object] = {"model": model, "mask": mask}
    row |= {"group": level[0], "level": level[1]}
    for name, value in found.items():
        row |= value.columns(name)
    missing = [name for name, value in found.items() if np.isnan(value.low)]
    few = "too few concepts or models, or mask not measured"
    return (
        row | {"reason": f"no interval of {', '.join(missing)}: {few}"}
        if (missing)
        else row | {"reason": ""}
    )
