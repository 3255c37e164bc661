"""``provenance.json``: what a study was made of, by what, and what it cost."""

import json
from pathlib import Path

from pydantic import ValidationError

from paraspec.core.errors import UserError
from paraspec.core.files import existing, write_text
from paraspec.core.validation import Section, plain_faults

NAME = "provenance.json"


class RuleCost(Section):
    """What one rule's jobs took."""

    rule: str
    jobs: int
    seconds: float
    """Sum over jobs of wall-clock time."""
    longest: float | None
    cpu_seconds: float
    """Sum over jobs of processor time, as far as it was sampled."""
    peak_mib: float | None
    """Largest resident memory of any job; None if none was long enough to measure."""


class Commit(Section):
    """State of the checkout that made the study; no commit outside of a checkout."""

    commit: str
    dirty: bool
    """Whether tracked files differed from that commit."""


class Energy(Section):
    """Whether the processor's energy counters can be read."""

    readable: bool
    note: str


class ModelSource(Section):
    """A measured model: where from, at which commit, with which files."""

    source: str
    revision: str
    commit: str
    """Hub models only."""
    files: dict[str, str]
    """SHA-256 of what it is loaded from."""
    hardware: str
    """GPU or processor that its check ran on; its other jobs ask for the same kind."""


class SourceFile(Section):
    """A file that the study was made from."""

    file: str
    sha256: str


class Provenance(Section):
    """All of it."""

    study: str
    git: Commit
    software: dict[str, str]
    hardware: dict[str, str]
    seeds: dict[str, str]
    inputs: dict[str, SourceFile]
    models: dict[str, ModelSource]
    rules: list[RuleCost]
    energy: Energy


def write_provenance(found: Provenance, path: Path) -> None:
    """Write ``provenance.json``."""
    write_text(path, json.dumps(found.model_dump(), indent=1) + "\n")


def read_provenance(path: Path) -> Provenance:
    """Read ``provenance.json``, or say what is wrong with it."""
    text = existing(path, "Run `paraspec provenance` first").read_text(encoding="utf-8")
    try:
        return Provenance.model_validate_json(text)
    except ValidationError as error:
        faults = "; ".join(plain_faults(error))
        raise UserError(path, faults, "Delete it; `snakemake` writes it anew") from None
