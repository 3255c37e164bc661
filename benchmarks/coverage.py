"""How often 95 % intervals hold what is true."""

from dataclasses import dataclass

import numpy as np

from benchmarks.simulated import (
    HARD,
    SLOPE,
    SPREAD,
    Design,
    chances,
    logit,
    own_damage,
    questions,
    sigmoid,
    sums_of,
)
from paraspec.stats.association import two_way_bootstrap
from paraspec.stats.bootstrap import FloatArray, estimate, resamples
from paraspec.stats.effects import effects
from paraspec.stats.groups import over_models
from paraspec.stats.items import FIELDS

ACCURACY, DAMAGE = 0.8, 0.1
"""Of the one model whose concept bootstrap is tried."""

ENDLESS = 400_000
"""Draws that what is true is computed from."""


@dataclass(frozen=True)
class Population:
    """Where models come from: accuracy uniform, damage rising with it or not."""

    lowest: float = 0.4
    highest: float = 0.95
    base: float = 0.05
    rise: float = 0.2
    collateral: float = 0.03

    def models(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Accuracy and mean damage of ``n`` models."""
        accuracy = rng.uniform(self.lowest, self.highest, size=n)
        mean = self.base + self.rise * (accuracy - self.lowest)
        damage = rng.beta(20 * mean, 20 * (1 - mean))
        return accuracy, np.clip(damage, 0.002, 0.98)


def totals(
    accuracy: FloatArray,
    damage: FloatArray,
    collateral: float,
    design: Design,
    rng: np.random.Generator,
) -> FloatArray:
    """Sums of a study's top masks; axes: set, field, model, concept."""
    asked = questions(design, rng)
    known = rng.random((len(accuracy), *asked.difficulty.shape)) < chances(
        accuracy, asked
    )
    flat = known.reshape(len(accuracy), -1)
    right = (known.sum(axis=-1), flat[:, asked.general[0]].sum(axis=-1))
    lost = (own_damage(damage, asked, rng), np.full(right[1].shape, collateral))
    found = np.zeros((2, len(FIELDS), *right[0].shape))
    for i, n in enumerate((design.n_items, design.n_general)):
        kept = rng.binomial(right[i], 1 - lost[i])
        found[i] = sums_of(np.full(kept.shape, n), right[i], kept, kept)
    return found


def expected_signed(
    accuracy: FloatArray,
    damage: FloatArray,
    collateral: float,
    rng: np.random.Generator,
) -> float:
    """Signed effect over endlessly many concepts; a concept for each model given."""
    n = len(accuracy)
    hard = rng.normal(scale=np.sqrt(2) * HARD, size=n)
    known = sigmoid(SLOPE * logit(accuracy) - hard)
    lost = sigmoid(logit(damage) + rng.normal(scale=np.sqrt(2) * SPREAD, size=n))
    return float(np.mean(known * (lost - collateral)))


@dataclass(frozen=True)
class Coverage:
    """Share of intervals that hold the truth."""

    concepts: float
    """Concept bootstrap of the signed effect of one model."""
    models: float
    """Models x concepts bootstrap of the mean over models."""
    correlation: float
    """Models x concepts bootstrap of the correlation with accuracy."""


def coverage(
    runs: int, design: Design, population: Population, seed: int = 0
) -> Coverage:
    """Repeat a study and count the intervals that hold what is true.

    Notes
    -----
    The truth of the correlation is that of studies of this size: what is measured with
    noise correlates less, and the interval is asked about the former.
    """
    rng = np.random.default_rng(seed)
    one = (np.array([ACCURACY]), np.array([DAMAGE]))
    collateral = population.collateral
    many = [np.full(ENDLESS, value) for (value,) in one]
    truths = (
        expected_signed(*many, collateral, rng),
        expected_signed(*population.models(ENDLESS, rng), collateral, rng),
        _true_correlation(design, population, rng),
    )
    hits = np.zeros(3)
    for _ in range(runs):
        single = totals(*one, collateral, design, rng)
        hits[0] += _holds(_signed(single, design, rng)[0][0], design, truths[0])
        models = population.models(design.n_models, rng)
        sample = totals(*models, collateral, design, rng)
        signed, accuracy = _signed(sample, design, rng)
        found = over_models(list(signed), int(rng.integers(2**31)))
        hits[1] += found.low <= truths[1] <= found.high
        both = two_way_bootstrap([(accuracy.T, signed.T)], rng)
        hits[2] += both.low <= truths[2] <= both.high
    return Coverage(*(hits / runs).tolist())


def _holds(values: FloatArray, design: Design, truth: float) -> bool:
    found = estimate(values, design.n_concepts)
    return bool(found.low <= truth <= found.high)


def _signed(
    sums: FloatArray, design: Design, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Signed effect and accuracy; axes: model, the sample and then the draws."""
    weights = resamples(design.n_concepts, design.draws, rng)
    found = effects(sums @ np.ascontiguousarray(weights.T))
    return found.signed, found.concept_before


def _true_correlation(
    design: Design, population: Population, rng: np.random.Generator, runs: int = 1000
) -> float:
    """Mean (in Fisher's z) of the correlations that studies of this size measure."""
    rs = []
    for _ in range(runs):
        models = population.models(design.n_models, rng)
        sums = totals(*models, population.collateral, design, rng).sum(axis=-1)
        found = effects(sums)
        rs.append(np.corrcoef(found.concept_before, found.signed)[0, 1])
    return float(np.tanh(np.mean(np.arctanh(rs))))
