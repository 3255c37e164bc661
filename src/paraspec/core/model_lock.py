"""The lock of a model table: which commit each hub model's revision stood for.

A branch moves; results should not. ``config/models/x.lock.tsv`` lies beside ``x.tsv``,
is committed with it, and is written by one command for the whole table. Everything
else only reads it, so that jobs may run side by side.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pydantic import Field, ValidationError

from paraspec.core.errors import UserError
from paraspec.core.files import write_text
from paraspec.core.model_table import ModelRow
from paraspec.core.tsv import records
from paraspec.core.validation import Section, plain_faults

COMMIT = "^[0-9a-f]{40}$"
HEADER = (
    "# Commits that the revisions of {table} stood for when they were first resolved.\n"
    "# Written by `paraspec resolve --models {table}`; commit it with the table.\n"
)
AGAIN = "Run `paraspec resolve --models {}`: it asks anew for what changed"


class Locked(Section):
    """One row of a lock."""

    model: str = Field(description="Name in the model table.")
    repository: str = Field(description="Repository id on the hub.")
    revision: str = Field(description="Branch, tag or commit, as in the model table.")
    commit: str = Field(pattern=COMMIT, description="Commit that it stood for.")
    resolved: date = Field(description="Day on which the hub was asked.")


def lock_path(table: Path) -> Path:
    """Place of a model table's lock."""
    return table.with_suffix(".lock.tsv")


def read_lock(table: Path) -> dict[str, Locked]:
    """Read the lock of a model table by model; empty if there is none yet.

    Raises
    ------
    UserError
        Naming the line and what is wrong with it.
    """
    path = lock_path(table)
    if not path.is_file():
        return {}
    found: dict[str, Locked] = {}
    for number, values in enumerate(records(path), start=1):
        try:
            row = Locked.model_validate(values or {})
        except ValidationError as error:
            faults = "; ".join(plain_faults(error))
            remedy = f"Delete that row. {AGAIN.format(table)}"
            raise UserError(path, f"row {number}: {faults}", remedy) from error
        found[row.model] = row
    return found


def write_lock(table: Path, rows: Sequence[Locked]) -> None:
    """Write the lock of a model table, whole or not at all."""
    text = io.StringIO()
    text.write(HEADER.format(table=table.name))
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(Locked.model_fields)
    writer.writerows(row.model_dump().values() for row in rows)
    write_text(lock_path(table), text.getvalue())


def agrees(row: ModelRow, locked: Locked) -> bool:
    """Whether a lock's row is about the same repository and revision."""
    return (locked.repository, locked.revision) == (row.repository, row.revision)


def locked_commit(table: Path, row: ModelRow) -> str:
    """Commit that a hub model is pinned to.

    Raises
    ------
    UserError
        Where the lock lacks the model or contradicts the table.
    """
    path, locked = lock_path(table), read_lock(table).get(row.model)
    if locked is None:
        fault = f"no commit is locked for model {row.model!r}"
        raise UserError(path, fault, f"Run `paraspec resolve --models {table}`")
    if not agrees(row, locked):
        raise UserError(
            path,
            f"model {row.model!r} is locked as {locked.repository} at "
            f"{locked.revision}, but the table says {row.repository} at {row.revision}",
            AGAIN.format(table),
        )
    return locked.commit
