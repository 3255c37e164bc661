"""Hours and memory of the paper-scale study, from this run's own figures.

Answers of a model = 525 concepts x the distinct (mask, item) pairs of one, with 10 own
and 50 general items and the masks of config/miniature.yaml. Every model is taken to
reach the share of the matrix-product rate that ours reached here, on the operations of
2 x parameters x tokens fed. Memory is the weights plus what this run needed beyond its
weights, grown with the two-thirds power of the size (width x layers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paraspec.core.model_table import read_models

TABLE = Path("config/models/paper.tsv")

CONCEPTS = 525

SMALLEST_MODEL = 10_000_000
"""Parameters below which a run says nothing about models a thousand times larger."""


@dataclass(frozen=True)
class Measured:
    """What this run found out about ours."""

    flops_per_second: float
    working_bytes: int
    """Memory beyond the weights."""
    parameters: int
    answers_per_concept: int
    tokens_per_answer: float
    bytes_per_weight: int


@dataclass(frozen=True)
class Estimate:
    """One model of the study."""

    model: str
    parameters: float
    hours: float
    memory_gib: float


def sizes() -> dict[str, float]:
    """Parameters of the study's models."""
    return {row.model: row.parameters or 0 for row in read_models(TABLE)}


def estimates(found: Measured, models: dict[str, float]) -> list[Estimate]:
    """Hours and memory of each model; none from a model too small to tell."""
    if found.parameters < SMALLEST_MODEL:
        return []
    return [_estimate(found, name, n) for name, n in models.items()]


def _estimate(found: Measured, model: str, parameters: float) -> Estimate:
    answers = CONCEPTS * found.answers_per_concept
    flops = 2 * parameters * found.tokens_per_answer * answers
    growth = (parameters / found.parameters) ** (2 / 3)
    needed = parameters * found.bytes_per_weight + found.working_bytes * growth
    return Estimate(
        model, parameters, flops / found.flops_per_second / 3600, needed / 2**30
    )


def in_words(found: Sequence[Estimate]) -> str:
    """The study in one line."""
    if not found:
        return "paper study: not estimated, this model is too small to tell"
    hours = sum(model.hours for model in found)
    largest = max(found, key=lambda model: model.memory_gib)
    return (
        f"paper study on this device: {hours:,.1f} hours for {len(found)} models, "
        f"up to {largest.memory_gib:.0f} GiB ({largest.model})"
    )
