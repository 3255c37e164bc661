"""All models of a study side by side, under the same resampled concepts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paraspec.core.definitions import primary_ratio
from paraspec.core.errors import UserError
from paraspec.core.files import existing
from paraspec.stats.bootstrap import Estimate, FloatArray, estimate
from paraspec.stats.effects import QUANTITIES, Effects, accuracy, effects
from paraspec.stats.items import PRIMARY_KINSHIP, Measured, N, aligned
from paraspec.stats.pss import concept_weights


class Trajectory(BaseModel):
    """Place of a checkpoint in a training run."""

    of: str
    step: int


class Card(BaseModel):
    """What ``model.json`` says about a model, as far as statistics need it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str
    family: str
    architecture: str
    n_experts: int = Field(ge=0)
    parameters_total: int = Field(gt=0)
    parameters_active: int = Field(gt=0)
    d_model: int
    n_layers: int
    steps: int = 0
    seed: int = 0
    trained_on_study: bool = True
    trajectory: Trajectory | None = None
    source: str = ""


def read_card(path: Path) -> Card:
    """Read ``model.json``.

    Raises
    ------
    UserError
        Where it is missing, is not JSON, or lacks a key.
    """
    found = existing(path, "Train or register the model first")
    try:
        return Card(**json.loads(found.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, TypeError) as error:
        raise UserError(path, f"not a JSON object ({error})", "Make it anew") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(
            path, f"key {key}: {first['msg']}", "Make the model folder anew"
        ) from error


@dataclass(frozen=True)
class Record:
    """One model: what it is and what was measured."""

    card: Card
    measured: Measured
    pss: pd.DataFrame
    efficiency: pd.DataFrame
    never_seen: float
    """Unmasked accuracy on concepts never met; NaN if there are none."""
    masks: pd.DataFrame
    """Table ``masks``: what every mask selects."""

    @property
    def primary(self) -> float:
        """Pre-registered mask ratio."""
        return primary_ratio(self.card.parameters_total)

    def active_share(self, mask: str) -> float:
        """Mean share of active value vectors that a mask hits at the primary ratio."""
        chosen = self.masks[
            (self.masks["mask"] == mask)
            & (self.masks["ablation"] == "zero")
            & np.isclose(self.masks["ratio"], self.primary)
        ]
        return float(chosen["active_share"].mean())

    @property
    def checkpoint(self) -> bool:
        """A checkpoint of a trajectory: never in cross-model statistics."""
        return self.card.trajectory is not None

    @property
    def dense(self) -> bool:
        """No mixture of experts."""
        return self.card.n_experts == 0


def never_seen_accuracy(items: pd.DataFrame) -> float:
    """Accuracy over the distinct items on never-seen concepts; NaN without any."""
    plain = items[items["mask"] == "none"].drop_duplicates("item")
    return float(plain["correct"].mean()) if len(plain) else np.nan


@dataclass(frozen=True)
class Study:
    """Models on one concept axis, with the resampled concepts of every interval."""

    records: tuple[Record, ...]
    concepts: tuple[str, ...]
    weights: FloatArray
    """Axes: the sample and then the draws; concept."""
    selector: str
    seed: int

    @cached_property
    def models(self) -> tuple[Record, ...]:
        """All models but checkpoints."""
        return tuple(r for r in self.records if not r.checkpoint)

    @cached_property
    def primary_models(self) -> tuple[Record, ...]:
        """Models of the primary analysis: dense, no checkpoints (decision 7)."""
        return tuple(r for r in self.models if r.dense)

    @property
    def draws(self) -> int:
        """Bootstrap draws."""
        return len(self.weights) - 1

    def effects(
        self,
        record: Record,
        mask: str,
        *,
        ratio: float | None = None,
        kinship: str = PRIMARY_KINSHIP,
        half: str = "",
        origin: str = "",
        only: FloatArray | None = None,
    ) -> Effects:
        """Effects of a mask in the sample and in every draw; NaN if not measured.

        Parameters
        ----------
        record
            The model.
        mask
            Mask kind.
        ratio
            Mask ratio; the model's primary one by default.
        kinship, half, origin
            Items to use; all of them where empty.
        only
            1 for concepts to use and 0 for others; all by default.
        """
        wanted = record.primary if ratio is None else ratio
        cell = record.measured.find(mask, wanted, self.selector)
        if cell is None:
            return _undefined(len(self.weights))
        totals = record.measured.totals(cell, kinship, half, origin)
        return effects(totals @ self._weights(only).T, record.measured.overall)

    def accuracy(
        self,
        record: Record,
        *,
        half: str = "",
        origin: str = "",
        only: FloatArray | None = None,
    ) -> FloatArray:
        """Unmasked accuracy on concept items in the sample and in every draw."""
        own = record.measured.own(0, half, origin)
        return accuracy(own @ self._weights(only).T)

    def n_concepts(self, record: Record) -> int:
        """Concepts that the model was measured on."""
        return int((record.measured.own()[N] > 0).sum())

    def estimate(self, record: Record, values: FloatArray) -> Estimate:
        """Estimate of one model with its concept-bootstrap interval."""
        return estimate(values, self.n_concepts(record))

    def _weights(self, only: FloatArray | None) -> FloatArray:
        return self.weights if only is None else self.weights * only


def study_of(
    records: Sequence[Record], draws: int, seed: int, selector: str = ""
) -> Study:
    """Put models on one concept axis and draw the resampled concepts.

    Raises
    ------
    UserError
        Where the models were measured with several selectors and none is named.
    """
    concepts = sorted({c for r in records for c in r.measured.concepts.index})
    put = tuple(replace(r, measured=aligned(r.measured, concepts)) for r in records)
    return Study(
        records=put,
        concepts=tuple(concepts),
        weights=concept_weights(len(concepts), draws, seed),
        selector=selector or _only_selector(records),
        seed=seed,
    )


def _only_selector(records: Sequence[Record]) -> str:
    found = sorted(
        {c.selector for r in records for c in r.measured.cells if c.mask == "top"}
    )
    if len(found) > 1:
        fault = f"the models were masked with the selectors {', '.join(found)}"
        raise UserError("items.parquet", fault, "Name one with --selector")
    return found[0] if found else ""


def _undefined(n: int) -> Effects:
    return Effects(**{name: np.full(n, np.nan) for name in QUANTITIES})
