"""Pre-registered claims: ``config/claims.yaml``, validated."""

from datetime import date
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from paraspec.core.errors import UserError
from paraspec.core.files import existing


class Control(BaseModel):
    """What the claim's effect must not also do, or must exceed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="The control in words.")
    statistic: str = Field(description="Row of correlations or estimates, by id.")
    must: Literal["exceed_zero", "not_replicate"] = Field(
        description="Pass if its interval excludes 0 in the claim's direction, or if "
        "it does not lie beyond the claim's smallest effect."
    )


class Claim(BaseModel):
    """One claim, fixed before the first full run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Unique key.")
    claim: str = Field(min_length=1, description="The claim in words.")
    source: str = Field(min_length=1, description="Where it was made.")
    statistic: str | None = Field(
        None, description="Row of correlations or estimates, by id."
    )
    direction: Literal["positive", "negative"] = "positive"
    asserts: Literal["effect", "absence"] = Field(
        "effect",
        description="absence: that there is no more than a negligible effect in the "
        "direction (non-inferiority).",
    )
    smallest_effect: float | None = Field(
        None, gt=0, description="Smallest effect of interest, without sign."
    )
    margin: float | None = Field(
        None, gt=0, description="Equivalence margin, at most the smallest effect."
    )
    control: Control | None = None
    applies_to: Literal["any", "zoo", "published"] = Field(
        "any",
        description="Models that the statistic must have been computed on; zoo: "
        "trained by the study on its concepts.",
    )
    not_testable: str = Field("", description="Why this study cannot test it.")
    figure: str = Field("", description="Figure of the report that shows it.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        numbers = (self.statistic, self.smallest_effect, self.margin, self.control)
        if self.not_testable:
            if any(value is not None for value in numbers):
                raise ValueError("a claim that is not_testable takes no statistic")
            return self
        if any(value is None for value in numbers):
            needed = "statistic, smallest_effect, margin and control"
            raise ValueError(f"needs {needed}, or not_testable with the reason")
        if (self.margin or 0) > (self.smallest_effect or 0):
            raise ValueError("margin must not exceed smallest_effect")
        return self


class Edit(BaseModel):
    """A change of the file after the first full run; the report lists it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: date = Field(description="Day of the change.")
    claim: str = Field(min_length=1, description="Id of the claim that changed.")
    change: str = Field(min_length=1, description="What changed, and why.")
    old_verdict: str = Field(min_length=1, description="Verdict before the change.")


class ClaimsFile(BaseModel):
    """``config/claims.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claims: tuple[Claim, ...] = Field(min_length=1, description="The claims.")
    edits: tuple[Edit, ...] = Field((), description="Later changes of this file.")

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [claim.id for claim in self.claims]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"id {', '.join(twice)} occurs more than once")
        return self


def read_claims(path: Path) -> tuple[Claim, ...]:
    """Read ``claims.yaml``.

    Raises
    ------
    UserError
        Naming the file, the claim, the key, the fault and what is allowed.
    """
    found = existing(path, "Name the claims file with --claims")
    try:
        content = yaml.safe_load(found.read_text(encoding="utf-8"))
        return ClaimsFile.model_validate(content).claims
    except yaml.YAMLError as error:
        fault = f"not YAML ({' '.join(str(error).split())})"
        raise UserError(path, fault, "Mend the syntax") from error
    except ValidationError as error:
        raise _fault(path, content, error) from error


def _fault(path: Path, content: object, error: ValidationError) -> UserError:
    first = error.errors()[0]
    loc = [str(part) for part in first["loc"]]
    place = ".".join(loc) or "top level"
    if len(loc) > 1 and isinstance(content, dict):
        entry = content["claims"][int(loc[1])]
        name = entry.get("id", "?") if isinstance(entry, dict) else "?"
        place = f"claim {name} (number {int(loc[1]) + 1}), {'.'.join(loc[2:]) or 'it'}"
    allowed = Control if "control" in loc else Claim if len(loc) > 1 else ClaimsFile
    keys = ", ".join(allowed.model_fields)
    message = first["msg"].removeprefix("Value error, ")
    return UserError(f"{path}, {place}", message, f"Allowed keys: {keys}")
