"""How a table is described, held against its description, written and read.

The descriptions themselves stand in :mod:`paraspec.core.tables`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from paraspec.core.errors import UserError
from paraspec.core.files import atomic_path, existing

Kind = Literal["text", "category", "integer", "number", "flag"]

DTYPES: Mapping[Kind, str] = {
    "text": "str",
    "category": "category",
    "integer": "int64",
    "number": "float64",
    "flag": "bool",
}


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table's name and its columns, in order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def table(name: str, *columns: tuple[str, Kind, str]) -> Table:
    """Describe a table: its name, then (name, kind, meaning) of every column."""
    return Table(name, tuple(Column(*column) for column in columns))


def interval(name: str, meaning: str) -> tuple[tuple[str, Kind, str], ...]:
    """Three columns: an estimate and the ends of its 95 % interval."""
    return (
        (name, "number", meaning),
        (f"{name}_low", "number", "Lower end of its 95 % interval."),
        (f"{name}_high", "number", "Upper end."),
    )


REASON: tuple[str, Kind, str] = (
    "reason",
    "text",
    "Why a value is NaN; empty otherwise.",
)


def checked(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``frame`` with exactly the columns and dtypes of ``table``.

    Raises
    ------
    ValueError
        Where a column is missing or extra: a bug of the step that made the frame.
    """
    missing = [name for name in table.names if name not in frame]
    extra = [name for name in frame if name not in table.names]
    if missing or extra:
        raise ValueError(f"table {table.name}: missing {missing}, unexpected {extra}")
    dtypes = {column.name: DTYPES[column.kind] for column in table.columns}
    return frame[table.names].astype(dtypes)


def plain(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Categories as text, so that joined frames get theirs anew when written."""
    categories = [c.name for c in table.columns if c.kind == "category"]
    return frame.astype(dict.fromkeys(categories, "str"))


def write_table(frame: pd.DataFrame, table: Table, path: Path | str) -> None:
    """Check ``frame`` and write it as parquet or CSV, by the path's ending."""
    ready = checked(frame, table)
    with atomic_path(path) as partial:
        if str(path).endswith(".parquet"):
            ready.to_parquet(partial, index=False, compression="zstd")
        else:
            ready.to_csv(partial, index=False, float_format="%.6g")


def read_table(path: Path | str, table: Table) -> pd.DataFrame:
    """Read a table that :func:`write_table` wrote.

    Raises
    ------
    UserError
        Where the file is missing or is not such a table.
    """
    found = existing(path, f"Run the step that writes the {table.name} table first")
    try:
        return checked(_stored(found, table), table)
    except (ValueError, OSError) as error:
        fault = " ".join(str(error).split())
        raise UserError(found, fault, "Delete the file and run again") from error


def _stored(found: Path, table: Table) -> pd.DataFrame:
    """Read a file as it is; in CSV an empty text is no missing value."""
    if found.suffix == ".parquet":
        return pd.read_parquet(found)
    text = {c.name: str for c in table.columns if c.kind in ("text", "category")}
    frame = pd.read_csv(found, dtype=text)
    present = [name for name in text if name in frame]
    return frame.assign(**{name: frame[name].fillna("") for name in present})
