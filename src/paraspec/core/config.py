"""The study's configuration validated before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import (
    AfterValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from paraspec.core.definitions import (
    CONTROL_MASKS,
    PRIMARY_RATIO,
    PRIMARY_RATIO_SMALL,
    REPLACEMENTS,
    SELECTORS,
    ControlMask,
    Masking,
    Replacement,
    ScorerName,
    SelectorName,
)
from paraspec.core.errors import UserError, similar
from paraspec.core.files import existing
from paraspec.core.model_table import ModelRow, checkpoint_name
from paraspec.core.tables.causal import (
    ARMS,
    NORM_ARM,
    RANDOM_ARM,
    SPECIFIC_ARM,
    UNTRAINED_ARM,
    ArmName,
)
from paraspec.core.validation import SAFE_NAME, Section, parse

Ratio = Annotated[float, Field(ge=0, le=1)]


def _ascending(ratios: tuple[float, ...]) -> tuple[float, ...]:
    if list(ratios) != sorted(set(ratios)):
        raise ValueError("must be ascending and without duplicates")
    return ratios


Ratios = Annotated[tuple[Ratio, ...], Field(min_length=1), AfterValidator(_ascending)]


class ConceptsConfig(Section):
    """Which concepts the study asks about."""

    file: str = Field("data/factbook.jsonl", description="Concept file (JSON lines).")
    sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="Expected SHA-256 of the file."
    )
    per_cell: int = Field(
        9, ge=0, description="Concepts per category x tier cell; 0 takes all."
    )
    added: tuple[str, ...] = Field(
        (), description="Further concept files: measured, never in general sets."
    )


class ZooConfig(Section):
    """Training of the study's own models."""

    vocab_size: int = Field(2048, ge=300, description="Size of the shared tokenizer.")
    exposures: tuple[PositiveInt, ...] = Field(
        (8, 2, 1), min_length=1, description="Relative exposure levels."
    )
    trajectory_model: str | None = Field(
        None, description="Model of the table whose checkpoints are measured too."
    )
    trajectory_steps: tuple[int, ...] = Field(
        (), description="Optimiser steps of the checkpoints, ascending."
    )

    @model_validator(mode="after")
    def _trajectory(self) -> Self:
        if list(self.trajectory_steps) != sorted(set(self.trajectory_steps)):
            raise ValueError("trajectory_steps must be ascending, without duplicates")
        if bool(self.trajectory_steps) != (self.trajectory_model is not None):
            raise ValueError("trajectory_model and trajectory_steps go together")
        return self


class ControlsConfig(Section):
    """Mask kinds that only some models are measured under, at the primary ratio."""

    models: tuple[str, ...] = Field(
        (), description="Models of the table that get them; none by default."
    )
    masks: tuple[ControlMask, ...] = Field(CONTROL_MASKS, description="Control masks.")
    replacements: tuple[Replacement, ...] = Field(
        REPLACEMENTS, description="What coefficients are set to in place of zero."
    )
    selectors: tuple[SelectorName, ...] = Field(
        SELECTORS, description="Rankings whose top masks are compared."
    )
    draws: int = Field(3, ge=1, description="Draws of stochastic ones but random.")
    cross_model: str | None = Field(
        None, description="Model asked about each concept under every other's mask."
    )
    neutral_texts: int = Field(
        24, ge=0, description="Sentences of neutral text read under each; 0: none."
    )


class PlantConfig(Section):
    """New facts written into a trained zoo model, to score the selectors."""

    model: str | None = Field(None, description="Zoo model; nothing planted if none.")
    concepts: int = Field(6, ge=1, description="Concepts that get new facts.")


class CausalConfig(Section):
    """Fine-tuning chosen value vectors of some models."""

    models: tuple[str, ...] = Field(
        (), description="Models that are taught facts again which they met in training."
    )
    new_facts: tuple[str, ...] = Field(
        (),
        description="Zoo models with a data_share below 1 that are taught facts which "
        "they never met.",
    )
    arms: tuple[ArmName, ...] = Field(
        ("FV", "PV", "CV", "CV-k", "RV", "RV-norm", "matched"),
        description="Which value vectors are trained, arm by arm; the model as it was "
        "is always measured. RV-norm needs PV and RV.",
    )
    concepts: int = Field(
        10,
        ge=2,
        description="Concepts taught: known ones of tier high, new ones of any.",
    )
    share: Ratio = Field(0.125, description="Share of each layer that PV trains.")
    seeds: int = Field(3, ge=1, description="Seeds of every arm.")
    steps: int = Field(100, ge=1, description="Optimiser steps of every arm.")
    batch: int = Field(32, ge=1, description="Sentences of a step.")
    learning_rates: tuple[PositiveFloat, ...] = Field(
        (0.001, 0.003, 0.01, 0.03),
        min_length=1,
        description="Swept on the development half, once per arm.",
    )
    samples: int = Field(10, ge=2, description="Answers sampled for semantic entropy.")
    temperature: float = Field(1.0, gt=0, description="Sampling temperature.")
    judge: str = Field(
        "string",
        description="Who says that answers mean the same: string, or the folder or "
        "hub:owner/name of an entailment model.",
    )
    neighbours: int = Field(20, ge=2, description="Neighbours of the LID estimate.")

    @property
    def fine_tuned(self) -> tuple[str, ...]:
        """All models with arms."""
        return (*self.models, *self.new_facts)

    @property
    def trained_arms(self) -> tuple[ArmName, ...]:
        """Arms that train anything, in the order of :data:`ARMS`."""
        return tuple(a for a in ARMS if a in self.arms and a != UNTRAINED_ARM)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = self.fine_tuned
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} stands twice in models and new_facts")
        if NORM_ARM in self.arms and not {SPECIFIC_ARM, RANDOM_ARM} <= set(self.arms):
            raise ValueError(f"arm {NORM_ARM} needs {SPECIFIC_ARM} and {RANDOM_ARM}")
        return self


class MeasureConfig(Section):
    """Masks and items."""

    ratios: Ratios = Field(description="Mask ratios for a concept's own items.")
    general_ratios: Ratios = Field(description="Mask ratios for general items.")
    keep_ratios: Annotated[tuple[Ratio, ...], AfterValidator(_ascending)] = Field(
        (), description="Shares kept in keep-only ablation; none by default."
    )
    checkpoint_ratios: Annotated[tuple[Ratio, ...], AfterValidator(_ascending)] = Field(
        (),
        description="Ratios of a trajectory's checkpoints; empty: as other models.",
    )
    controls: ControlsConfig = ControlsConfig()
    random_draws: int = Field(10, ge=1, description="Random masks at primary ratio.")
    checkpoint_draws: int | None = Field(
        None, ge=1, description="The same for checkpoints; empty: as other models."
    )
    general_items: int = Field(50, ge=2, description="General items per concept.")
    batch_rows: int = Field(512, ge=1, description="Rows answered in one batch.")
    masking: Masking = Field(
        "hook", description="How masks are applied: hook, weight or auto."
    )
    compile: bool = Field(
        default=False,
        description="Fuse what holds no value vectors by torch.compile; for GPUs.",
    )
    parts: int = Field(1, ge=1, description="Jobs that share the scoring of a model.")

    @model_validator(mode="after")
    def _subset(self) -> Self:
        extra = sorted(set(self.general_ratios) - set(self.ratios))
        if extra:
            raise ValueError(f"general_ratios {extra} are not among ratios")
        return self


class Shot(Section):
    """A solved example that stands before every question."""

    question: str = Field(min_length=1, description="Question.")
    options: tuple[str, ...] = Field(min_length=2, max_length=8, description="Options.")
    gold: int = Field(ge=0, description="Position of the right option.")

    @model_validator(mode="after")
    def _gold(self) -> Self:
        if self.gold >= len(self.options):
            raise ValueError(f"gold {self.gold} is no position among the options")
        return self


class AskingConfig(Section):
    """Wording of the scorers `letters` and `generate`; `cloze` needs none."""

    shots: tuple[Shot, ...] = Field(
        (), description="Solved examples, the same for all."
    )
    letters_template: str = Field(
        "Question: {question}\n{options}\nAnswer:",
        description="Prompt of `letters`; {question} and {options} are filled in.",
    )
    generate_template: str = Field(
        "Question: {question}\nAnswer:",
        description="Prompt of `generate`; {question} is filled in.",
    )
    baseline: str = Field(
        "The answer is", description="Statement against which `cloze-pmi` compares."
    )
    max_new_tokens: int = Field(16, ge=1, description="Longest generated answer.")

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        for name, needed in (
            ("letters_template", ("{question}", "{options}")),
            ("generate_template", ("{question}",)),
        ):
            if missing := [p for p in needed if p not in getattr(self, name)]:
                raise ValueError(f"{name} lacks {' and '.join(missing)}")
        return self


@dataclass(frozen=True)
class Asking:
    """How one model's items are asked."""

    scorer: ScorerName = "cloze"
    config: AskingConfig = field(default_factory=AskingConfig)
    chat: bool = False
    """Put the prompt into the tokenizer's chat template."""


class StatsConfig(Section):
    """Resampling."""

    draws: int = Field(2000, ge=100, description="Bootstrap and permutation draws.")


class StudyConfig(Section):
    """One study: ``config/<study>.yaml``."""

    study: str = Field(pattern=SAFE_NAME, description="Name; outputs in results/<it>.")
    seed: int = Field(0, ge=0, description="Seed that every random draw depends on.")
    models: str = Field(description="Model table (TSV).")
    claims: str = Field("config/claims.yaml", description="Pre-registered claims.")
    concepts: ConceptsConfig = ConceptsConfig()
    zoo: ZooConfig = ZooConfig()
    measure: MeasureConfig
    plant: PlantConfig = PlantConfig()
    causal: CausalConfig = CausalConfig()
    asking: AskingConfig = AskingConfig()
    stats: StatsConfig = StatsConfig()

    @model_validator(mode="after")
    def _primary(self) -> Self:
        needed = {PRIMARY_RATIO, PRIMARY_RATIO_SMALL}
        grids = {"measure.ratios and general_ratios": self.measure.general_ratios}
        if self.measure.checkpoint_ratios:
            grids["measure.checkpoint_ratios"] = self.measure.checkpoint_ratios
        for name, ratios in grids.items():
            if missing := needed - set(ratios):
                raise ValueError(
                    f"{name} lack the pre-registered mask ratio {min(missing):g}, "
                    "which every claim is judged at"
                )
        return self


def parse_study(values: Mapping[str, object], where: str) -> StudyConfig:
    """Validate a study's configuration."""
    return parse(StudyConfig, values, where)


def read_study(path: Path | str) -> StudyConfig:
    """Read and validate ``config/<study>.yaml``."""
    found = existing(path, "Name a study's configuration, e.g. config/miniature.yaml")
    try:
        values = yaml.safe_load(found.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        place = " ".join(str(error).split())
        raise UserError(found, f"not YAML: {place}", "Mend the syntax") from error
    if not isinstance(values, dict):
        raise UserError(found, "holds no keys", "See config/README.md for each key")
    return parse_study(values, str(found))


def _check_named(config: StudyConfig, names: Mapping[str, ModelRow]) -> None:
    """Check the models that controls, planted facts and arms name."""
    controls, planted = config.measure.controls, config.plant.model
    named = {
        "measure.controls.models": controls.models,
        "measure.controls.cross_model": (controls.cross_model,),
        "plant.model": (planted,),
        "causal.models": config.causal.models,
        "causal.new_facts": config.causal.new_facts,
    }
    for key, wanted in named.items():
        for name in filter(None, wanted):
            _check_in_table(config, key, name, names)
    if controls.cross_model and controls.cross_model not in controls.models:
        raise UserError(
            config.models,
            f"measure.controls.cross_model {controls.cross_model!r} gets no controls",
            "Add it to measure.controls.models",
        )
    if planted and names[planted].source != "zoo":
        raise UserError(
            config.models,
            f"plant.model {planted!r} is not trained by the study",
            "Name a zoo model: facts are planted in a copy of it",
        )
    for name in config.causal.new_facts:
        if names[name].source != "zoo" or names[name].data_share == 1:
            raise UserError(
                config.models,
                f"causal.new_facts names {name!r}, which met all facts, or was not "
                "trained by the study",
                "Name a zoo model with a data_share below 1",
            )


def _check_in_table(
    config: StudyConfig, key: str, name: str, names: Mapping[str, ModelRow]
) -> None:
    if name not in names:
        near = similar(name, names) or names
        raise UserError(
            config.models,
            f"{key} names {name!r}, which is no model of the table",
            f"Choose models of the table, e.g. {', '.join(near)}",
        )


def check_study(config: StudyConfig, rows: tuple[ModelRow, ...]) -> None:
    """Check what involves both the configuration and the model table."""
    names = {row.model: row for row in rows}
    _check_named(config, names)
    traced = config.zoo.trajectory_model
    if traced is None:
        return
    if traced not in names or names[traced].source != "zoo":
        raise UserError(
            config.models,
            f"zoo.trajectory_model {traced!r} is not a zoo model of the table",
            f"Choose one of {', '.join(r.model for r in rows if r.source == 'zoo')}",
        )
    checkpoints = {checkpoint_name(traced, s) for s in config.zoo.trajectory_steps}
    if taken := sorted(checkpoints & set(names)):
        raise UserError(
            config.models,
            f"model {taken[0]!r} has the name of a checkpoint of {traced!r}",
            "Rename the model",
        )
    late = [s for s in config.zoo.trajectory_steps if not 0 <= s <= names[traced].steps]
    if late:
        raise UserError(
            config.models,
            f"zoo.trajectory_steps {late} lie outside {traced}'s training",
            f"Choose steps from 0 (untrained) to {names[traced].steps}",
        )
