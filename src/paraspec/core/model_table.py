"""Model tables (``config/models/*.tsv``): which models a study measures."""

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from paraspec.core.definitions import ROUTING_BLOCKS, Mechanism, ScorerName
from paraspec.core.errors import UserError
from paraspec.core.files import existing
from paraspec.core.tsv import records
from paraspec.core.validation import SAFE_NAME, Section, plain_faults

HUB = "hub:"
REPOSITORY = re.compile(r"(?!.*(--|\.\.))\w[\w.-]*/\w[\w.-]*", re.ASCII)
Architecture = Literal["llama", "gpt2", "gpt_neox", "qwen2", "mixtral", "-"]
ABOUT = {
    *("parameters", "released", "mmlu", "mmlu_source", "named_by_paper"),
    *("scorer", "chat", "dtype"),
}
"""Columns that change nothing in a model's folder or manifest."""


class ModelRow(Section):
    """One row of a model table."""

    model: str = Field(pattern=SAFE_NAME, description="Unique name, used in paths.")
    source: str = Field(
        min_length=1,
        description="`zoo`, `hub:` and a repository id, or a local model folder.",
    )
    revision: str = Field(
        "", description="Hub only, required there: branch, tag or commit."
    )
    remote_code: bool = Field(
        default=False, description="Run the Python files that come with the model."
    )
    family: str = Field(pattern=SAFE_NAME, description="Family, for statistics.")
    architecture: Architecture = Field("-", description="Zoo only: model class.")
    d_model: int = Field(0, ge=0, description="Zoo only: width.")
    n_layers: int = Field(0, ge=0, description="Zoo only: layers.")
    n_heads: int = Field(0, ge=0, description="Zoo only: attention heads.")
    d_ff: int = Field(
        0, ge=0, description="Zoo only: value vectors per layer (expert)."
    )
    n_experts: int = Field(0, ge=0, description="Zoo only: experts; 0 if dense.")
    steps: int = Field(
        0,
        ge=0,
        description="Optimiser steps. Zoo: to train; else: that the model had, if its "
        "checkpoints are in the table.",
    )
    batch: int = Field(128, ge=1, description="Zoo only: sentences per step.")
    learning_rate: float = Field(0.003, gt=0, description="Zoo only: peak rate.")
    data_share: float = Field(
        1.0, gt=0, le=1, description="Zoo only: share of concepts trained."
    )
    seed: int = Field(0, ge=0, description="Zoo only: seed of weights and order.")
    mechanism: Mechanism = Field(
        "",
        description="Zoo only: what changes specialisation in training: routing "
        "(induces it) or dropout (suppresses it).",
    )
    strength: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Of the mechanism. Routing: share of the gradient withheld from "
        "other blocks; dropout: share of coefficients that is dropped.",
    )
    baseline: str = Field(
        "",
        pattern=f"^$|{SAFE_NAME}",
        description="Zoo only: model that differs in the mechanism alone; both start "
        "from the same weights.",
    )
    trajectory_of: str = Field(
        "", pattern=f"^$|{SAFE_NAME}", description="Training run of a checkpoint."
    )
    trajectory_step: int = Field(
        0, ge=0, description="Optimiser step of a checkpoint of that run."
    )
    scorer: ScorerName = Field("cloze", description="How items are asked.")
    chat: bool = Field(
        default=False, description="Ask in the tokenizer's chat template."
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="Number format while measuring."
    )
    parameters: float | None = Field(
        None, gt=0, description="Published count of parameters, with embeddings."
    )
    released: date | None = Field(None, description="Published release date.")
    mmlu: float | None = Field(
        None, ge=0, le=100, description="Published MMLU score in percent."
    )
    mmlu_source: str = Field("", description="Where the score was read.")
    named_by_paper: bool = Field(
        default=False, description="The paper's digests name this model."
    )

    @property
    def repository(self) -> str:
        """Repository id of a hub model; empty otherwise."""
        return self.source.removeprefix(HUB) if self.source.startswith(HUB) else ""

    @property
    def recipe(self) -> str:
        """What makes the model's folder and manifest, as JSON."""
        return self.model_dump_json(exclude=ABOUT, exclude_defaults=True)

    @model_validator(mode="after")
    def _source(self) -> Self:
        hub = self.source.startswith(HUB)
        if hub and not REPOSITORY.fullmatch(self.repository):
            raise ValueError(
                f"source {self.source!r} holds no repository id like hub:owner/name"
            )
        if hub != bool(self.revision):
            raise ValueError(
                "source is on the hub, so revision is needed: a branch (often main), "
                "tag or commit"
                if hub
                else "revision is for sources that start with hub:"
            )
        if self.source == "zoo" and self.remote_code:
            raise ValueError("remote_code is for published models, not for the zoo")
        return self

    @model_validator(mode="after")
    def _published(self) -> Self:
        if (self.mmlu is None) != (not self.mmlu_source):
            raise ValueError("mmlu and mmlu_source go together: no score unsourced")
        if bool(self.trajectory_of) != bool(self.trajectory_step):
            raise ValueError("trajectory_of and trajectory_step go together")
        if self.trajectory_of and self.source == "zoo":
            raise ValueError(
                "trajectory_of is for published checkpoints; a zoo model's are made "
                "by the study's key zoo.trajectory_steps"
            )
        return self

    @model_validator(mode="after")
    def _zoo(self) -> Self:
        if self.source != "zoo":
            return self
        if self.architecture == "-":
            raise ValueError("a zoo model needs an architecture")
        for name in ("d_model", "n_layers", "n_heads", "d_ff", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"a zoo model needs {name} of at least 1")
        if self.d_model % self.n_heads or (self.d_model // self.n_heads) % 2:
            raise ValueError(
                f"d_model {self.d_model} does not divide into {self.n_heads} heads "
                "of even width"
            )
        mixture = self.architecture == "mixtral"
        allowed = self.n_experts >= 2 if mixture else self.n_experts == 0
        if not allowed:
            raise ValueError("n_experts is for mixtral, which needs at least 2")
        return self

    @model_validator(mode="after")
    def _induced(self) -> Self:
        if not bool(self.mechanism) == bool(self.strength) == bool(self.baseline):
            raise ValueError(
                "mechanism, strength (above 0) and baseline go together: a model "
                "without a mechanism is the plain one"
            )
        if not self.mechanism:
            return self
        if self.source != "zoo":
            raise ValueError("mechanism is for models that the study trains")
        if self.architecture == "mixtral":
            raise ValueError("mechanism is for dense models, not for mixtral")
        if self.mechanism == "dropout" and self.strength == 1:
            raise ValueError("dropout of strength 1 leaves no coefficient to train")
        if self.mechanism == "routing" and self.d_ff % ROUTING_BLOCKS:
            raise ValueError(
                f"d_ff {self.d_ff} does not divide into {ROUTING_BLOCKS} blocks, which "
                "routing needs"
            )
        return self


def read_models(path: Path | str) -> tuple[ModelRow, ...]:
    """Read and validate a model table.

    Raises
    ------
    UserError
        Naming file, row, column, fault and what is allowed.
    """
    found = existing(path, "Name a model table, e.g. config/models/miniature.tsv")
    rows: list[ModelRow] = []
    faults: list[str] = []
    for number, values in enumerate(records(found), start=1):
        if values is None:
            faults.append(f"row {number}: has not as many cells as the header")
            continue
        try:
            rows.append(ModelRow.model_validate(values))
        except ValidationError as error:
            label = values.get("model", "?")
            faults += [f"row {number} ({label}): {f}" for f in plain_faults(error)]
    faults += _twice(rows)
    if not faults:
        faults = [*_trajectory_faults(rows), *_induced_faults(rows)]
    if not rows and not faults:
        faults = ["holds no models"]
    if faults:
        raise UserError(
            found,
            "; ".join(faults),
            "Columns and values are described in config/README.md "
            "(names: letters, digits, '.', '_' and '-')",
        )
    return tuple(rows)


def row_of(path: Path | str, model: str) -> ModelRow:
    """Read a model table and return the row of one model.

    Raises
    ------
    UserError
        Where the table is faulty or has no such model.
    """
    rows = {row.model: row for row in read_models(path)}
    if model not in rows:
        raise UserError(path, f"no model {model!r}", f"Choose one of {', '.join(rows)}")
    return rows[model]


def _twice(rows: list[ModelRow]) -> list[str]:
    counts = Counter(row.model for row in rows)
    return [f"model {n!r} stands twice" for n, count in counts.items() if count > 1]


def _trajectory_faults(rows: list[ModelRow]) -> list[str]:
    """What is wrong with published checkpoints, seen together."""
    by_name = {row.model: row for row in rows}
    places = Counter((r.trajectory_of, r.trajectory_step) for r in rows)
    faults = [
        f"trajectory_of {of!r} has two checkpoints of step {step}"
        for (of, step), count in places.items()
        if of and count > 1
    ]
    for of in sorted({r.trajectory_of for r in rows} & set(by_name)):
        end = by_name[of]
        if end.source == "zoo" or end.trajectory_of:
            faults.append(f"trajectory_of {of!r} is no published, final model")
        elif end.steps <= max(step for name, step in places if name == of):
            faults.append(
                f"trajectory_of {of!r} stands in the table too: its steps must say "
                "how many it had, more than its checkpoints"
            )
    return faults


SET_BY_MECHANISM = {"model", "mechanism", "strength", "baseline"}
"""Columns in which a model may differ from its baseline."""


def _induced_faults(rows: list[ModelRow]) -> list[str]:
    """What is wrong with models of a mechanism, seen beside their baselines."""
    by_name = {row.model: row for row in rows}
    faults, recipes = [], set()
    for row in rows:
        if not row.baseline:
            continue
        plain = by_name.get(row.baseline)
        if plain is None or plain.mechanism:
            faults.append(
                f"baseline {row.baseline!r} of {row.model!r} is no plain model of the "
                "table"
            )
        elif differing := _differing(row, plain):
            faults.append(
                f"{row.model!r} and its baseline {row.baseline!r} differ in "
                f"{', '.join(differing)}: only the mechanism may"
            )
        else:
            recipes.add(plain.model_dump_json(exclude=SET_BY_MECHANISM | {"seed"}))
    if len(recipes) > 1:
        faults.append("baselines differ in more than the seed: one recipe for all")
    return faults


def _differing(row: ModelRow, other: ModelRow) -> list[str]:
    names = [name for name in ModelRow.model_fields if name not in SET_BY_MECHANISM]
    return [name for name in names if getattr(row, name) != getattr(other, name)]


def checkpoint_name(model: str, step: int) -> str:
    """Name of a checkpoint among the measured models.

    >>> checkpoint_name("llama-64", 50)
    'llama-64-step00050'
    """
    return f"{model}-step{step:05d}"
