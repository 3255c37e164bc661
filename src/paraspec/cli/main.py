"""The ``paraspec`` command."""

import errno
import logging
import sys
from importlib import import_module

import typer

from paraspec.core.errors import UserError

app = typer.Typer(
    name="paraspec",
    help="How a language model's MLP value vectors share out what it knows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

GROUPS = {"data": "Make and check concept files; plan a study from them."}
STEPS = {
    "measure": "measure_one",
    "plan": "plan",
    "tokenizer": "zoo",
    "train": "zoo",
    "resolve": "published",
    "fetch": "published",
    "register": "published",
    "check": "check",
    "extract": "measure",
    "score": "measure",
    "plant": "plant",
    "finetune": "finetune",
    "pss": "stats",
    "ablate": "stats",
    "correlate": "stats",
    "judge": "stats",
    "verify": "stats",
    "figures": "report",
    "report": "report",
    "provenance": "provenance",
    "verdicts": "verdicts",
    "doctor": "doctor",
    "pull": "share",
    "push": "share",
    "explain": "explain",
    "why": "why",
    "schemas": "schemas",
}
"""Command name to the module of this room that defines a function of that name."""


UNWRITABLE = {
    errno.ENOSPC: "Free some space and run again: what is finished is not repeated",
    errno.EDQUOT: "Free some of your quota and run again: what is finished is kept",
    errno.EROFS: "Mount it for writing, or write elsewhere",
}
"""What to do about errors of a file system that are no fault of the program."""


def entry_point(command: str) -> tuple[str, str]:
    """Module and function of a command such as ``train`` or ``data build``."""
    *group, function = command.split()
    return f"paraspec.cli.{group[0] if group else STEPS[command]}", function


def _mount() -> None:
    for group, text in GROUPS.items():
        app.add_typer(import_module(f"paraspec.cli.{group}").app, name=group, help=text)
    for command, module in STEPS.items():
        step = getattr(import_module(f"paraspec.cli.{module}"), command)
        app.command(command)(step)


def main() -> None:
    """Run the command line; faults of the user's become one message and exit 1."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("paraspec").setLevel(logging.INFO)  # libraries tell faults only
    _mount()
    try:
        app()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        typer.echo(f"error: {error}. {UNWRITABLE[error.errno]}", err=True)
        sys.exit(1)
