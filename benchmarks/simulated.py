"""Made-up questions and answers with known effects, at the study's real numbers.

Questions are hard or easy for all models alike, as those of one study are.
"""

from dataclasses import dataclass

import numpy as np

from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.items import IntArray

CHANCE, FLOOR = 0.25, 0.3
UNMASKED_MARGIN = (4.0, -1.0)
"""Margin of items that are right and of others, nats."""

HARD = 0.8
"""Spread of the difficulty of concepts, and of items within them, log-odds."""
SLOPE = 1.3
"""What makes up for that spread, so that a model's accuracy is near what is asked."""
SPREAD = 0.5
"""Spread of a mask's damage over concepts, and over concepts and models, log-odds."""


@dataclass(frozen=True)
class Design:
    """Numbers of a study."""

    n_models: int = 17
    n_concepts: int = 63
    n_items: int = 10
    n_general: int = 15
    """General items of each kinship."""
    n_controls: int = 8
    """Models with control masks."""
    draws: int = 500


@dataclass(frozen=True)
class Questions:
    """What the models of one study have in common."""

    difficulty: FloatArray
    """Axes: concept, item."""
    general: IntArray
    """Items of each concept's general set; axes: kinship, concept, item."""
    sensitivity: FloatArray
    """How much more than others a concept suffers from its own mask, log-odds."""


def questions(design: Design, rng: np.random.Generator) -> Questions:
    """Draw concepts, items and general sets."""
    n, items = design.n_concepts, design.n_items
    category = np.arange(n) * 3 // n
    concept_of = np.repeat(np.arange(n), items)
    same = category[:, None] == category[concept_of]
    own = np.arange(n)[:, None] == concept_of
    order = rng.random((2, n, n * items))
    order[0][~same | own] = 2.0
    order[1][same] = 2.0
    general = order.argsort(axis=-1)[..., : design.n_general]
    hard = rng.normal(scale=HARD, size=(n, 1)) + rng.normal(scale=HARD, size=(n, items))
    return Questions(hard, general, rng.normal(scale=SPREAD, size=n))


def chances(accuracy: FloatArray, asked: Questions) -> FloatArray:
    """Chance that each model knows each item; axes: model, concept, item."""
    return sigmoid(SLOPE * logit(accuracy)[:, None, None] - asked.difficulty)


def own_damage(
    damage: FloatArray, asked: Questions, rng: np.random.Generator
) -> FloatArray:
    """Share of a concept's knowledge lost under its own mask; axes: model, concept."""
    noise = rng.normal(scale=SPREAD, size=(len(damage), len(asked.sensitivity)))
    return sigmoid(logit(damage)[:, None] + asked.sensitivity + noise)


def sigmoid(x: FloatArray) -> FloatArray:
    """Chance of log-odds."""
    return np.asarray(1 / (1 + np.exp(-x)))


def logit(p: FloatArray) -> FloatArray:
    """Log-odds of a chance."""
    return np.asarray(np.log(p / (1 - p)))


def sums_of(
    n: IntArray, before: IntArray, after: IntArray, kept: IntArray
) -> FloatArray:
    """Sums of items, fields on a new first axis."""
    high, low = UNMASKED_MARGIN
    margins = [high * right + low * (n - right) for right in (before, after)]
    return np.stack([n, before, after, CHANCE * n, FLOOR * n, *margins, kept])
