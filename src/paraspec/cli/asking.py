"""What several measuring commands need: how to ask, controls, and by which code."""

import json
from collections.abc import Mapping
from typing import Literal

import typer

from paraspec.core.closure import code_hash
from paraspec.core.config import Asking, AskingConfig, CausalConfig, ControlsConfig
from paraspec.core.definitions import ScorerName
from paraspec.core.validation import parse


def asking_of(scorer: ScorerName, text: str, *, chat: bool) -> Asking:
    """Read the value of ``--asking``."""
    values = _json(text, "--asking")
    return Asking(scorer, parse(AskingConfig, values, "--asking"), chat)


def controls_of(text: str) -> ControlsConfig | None:
    """Read the value of ``--controls``: none where it is empty."""
    if not text:
        return None
    return parse(ControlsConfig, _json(text, "--controls"), "--controls")


def causal_of(text: str) -> CausalConfig:
    """Read the value of ``--causal``."""
    return parse(CausalConfig, _json(text, "--causal"), "--causal")


def _json(text: str, option: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"{option} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{option} is no JSON object")
    return found


def measuring_code(step: Literal["extract", "score"]) -> str:
    """Hash of a step's code; what other code has computed is not taken over."""
    return code_hash("paraspec.cli.measure", step)
