"""What a study will ask of machines: GPU hours, memory and disk of every model.

Limits and estimates, known before anything runs: the jobs' own resource requests
(:mod:`paraspec.core.needs`) and published sizes. Models of unknown size, as all of the
zoo's, are small, and stand with what small models take.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from paraspec.core.config import StudyConfig
from paraspec.core.model_table import ModelRow
from paraspec.core.needs import MINUTES_PER_BILLION, Step, needs_of

PUBLISHED_BYTES = 2
"""Bytes per weight of a published model's files: all are 16-bit numbers."""
STORED_SHARE = 3 * 0.4 / 7
"""Bytes of stored statistics per parameter: at most three of 400 MB at 7 billion."""
SMALL_BYTES = 10e6
"""All files of a small model; those of the miniature study have 5 MB on average."""
H100_SCORE_MINUTES = 1.39
"""Scoring a billion parameters on one H100: docs/performance.md has 3.3 hours for the
143 billion of the paper's models."""


@dataclass(frozen=True)
class ModelPlan:
    """What one model takes, over all of its steps."""

    model: str
    parameters: float | None
    """Published count; none where unknown, as in the zoo."""
    gpus: int
    """GPUs that its jobs ask for at a time."""
    mem_mb: int
    """Host memory of its largest job at the first attempt."""
    disk_bytes: float
    """Weights, statistics and answers that stay in the study's folder."""
    gpu_hours: float
    """Upper bound from which the jobs' time limits are set."""
    h100_hours: float
    """Scoring as measured on one H100; 0 for small models."""


def study_plan(study: StudyConfig, rows: Sequence[ModelRow]) -> list[ModelPlan]:
    """Plan every model of a study's table, in its order.

    Parameters
    ----------
    study
        Validated configuration.
    rows
        Its model table.
    """
    return [_model_plan(row, _steps(study, row)) for row in rows]


def _steps(study: StudyConfig, row: ModelRow) -> tuple[Step, ...]:
    tuned: tuple[Step, ...] = ("finetune",)
    measured: tuple[Step, ...] = ("check", "extract", "score")
    return (*measured, *(tuned if row.model in study.causal.fine_tuned else ()))


def _model_plan(row: ModelRow, steps: Sequence[Step]) -> ModelPlan:
    needs = [needs_of(row, step) for step in steps]
    gpus = max(need.gpu for need in needs)
    billions = (row.parameters or 0) / 1e9
    minutes = sum(MINUTES_PER_BILLION[step] for step in steps) * billions
    published = billions * 1e9 * (PUBLISHED_BYTES + STORED_SHARE)
    return ModelPlan(
        model=row.model,
        parameters=row.parameters,
        gpus=gpus,
        mem_mb=max(need.mem_mb for need in needs),
        disk_bytes=published + SMALL_BYTES,
        gpu_hours=gpus * minutes / 60,
        h100_hours=H100_SCORE_MINUTES * billions / 60 if gpus else 0,
    )
