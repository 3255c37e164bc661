"""What a step needs of a machine for one model, from its published size.

Models of unknown size, as all of the zoo's, are taken for small.

``MINUTES_PER_BILLION`` are limits, not estimates. For all 525 concepts and the ratios
of the published studies a model gives 1,340 answers per concept; with 60 tokens each
these are 42 M tokens. 2 FLOPs per parameter and token make 8.4e16 FLOPs per billion
parameters: 11 minutes at 40 % of an A100's 312 TFLOP/s. Scoring may take almost four
times that, for longer prompts and slower GPUs. Extraction and the preflight are a few
hundred times less; reading the weights dominates.
"""

import math
from dataclasses import dataclass
from typing import Literal

from paraspec.core.model_table import ModelRow

Step = Literal["check", "extract", "score", "finetune"]

MINUTES_PER_BILLION = {"check": 2, "extract": 5, "score": 40, "finetune": 60}
MINUTES = {"check": 10, "extract": 60, "score": 60, "finetune": 60}
"""Least time asked for."""
SMALL = 1e8
"""Parameters below which a model needs no GPU."""
BASE_MB = 2000
"""Host memory of a small model's step: the libraries and the tables."""
BESIDE_WEIGHTS_MB = 8000
"""Host memory that a published model may take beyond its weights."""
GPU_BYTES = 60e9
"""Weights that one GPU of 80 GB takes, with room for a batch."""
NUMBER_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


@dataclass(frozen=True)
class Needs:
    """Portable resources of one job."""

    mem_mb: int
    runtime: int
    """Minutes."""
    gpu: int


def needs_of(row: ModelRow, step: Step) -> Needs:
    """Estimate a step's resources for a model.

    >>> from paraspec.core.model_table import ModelRow
    >>> row = ModelRow(model="m", source="folder", family="f", parameters=7e9,
    ...                dtype="bfloat16")
    >>> needs_of(row, "score")
    Needs(mem_mb=22000, runtime=280, gpu=1)
    """
    parameters = row.parameters or 0
    if parameters < SMALL:
        return Needs(BASE_MB, MINUTES[step], 0)
    weights = parameters * NUMBER_BYTES[row.dtype]
    minutes = math.ceil(MINUTES_PER_BILLION[step] * parameters / 1e9)
    return Needs(
        mem_mb=math.ceil(weights / 1e6) + BESIDE_WEIGHTS_MB,
        runtime=max(MINUTES[step], minutes),
        gpu=math.ceil(weights / GPU_BYTES),
    )
