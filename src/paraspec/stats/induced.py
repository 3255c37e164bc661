"""Dose and response: whether setting specialisation changes what a model knows.

Models of one recipe, trained plainly or under a mechanism that induces or suppresses
specialisation (:mod:`paraspec.models.induced`), at equal data, weights and steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from paraspec.core.definitions import Mechanism
from paraspec.core.seeds import generator
from paraspec.core.tables.across_models import ESTIMATES
from paraspec.stats.association import FLAT, NO_VARIANCE, TOO_FEW
from paraspec.stats.bootstrap import (
    UNDEFINED,
    Estimate,
    FloatArray,
    estimate,
    resamples,
    weighted_mean,
)
from paraspec.stats.evidence import Statistics
from paraspec.stats.items import HALVES, N
from paraspec.stats.record import Record
from paraspec.stats.study import Study

NO_MODELS = "no model's specialisation was set in training"
NO_SEEDS = "a mechanism and strength of one seed: no interval"
NO_BITS = "a model's answers have no probabilities among options"
WITHIN_CELLS = "models within mechanism and strength x concepts bootstrap, percentile"

Quantity = Callable[[Record, str], FloatArray]
"""Of a model on the items of one half: in the sample and in every draw of concepts."""


def induced_records(study: Study) -> tuple[Record, ...]:
    """Models of a mechanism and their baselines, by mechanism, strength and seed."""
    models = [r for r in study.records if not r.checkpoint]
    plain = {r.card.baseline for r in models}
    found = [r for r in models if r.card.mechanism or r.card.model in plain]
    return tuple(sorted(found, key=lambda r: (*_cell(r), r.card.seed, r.card.model)))


def bits(study: Study, record: Record, half: str = "") -> FloatArray:
    """Bits stored in the sample and in every draw; NaN without probabilities.

    Notes
    -----
    A concept about which the answers tell less than a guess stores nothing: below 0
    its sum counts as 0. Of one half the sum is put at the size of both.
    """
    found = record.bits.reindex(study.concepts)
    if not found.notna().to_numpy().any():
        return np.full(len(study.weights), np.nan)
    columns = [half] if half else list(HALVES)
    known = found[columns].sum(axis=1).clip(lower=0).to_numpy(np.float64)
    items = [record.measured.own(half=part)[N].sum() for part in ("", half)]
    return np.asarray(study.weights @ known * items[0] / items[1])


@dataclass(frozen=True)
class Dose:
    """The study's models of a mechanism, with the draws of models and concepts."""

    study: Study
    records: tuple[Record, ...]

    @cached_property
    def weights(self) -> FloatArray:
        """Axes: the sample and then the draws; model.

        Models are drawn within mechanism and strength, so that every draw has all of
        them.
        """
        drawn = np.ones((self.study.draws + 1, len(self.records)))
        for cell in dict.fromkeys(map(_cell, self.records)):
            members = [i for i, r in enumerate(self.records) if _cell(r) == cell]
            rng = generator("induced", self.study.seed, *cell)
            drawn[:, members] = resamples(len(members), self.study.draws, rng)
        return drawn

    def signed(self, record: Record, half: str, name: str = "signed") -> FloatArray:
        """Signed effect of the top mask at the primary ratio."""
        return self.study.effects(record, "top", half=half).map(name)

    def signed_known(self, record: Record, half: str) -> FloatArray:
        """The same on items that are right without a mask."""
        return self.signed(record, half, "signed_known")

    def accuracy(self, record: Record, half: str) -> FloatArray:
        """Unmasked accuracy."""
        return self.study.accuracy(record, half=half)

    def bits_per_parameter(self, record: Record, half: str) -> FloatArray:
        """Bits stored over non-embedding parameters."""
        return bits(self.study, record, half) / record.card.parameters_total

    def of(self, quantity: Quantity, half: str, models: list[int]) -> FloatArray:
        """A quantity of chosen models; axes draw, model."""
        return np.column_stack([quantity(self.records[i], half) for i in models])

    def members(self, *mechanisms: Mechanism) -> list[int]:
        """Places of the models of some mechanisms; empty is the plain ones'."""
        found = enumerate(self.records)
        return [i for i, r in found if r.card.mechanism in mechanisms]


def slope(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Least-squares slope of y on x over the last axis with weights; NaN if x is flat.

    >>> rows = np.array([[1.0, 2.0, 4.0]])
    >>> round(float(slope(rows, 3 * rows - 1, np.ones((1, 3)))[0]), 9)
    3.0
    """
    dx = x - weighted_mean(x, weights)[..., None]
    dy = y - weighted_mean(y, weights)[..., None]
    spread = (weights * dx**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (weights * dx * dy).sum(axis=-1) / spread
    return np.asarray(np.where(spread > FLAT**2, found, np.nan))


@dataclass(frozen=True)
class _Found:
    value: Estimate
    n: int
    reason: str


def induced_estimates(study: Study) -> Statistics:
    """Slopes of knowledge on specialisation, and contrasts of mechanisms."""
    dose = Dose(study, induced_records(study))
    found: dict[str, tuple[str, _Found]] = {}
    for name, (words, x, y) in _slopes(dose).items():
        for end, mechanisms in AMONG.items():
            among = [m or "plain" for m in mechanisms]
            text = f"{words}; models: {', '.join(among)}"
            members = dose.members(*mechanisms)
            found[f"induced.{name}{end}"] = (text, _slope(dose, members, x, y))
    for name, quantity in (("signed", dose.signed), ("accuracy", dose.accuracy)):
        for first, second in CONTRASTS:
            ends = f"{first}-minus-{second or 'plain'}"
            text = f"{WORDS[name]}: {ends.replace('-minus-', ' minus ')} models"
            contrast = _contrast(dose, quantity, first, second)
            found[f"induced.{name}.{ends}"] = (text, contrast)
    rows = [_row(name, words, one) for name, (words, one) in found.items()]
    tails = {name: one.value.tails for name, (_, one) in found.items()}
    return Statistics(
        pd.DataFrame(rows, columns=ESTIMATES.names),
        tails={name: one for name, one in tails.items() if one is not None},
        kinds={},
    )


AMONG: dict[str, tuple[Mechanism, ...]] = {
    "": ("", "routing", "dropout"),
    ".routing": ("", "routing"),
    ".dropout": ("", "dropout"),
}
"""Models that a slope is taken over, by the end of its id."""

CONTRASTS: tuple[tuple[Mechanism, Mechanism], ...] = (
    ("routing", "dropout"),
    ("routing", ""),
    ("dropout", ""),
)

WORDS = {
    "signed": "signed effect of the top mask at the primary ratio, mean over models",
    "accuracy": "unmasked accuracy, mean over models",
}


def _slopes(dose: Dose) -> dict[str, tuple[str, Quantity, Quantity]]:
    signed = "on signed effect of the top mask, disjoint halves"
    return {
        "accuracy.slope": (
            f"slope of accuracy {signed}",
            dose.signed,
            dose.accuracy,
        ),
        "accuracy.slope-known": (
            f"slope of accuracy {signed}, effect on items right without a mask",
            dose.signed_known,
            dose.accuracy,
        ),
        "bits.slope": (
            f"slope of bits per parameter {signed}",
            dose.signed,
            dose.bits_per_parameter,
        ),
    }


def _slope(dose: Dose, models: list[int], x: Quantity, y: Quantity) -> _Found:
    """Mean of the slopes of one half's y on the other half's x."""
    if fault := _fault(dose, models):
        return _Found(UNDEFINED, len(models), fault)
    weights = dose.weights[:, models]
    drawn = []
    for half, other in (HALVES, HALVES[::-1]):
        effect, known = dose.of(x, half, models), dose.of(y, other, models)
        if not np.isfinite(known[0]).all() and y == dose.bits_per_parameter:
            return _Found(UNDEFINED, len(models), NO_BITS)
        drawn.append(slope(effect, known, weights))
    return _estimated(dose, models, np.mean(drawn, axis=0), NO_VARIANCE)


def _contrast(
    dose: Dose, quantity: Quantity, first: Mechanism, second: Mechanism
) -> _Found:
    sides = [dose.members(first), dose.members(second)]
    models = sides[0] + sides[1]
    if fault := _fault(dose, models):
        return _Found(UNDEFINED, len(models), fault)
    if not all(sides):
        return _Found(UNDEFINED, len(models), f"no model of {first or second}")
    means = [
        weighted_mean(dose.of(quantity, "", side), dose.weights[:, side])
        for side in sides
    ]
    return _estimated(dose, models, means[0] - means[1], "undefined for every model")


def _fault(dose: Dose, models: list[int]) -> str:
    mechanisms = {dose.records[i].card.mechanism for i in models}
    if not mechanisms - {""}:
        return NO_MODELS
    return TOO_FEW if len(models) < 3 else ""


def _estimated(
    dose: Dose, models: list[int], drawn: FloatArray, undefined: str
) -> _Found:
    """Estimate; without interval where a cell has one model, which no draw moves."""
    value = estimate(drawn, len(models))
    if np.isnan(value.value):
        return _Found(UNDEFINED, len(models), undefined)
    cells = [_cell(dose.records[i]) for i in models]
    if min(cells.count(cell) for cell in cells) < 2:
        alone = Estimate(value.value, np.nan, np.nan)
        return _Found(alone, len(models), NO_SEEDS)
    few = "too many undefined draws" if np.isnan(value.low) else ""
    return _Found(value, len(models), few)


def _cell(record: Record) -> tuple[str, float]:
    return record.card.mechanism, record.card.strength


def _row(name: str, words: str, found: _Found) -> dict[str, object]:
    return {
        "id": name,
        "statistic": words,
        "n": found.n,
        "n_unit": "models",
        **found.value.columns("estimate"),
        "interval": WITHIN_CELLS,
        "p": found.value.p,
        "reason": found.reason,
    }
