"""One model of a study: what it is and what was measured of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paraspec.core.definitions import NONE, Mechanism, primary_ratio
from paraspec.core.errors import UserError
from paraspec.core.files import existing
from paraspec.core.model_table import ModelRow
from paraspec.core.table import Table, checked
from paraspec.core.tables.measured import COLLATERAL
from paraspec.core.tables.per_model import OVERLAP, PLANTED, SELECTION
from paraspec.stats.answers import Answers
from paraspec.stats.induced_answers import Certainty
from paraspec.stats.items import MaskKind, Measured

Kind = Literal["zoo", "published"]
"""Whether a model was trained by the study, on its concepts."""


UNMASKED = MaskKind("none", NONE, NONE)


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
    mechanism: Mechanism = ""
    """What changed specialisation in training on purpose."""
    strength: float = 0.0
    baseline: str = ""
    """Model trained alike without the mechanism."""
    tokens_seen: int = Field(0, ge=0)
    """Tokens met in training; 0 if unknown."""
    trajectory: Trajectory | None = None
    source: str = ""
    released: date | None = None
    mmlu: float | None = None
    """Published MMLU score in percent."""

    @property
    def kind(self) -> Kind:
        """Whether the study trained the model on its concepts."""
        return "zoo" if self.trained_on_study else "published"


def read_card(path: Path) -> Card:
    """Read ``model.json``.

    The release date and the MMLU score stand in the model table alone, see
    :func:`published`.

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


def published(card: Card, rows: Mapping[str, ModelRow]) -> Card:
    """``card`` with what the model table knows of the model's publication."""
    row = rows.get(card.model)
    if row is None:
        return card
    return card.model_copy(update={"released": row.released, "mmlu": row.mmlu})


@cache
def no_rows(table: Table) -> pd.DataFrame:
    """A table that was not measured: the same empty frame for all who lack it."""
    return checked(pd.DataFrame(columns=table.names), table)


@dataclass(frozen=True)
class Described:
    """What stands beside the answers; tables without rows where it was not measured."""

    selection: pd.DataFrame = field(default_factory=lambda: no_rows(SELECTION))
    overlap: pd.DataFrame = field(default_factory=lambda: no_rows(OVERLAP))
    collateral: pd.DataFrame = field(default_factory=lambda: no_rows(COLLATERAL))
    planted: pd.DataFrame = field(default_factory=lambda: no_rows(PLANTED))


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
    answers: Answers = field(default_factory=Answers)
    """Single answers at the primary ratio, for what sums per concept cannot tell."""
    described: Described = field(default_factory=Described)
    bits: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Bits that unmasked answers tell: concept by half."""
    unseen: Certainty = field(default_factory=Certainty)
    """Certainty of answers about concepts never met."""

    @property
    def primary(self) -> float:
        """Pre-registered mask ratio."""
        return primary_ratio(self.card.parameters_total)

    @cached_property
    def active_shares(self) -> dict[MaskKind, float]:
        """Mean share of active value vectors that a mask hits at the primary ratio."""
        known = self.masks["concept"].isin(self.measured.concepts.index)
        rows = self.masks[known & np.isclose(self.masks["ratio"], self.primary)]
        keys = list(MaskKind._fields)
        shares = rows.groupby(keys, observed=True)["active_share"].mean()
        names = map(MaskKind._make, shares.index.to_flat_index())
        return dict(zip(names, shares.astype(float), strict=True))

    @cached_property
    def selections(self) -> dict[str, pd.DataFrame]:
        """What each selector's masks are made of, by concept (knowledge only)."""
        rows = self.described.selection
        known = rows[rows["concept"].isin(self.measured.concepts.index)]
        parts = known.groupby("selector")
        return {str(name): part.set_index("concept") for name, part in parts}

    def find(self, kind: MaskKind) -> int | None:
        """Cell of a mask at the primary ratio; None where it was not measured."""
        return self.measured.find(kind.mask, self.primary, *kind[1:])

    @cached_property
    def kinds(self) -> frozenset[MaskKind]:
        """Masks that were measured at the primary ratio."""
        cells = self.measured.cells
        return frozenset(c.kind for c in cells if np.isclose(c.ratio, self.primary))

    @cached_property
    def neutral_losses(self) -> dict[MaskKind, pd.Series]:
        """Each mask's loss on neutral text by concept, at the primary ratio.

        Means over halves and draws, weighted by tokens; nats per token.
        """
        rows = self.described.collateral
        at = np.isclose(rows["ratio"], self.primary) | (rows["mask"] == "none")
        keys = [*MaskKind._fields, "concept"]
        rows = rows[at].astype(dict.fromkeys(keys, "str"))
        rows = rows.assign(loss=rows["loss"] * rows["n_tokens"])
        sums = rows.groupby(keys)[["loss", "n_tokens"]].sum()
        means = (sums["loss"] / sums["n_tokens"]).unstack("concept")
        return {MaskKind(*key): means.loc[key] for key in means.index.to_flat_index()}

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
