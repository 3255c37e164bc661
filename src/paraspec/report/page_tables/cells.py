"""What a table of the page is, and how each kind of cell is written."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from paraspec.core.definitions import ALL
from paraspec.report import numbers

POOLED = "mean of models"
"""What rows that average over models are called."""


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller second line, and whether it is a number."""

    text: str
    small: str = ""
    numeric: bool = True
    value: float = math.nan
    """What the cell is sorted by; NaN: by its text."""
    link: str = ""
    """Place on the page that the text leads to."""


@dataclass(frozen=True)
class PageTable:
    """A table of the page."""

    name: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]] = field(default_factory=list)
    empty: str = "No rows."
    fold: str = ""
    """Words to click for the table to unfold; empty: it always shows."""


Write = Callable[[pd.Series], Cell]
"""Writer of one column's cell, given its row."""


def words(column: str) -> Write:
    """Cell of a text column."""
    return lambda row: Cell(str(row[column]), numeric=False)


def figure(column: str, write: Callable[[float], str] = numbers.number) -> Write:
    """Cell of a number column."""
    return lambda row: Cell(write(float(row[column])), value=float(row[column]))


def estimate(column: str) -> Write:
    """Cell of an estimate, its interval below."""
    return lambda row: Cell(
        numbers.number(row[column]),
        numbers.interval(row[f"{column}_low"], row[f"{column}_high"]),
        value=float(row[column]),
    )


def model(row: pd.Series) -> Cell:
    """Cell of a model's name, which leads to its page."""
    name = str(row["model"])
    if name == ALL:
        return Cell(POOLED, numeric=False)
    return Cell(name, numeric=False, link=f"#model={name}")


def flag(column: str) -> Write:
    """Cell of a yes or no."""
    return lambda row: Cell("yes" if row[column] else "no", numeric=False)


def page_table(
    name: str,
    caption: str,
    frame: pd.DataFrame,
    columns: dict[str, Write],
    empty: str = "No rows.",
    fold: str = "",
) -> PageTable:
    """Write each row of ``frame`` with the columns' writers."""
    rows = [
        [write(row) for write in columns.values()]
        for _, row in frame.reset_index(drop=True).iterrows()
    ]
    return PageTable(name, caption, list(columns), rows, empty, fold)


def parameters(row: pd.Series) -> Cell:
    """Cell of a model's parameters, and how many one token uses."""
    total, active = row["parameters_total"], row["parameters_active"]
    small = f"{numbers.parameters(active)} active" if active != total else ""
    return Cell(numbers.parameters(total), small, value=float(total))
