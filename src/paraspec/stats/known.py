"""What models know without a mask, and the effect on that alone."""

import numpy as np
import pandas as pd

from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.items import PRIMARY_KINSHIP
from paraspec.stats.record import Record
from paraspec.stats.study import Study


def known_concepts(record: Record) -> set[str]:
    """Concepts that a model knows without a mask."""
    return set(record.efficiency.loc[record.efficiency["known"], "concept"])


COMPARED_SHARE = 0.5
"""Share of its concepts that a model must know to be compared on shared ones: a zoo has
models that know nothing, and no concept is known to those."""


def compared(record: Record, study: Study) -> bool:
    """Whether a model knows enough to be compared on what several models know."""
    return len(known_concepts(record)) >= COMPARED_SHARE * study.n_concepts(record)


def shared_concepts(study: Study) -> set[str]:
    """Concepts known to every compared model; checkpoints are not compared."""
    known = [known_concepts(r) for r in study.models if compared(r, study)]
    return set.intersection(*known) if known else set()


def known_by_all(study: Study) -> set[str]:
    """Items that every compared model answers right without a mask."""
    found = []
    for record in study.models:
        if compared(record, study):
            rows = record.answers.top
            right = rows["before"].astype(bool)
            found.append(set(rows.loc[right, "item"]))
    return set.intersection(*found) if found else set()


def known_items(
    record: Record, study: Study, by_all: set[str]
) -> dict[str, int | float]:
    """Numbers of items that are right without a mask, and the effect on shared ones.

    ``signed_known_by_all``: share of own items lost under the top mask minus that of
    same-category general ones, of items that all compared models know.
    """
    rows = record.answers.top[record.answers.top["before"].astype(bool)]
    used = rows[rows["item"].isin(by_all)] if compared(record, study) else rows[:0]
    own = rows[rows["set"] == "concept"]
    shared = int((used["set"] == "concept").sum())
    drawn = _lost_difference(study, used)
    found = study.estimate(record, drawn).columns("signed_known_by_all")
    return {"n_known_items": len(own), "n_known_by_all_items": shared, **found}


def _lost_difference(study: Study, rows: pd.DataFrame) -> FloatArray:
    """Share lost of own items minus that of same-category ones; all were right."""
    shares = []
    for kinship in ("own", PRIMARY_KINSHIP):
        part = rows[rows["kinship"] == kinship]
        lost = (~part["after"].astype(bool)).groupby(part["concept"])
        sums = lost.agg(["sum", "size"]).reindex(list(study.concepts)).fillna(0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = study.weights @ sums.to_numpy(np.float64)
            shares.append(drawn[:, 0] / drawn[:, 1])
    return np.asarray(shares[0] - shares[1])
