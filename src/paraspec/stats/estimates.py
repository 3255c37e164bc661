"""Table ``estimates``: the claims' statistics that are no correlations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.tables.across_models import ESTIMATES
from paraspec.stats.bootstrap import UNDEFINED, Estimate, FloatArray
from paraspec.stats.controls import control
from paraspec.stats.groups import contrast, over_models
from paraspec.stats.study import Record, Study
from paraspec.stats.trajectory import NO_TRAJECTORY, Run, lag, runs

UNRELATED_RATIOS = (0.05, 0.10)
"""Ratios at which the paper saw unrelated questions improve (paper.md, section 2)."""

TWO_WAY = "models x concepts bootstrap, percentile"
ONE_WAY = "concept bootstrap, percentile"


@dataclass(frozen=True)
class Found:
    """A statistic of the study and what its interval speaks of."""

    value: Estimate
    n: int
    n_unit: str
    interval: str
    reason: str


PerModel = Callable[[Study, Record], FloatArray | None]
"""The sample's value and one per draw of one model; None where there is none."""


def estimates_table(study: Study) -> pd.DataFrame:
    """Every estimate, also those that could not be computed, with the reason."""
    rows = [_row(name, text, _mean(study, of)) for name, text, of in MEANS]
    rows.append(_row("trajectory.lag", LAG, _along(study, lag)))
    rows.append(_row("trajectory.final", FINAL, _along(study, _final)))
    return pd.DataFrame(rows, columns=ESTIMATES.names)


def _mean(study: Study, of: PerModel) -> Found:
    """Mean over the primary models that have the statistic."""
    drawn = [of(study, record) for record in study.primary_models]
    values = [one for one in drawn if one is not None and np.isfinite(one[0])]
    if not values:
        return Found(UNDEFINED, 0, "models", TWO_WAY, "no model has it")
    found = over_models(values, study.seed)
    few = f"{len(values)} models are too few for an interval"
    return Found(
        found, len(values), "models", TWO_WAY, few if np.isnan(found.low) else ""
    )


def _along(study: Study, of: Callable[[Study, Run], tuple[Estimate, str]]) -> Found:
    """Statistic of the first training run by name."""
    along = runs(study)
    if not along:
        return Found(UNDEFINED, 0, "checkpoints", ONE_WAY, NO_TRAJECTORY)
    value, reason = of(study, along[0])
    if not reason and np.isnan(value.low):
        reason = "too few concepts for an interval"
    return Found(value, len(along[0]), "checkpoints", ONE_WAY, reason)


def _final(study: Study, run: Run) -> tuple[Estimate, str]:
    """Top minus random signed effect of the trained model."""
    last = run[-1][1]
    return study.estimate(last, control(study, last, "random").top_minus), ""


def _row(name: str, text: str, found: Found) -> dict[str, object]:
    return {
        "id": name,
        "statistic": text,
        "n": found.n,
        "n_unit": found.n_unit,
        **found.value.columns("estimate"),
        "interval": found.interval,
        "p": found.value.p,
        "reason": found.reason,
    }


def _signed(mask: str) -> PerModel:
    return lambda study, record: control(study, record, mask).signed


def _top_minus(mask: str) -> PerModel:
    return lambda study, record: control(study, record, mask).top_minus


def _contrast(group: str, mask: str) -> PerModel:
    def of(study: Study, record: Record) -> FloatArray | None:
        found = contrast(study, record, mask, group)
        return None if found is None else found["signed"]

    return of


def _unrelated(mask: str) -> PerModel:
    def of(study: Study, record: Record) -> FloatArray | None:
        changes = [
            study.effects(record, mask, ratio=ratio, kinship="all").general_change
            for ratio in UNRELATED_RATIOS
        ]
        return np.asarray(np.mean(changes, axis=0))

    return of


SIGNED = "signed difference-in-differences at the primary ratio, mean over models"
LAG = "half-rise of the signed effect minus that of accuracy, share of training"
FINAL = "top - random: signed effect at the last checkpoint"

MEANS: tuple[tuple[str, str, PerModel], ...] = (
    ("specificity.top", f"top mask: {SIGNED}", _signed("top")),
    ("specificity.random", f"random mask: {SIGNED}", _signed("random")),
    ("specificity.swap", f"swap mask: {SIGNED}", _signed("swap")),
    ("specificity.top-minus-random", f"top - random: {SIGNED}", _top_minus("random")),
    ("specificity.top-minus-swap", f"top - swap: {SIGNED}", _top_minus("swap")),
    (
        "frequency.exposure.top",
        f"highest - lowest exposure, top mask: {SIGNED}",
        _contrast("exposure", "top"),
    ),
    (
        "frequency.exposure.random",
        f"highest - lowest exposure, random mask: {SIGNED}",
        _contrast("exposure", "random"),
    ),
    (
        "frequency.tier.top",
        f"high - low tier, top mask: {SIGNED}",
        _contrast("tier", "top"),
    ),
    (
        "frequency.tier.random",
        f"high - low tier, random mask: {SIGNED}",
        _contrast("tier", "random"),
    ),
    (
        "unrelated.change.top",
        "general accuracy, masked - unmasked, mean of 5 % and 10 %, top mask",
        _unrelated("top"),
    ),
    (
        "unrelated.change.random",
        "general accuracy, masked - unmasked, mean of 5 % and 10 %, random mask",
        _unrelated("random"),
    ),
)
"""Identifier, words and statistic of every mean over models."""
