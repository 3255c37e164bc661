"""Hours and memory of the paper-scale study, from this run's own figures.

Answers of a model = 525 concepts x the distinct (mask, item) pairs of one, with 10 own
and 50 general items and the masks of config/miniature.yaml. Every model is taken to
reach the share of the matrix-product rate that ours reached here, on the operations of
2 x parameters x tokens fed. Memory is the weights plus what this run needed beyond its
weights, grown with the two-thirds power of the size (width x layers).
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TABLE = Path("config/models/paper.tsv")

NOMINAL = {
    "Llama-2-7B": 7e9,
    "Llama-2-13B": 13e9,
    "Llama-3-8B": 8e9,
    "Llama-3.1-8B": 8e9,
    "Llama-3.2-1B": 1e9,
    "Llama-3.2-3B": 3e9,
    "Qwen1.5-7B": 7e9,
    "Qwen1.5-14B": 14e9,
    "Qwen2-1.5B": 1.5e9,
    "Qwen2-7B": 7e9,
    "Qwen2.5-7B": 7e9,
    "Qwen2.5-14B": 14e9,
    "Mistral-7B-v0.1": 7e9,
    "Mistral-7B-v0.3": 7e9,
    "Gemma-2B": 2e9,
    "Gemma-7B": 7e9,
    "Gemma-2-2B": 2e9,
    "Gemma-2-9B": 9e9,
    "OLMo-7B": 7e9,
    "OLMo-2-7B": 7e9,
}
"""Sizes as the names say, for want of the study's own table."""

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


def sizes(table: Path = TABLE) -> dict[str, float]:
    """Parameters of the study's models."""
    if not table.is_file():
        return NOMINAL
    lines = [
        line
        for line in table.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    rows = csv.DictReader(lines, delimiter="\t")
    return {row["model"]: float(row["parameters"]) for row in rows}


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
