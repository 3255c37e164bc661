"""Validation that configuration and model table share: strict sections, plain words."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from paraspec.core.errors import UserError

SAFE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"


class Section(BaseModel):
    """Part of a configuration: unknown keys and odd numbers are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def plain_faults(error: ValidationError) -> list[str]:
    """Pydantic's findings as one short line each: field, fault, offending value."""
    lines = []
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        given = "" if isinstance(fault["input"], Mapping) else f" (got {_short(fault)})"
        lines.append(f"{place}: {message}{given}" if place else message)
    return lines


def _short(fault: Mapping[str, object]) -> str:
    text = repr(fault["input"])
    return text if len(text) <= 60 else text[:57] + "..."


SectionT = TypeVar("SectionT", bound=Section)


def parse(
    section: type[SectionT], values: Mapping[str, object], where: str
) -> SectionT:
    """Validate a configuration or a section of one; every fault in one message."""
    try:
        return section.model_validate(dict(values))
    except ValidationError as error:
        raise UserError(
            where, "; ".join(plain_faults(error)), "See config/README.md for each key"
        ) from error
