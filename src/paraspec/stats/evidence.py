"""Computed statistics that claims may name, by id."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from paraspec.stats.record import Kind
from paraspec.stats.tails import Tails


@dataclass(frozen=True)
class Statistics:
    """A table of statistics, and what its columns cannot hold, by id."""

    frame: pd.DataFrame
    tails: Mapping[str, Tails]
    """Distributions behind intervals; none where there is no interval."""
    kinds: Mapping[str, frozenset[Kind]]
    """Kinds of the models that a statistic was computed on."""


def together(*parts: Statistics) -> Statistics:
    """All tables as one; no id stands in two."""
    return Statistics(
        pd.concat([part.frame for part in parts], ignore_index=True),
        tails={name: tail for part in parts for name, tail in part.tails.items()},
        kinds={name: kind for part in parts for name, kind in part.kinds.items()},
    )


@dataclass(frozen=True)
class Evidence:
    """A computed statistic: a row of ``correlations`` or ``estimates``."""

    value: float
    low: float
    high: float
    p: float
    n: int
    n_unit: str
    text: str
    reason: str
    tails: Tails | None = None
    kinds: frozenset[Kind] = field(default_factory=frozenset)


NO_EVIDENCE = Evidence(np.nan, np.nan, np.nan, np.nan, 0, "", "", "")


def evidence_of(correlations: Statistics, estimates: Statistics) -> dict[str, Evidence]:
    """Statistics by id."""
    words = _words(correlations.frame)
    models = correlations.frame.assign(n_unit="models", statistic=words)
    found = {}
    for source, frame in ((correlations, models), (estimates, estimates.frame)):
        for row in frame.to_dict("records"):
            name = str(row["id"])
            found[name] = Evidence(
                float(row["estimate"]),
                float(row["estimate_low"]),
                float(row["estimate_high"]),
                float(row["p"]),
                int(row["n"]),
                str(row["n_unit"]),
                f"{row['statistic']} ({row['interval']})",
                str(row["reason"]),
                source.tails.get(name),
                source.kinds.get(name, frozenset()),
            )
    return found


def _words(rows: pd.DataFrame) -> list[str]:
    return [
        f"{row.method} of {row.effect} on {row.against}, {row.halves} halves, "
        f"{row.models} models"
        for row in rows.itertuples()
    ]
