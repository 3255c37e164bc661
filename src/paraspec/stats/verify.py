"""Compare a run's tables with reference tables, within stated tolerances."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paraspec.core.errors import UserError
from paraspec.core.files import existing
from paraspec.core.tables.judged import VERIFY


class Tolerance(BaseModel):
    """How far a column may move between runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tolerance: float = Field(ge=0, description="Largest absolute difference; 0: equal.")
    interval: bool = Field(
        default=False,
        description="The reference's interval is the tolerance, where it has one.",
    )
    reason: str = Field(min_length=1, description="Why so much and no more.")


class TableRule(BaseModel):
    """Which columns of a table are compared, and what identifies a row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: tuple[str, ...] = Field(min_length=1, description="Columns that name a row.")
    columns: dict[str, Tolerance] = Field(min_length=1, description="Per column.")


class Rules(BaseModel):
    """``config/verify.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, TableRule] = Field(min_length=1, description="Per table.")


def read_rules(path: Path) -> dict[str, TableRule]:
    """Read ``verify.yaml``.

    Raises
    ------
    UserError
        Naming the file, the key and the fault.
    """
    found = existing(path, "Name the tolerances with --tolerances")
    try:
        return Rules.model_validate(yaml.safe_load(found.read_text("utf-8"))).tables
    except yaml.YAMLError as error:
        fault = f"not YAML ({' '.join(str(error).split())})"
        raise UserError(path, fault, "Mend the syntax") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "top level"
        allowed = "tables.<name>: key, columns.<name>: tolerance, reason"
        raise UserError(f"{path}, {key}", first["msg"], f"Form: {allowed}") from error


Frames = Mapping[str, pd.DataFrame | None]
"""Table name to its rows, all text; None where there is no such file."""

Row = dict[str, object]


def read_frame(path: Path) -> pd.DataFrame | None:
    """Read a CSV table as text; None if there is none."""
    if not path.is_file():
        return None
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def compared(
    rules: Mapping[str, TableRule], fresh: Frames, ref: Frames
) -> pd.DataFrame:
    """Table ``verify``: each compared value, and whether it is within tolerance.

    A table or row that only one side has is a row with a reason, not within.
    """
    rows: list[Row] = []
    for name, rule in rules.items():
        rows += _table_rows(name, rule, fresh.get(name), ref.get(name))
    return pd.DataFrame(rows, columns=VERIFY.names)


@dataclass(frozen=True)
class Summary:
    """What a comparison came to."""

    same: bool
    lines: tuple[str, ...]


def summary(table: pd.DataFrame) -> Summary:
    """Words for a comparison: totals per table, and every claim's verdict."""
    verdicts = table[table["column"] == "verdict"]
    lines = [_claim_line(row) for row in verdicts.to_dict("records")]
    for name, rows in table.groupby("table", sort=False):
        within = int(rows["within"].sum())
        lines.append(f"{name}: {within} of {len(rows)} values within tolerance")
    faults = table[(~table["within"].astype(bool)) & (table["column"] != "verdict")]
    lines += [_fault_line(row) for row in faults.head(MOST_FAULTS).to_dict("records")]
    if len(faults) > MOST_FAULTS:
        lines.append(f"... and {len(faults) - MOST_FAULTS} more in verify.csv")
    return Summary(bool(table["within"].all()), tuple(lines))


MOST_FAULTS = 10
"""Differences that the summary names one by one."""


def _claim_line(row: Mapping[Hashable, object]) -> str:
    if row["within"]:
        return f"claim {row['key']}: {row['fresh']} (as in the reference)"
    was = row["reference"] or row["reason"]
    return f"claim {row['key']}: {row['fresh']}; the reference: {was}"


def _fault_line(row: Mapping[Hashable, object]) -> str:
    place = f"{row['table']} {row['key']} {row['column']}".rstrip()
    if row["reason"] and row["fresh"]:
        return f"{place}: {row['fresh']}, {row['reason']}"
    if row["reason"]:
        return f"{place}: {row['reason']}"
    return (
        f"{place}: {row['fresh']} against {row['reference']}, "
        f"tolerance {row['tolerance']:g}"
    )


def _table_rows(
    name: str, rule: TableRule, fresh: pd.DataFrame | None, ref: pd.DataFrame | None
) -> list[Row]:
    for frame, side in ((fresh, "this run"), (ref, "the reference")):
        fault = _frame_fault(frame, rule, side)
        if fault:
            return [_row(name, "", "", reason=fault)]
    if fresh is None or ref is None:
        raise AssertionError("checked above")
    new, old = (frame.set_index(_key(frame, rule)) for frame in (fresh, ref))
    rows: list[Row] = []
    for key in [*new.index, *old.index.difference(new.index)]:
        if key not in old.index or key not in new.index:
            side = "the reference" if key not in old.index else "this run"
            rows.append(_row(name, key, "", reason=f"no such row in {side}"))
            continue
        for column, tolerance in rule.columns.items():
            pair = (str(new.loc[key, column]), str(old.loc[key, column]))
            ends = _ends(old.loc[key], column) if tolerance.interval else None
            if ends is None:
                rows.append(_compared(name, key, column, pair, tolerance.tolerance))
            else:
                rows.append(_within(name, key, column, pair, ends))
    return rows


def _ends(row: pd.Series, column: str) -> tuple[float, float] | None:
    """Interval of a value; None without one, or where it is a range of another kind."""
    value, low, high = (
        _number(str(row.get(f"{column}{end}", ""))) for end in ("", "_low", "_high")
    )
    return (low, high) if low <= value <= high else None


def _within(
    table: str, key: str, column: str, pair: tuple[str, str], ends: tuple[float, float]
) -> Row:
    """Whether the fresh value lies in the reference's interval."""
    fresh, reference = (_number(text) for text in pair)
    inside = ends[0] <= fresh <= ends[1]
    reason = "" if inside else f"outside the reference's {ends[0]:g} to {ends[1]:g}"
    if np.isnan(fresh):
        reason = "undefined on one side"
    gap = abs(fresh - reference)
    return _row(table, key, column, pair, gap, np.nan, within=inside, reason=reason)


def _frame_fault(frame: pd.DataFrame | None, rule: TableRule, side: str) -> str:
    if frame is None:
        return f"no such table in {side}"
    lacking = [c for c in (*rule.key, *rule.columns) if c not in frame]
    if lacking:
        return f"no column {', '.join(lacking)} in {side}"
    keys = _key(frame, rule)
    return "" if keys.is_unique else f"two rows have the same key in {side}"


def _key(frame: pd.DataFrame, rule: TableRule) -> pd.Index:
    parts = (frame[column].tolist() for column in rule.key)
    return pd.Index(["/".join(values) for values in zip(*parts, strict=True)])


def _compared(
    table: str, key: str, column: str, pair: tuple[str, str], tolerance: float
) -> Row:
    numbers = [_number(text) for text in pair]
    if pair[0] == pair[1]:
        return _row(table, key, column, pair, 0.0, tolerance, within=True)
    if any(np.isnan(numbers)):
        reason = "undefined on one side" if "" in pair else "differs"
        return _row(table, key, column, pair, np.nan, tolerance, reason=reason)
    gap = abs(numbers[0] - numbers[1])
    return _row(
        table, key, column, pair, gap, tolerance, within=gap <= tolerance + 1e-12
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _row(
    table: str,
    key: str,
    column: str,
    pair: tuple[str, str] = ("", ""),
    difference: float = np.nan,
    tolerance: float = np.nan,
    *,
    within: bool = False,
    reason: str = "",
) -> Row:
    return {
        "table": table,
        "key": key,
        "column": column,
        "fresh": pair[0],
        "reference": pair[1],
        "difference": difference,
        "tolerance": tolerance,
        "within": within,
        "reason": reason,
    }
