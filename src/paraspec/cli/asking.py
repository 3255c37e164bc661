"""What `score` and `measure` both need: how to ask, and by which code."""

import json

import typer

from paraspec.core.closure import code_hash
from paraspec.core.config import Asking, AskingConfig
from paraspec.core.definitions import ScorerName
from paraspec.core.validation import parse


def asking_of(scorer: ScorerName, text: str, *, chat: bool) -> Asking:
    """Read the value of ``--asking``."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"--asking is not JSON: {error}") from error
    return Asking(scorer, parse(AskingConfig, values, "--asking"), chat)


def scoring_code() -> str:
    """Hash of the code that answers; what other code answered is not taken over."""
    return code_hash("paraspec.cli.measure", "score")
