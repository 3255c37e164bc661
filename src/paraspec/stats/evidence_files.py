"""Evidence on disk: claims are judged from it without computing it again."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.evidence import EVIDENCE, EVIDENCE_DRAWS
from paraspec.stats.evidence import Evidence
from paraspec.stats.tails import Drawn, Student, Tails

DRAWS = "draws"
"""What ``tails`` says of a statistic whose draws are kept."""


def write_evidence(evidence: Mapping[str, Evidence], files: StudyFiles) -> None:
    """Write the tables ``evidence`` and ``evidence_draws``, bit for bit."""
    rows = pd.DataFrame([_row(name, found) for name, found in evidence.items()])
    write_table(rows, EVIDENCE, files.table("evidence.parquet"))
    drawn = {
        name: found.tails.values
        for name, found in evidence.items()
        if isinstance(found.tails, Drawn)
    }
    sizes = [values.size for values in drawn.values()]
    draws = pd.DataFrame(
        {
            "id": np.repeat(np.array(list(drawn), dtype=object), sizes),
            "value": np.concatenate([*drawn.values(), np.empty(0)]),
        }
    )
    write_table(draws, EVIDENCE_DRAWS, files.table("evidence_draws.parquet"))


def read_evidence(files: StudyFiles) -> dict[str, Evidence]:
    """Statistics by id, as they were when written."""
    rows = read_table(files.table("evidence.parquet"), EVIDENCE)
    draws = read_table(files.table("evidence_draws.parquet"), EVIDENCE_DRAWS)
    drawn = {
        str(name): Drawn(values.to_numpy())
        for name, values in draws.groupby("id", observed=True, sort=False)["value"]
    }
    return {
        str(row["id"]): _evidence(row, drawn.get(str(row["id"])))
        for row in rows.to_dict("records")
    }


def _row(name: str, found: Evidence) -> dict[str, object]:
    tails = found.tails
    student = tails if isinstance(tails, Student) else None
    return {
        "id": name,
        "estimate": found.value,
        "estimate_low": found.low,
        "estimate_high": found.high,
        "p": found.p,
        "n": found.n,
        "n_unit": found.n_unit,
        "statistic": found.text,
        "reason": found.reason,
        "kinds": ",".join(sorted(found.kinds)),
        "tails": student.transform if student else DRAWS if tails else "",
        "centre": student.centre if student else np.nan,
        "error": student.error if student else np.nan,
        "freedom": student.freedom if student else np.nan,
    }


def _evidence(row: Mapping[Hashable, Any], drawn: Drawn | None) -> Evidence:
    return Evidence(
        row["estimate"],
        row["estimate_low"],
        row["estimate_high"],
        row["p"],
        row["n"],
        row["n_unit"],
        row["statistic"],
        row["reason"],
        _tails(row, drawn),
        frozenset(kind for kind in row["kinds"].split(",") if kind),
    )


def _tails(row: Mapping[Hashable, Any], drawn: Drawn | None) -> Tails | None:
    if not row["tails"]:
        return None
    if row["tails"] == DRAWS:
        return drawn or Drawn(np.empty(0))
    return Student(row["centre"], row["error"], row["freedom"], row["tails"])
