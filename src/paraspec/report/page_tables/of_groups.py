"""Tables of groups of concepts, and of correlations across models."""

import pandas as pd

from paraspec.core.definitions import ALL
from paraspec.report import numbers
from paraspec.report.inputs import StudyTables
from paraspec.report.page_tables.cells import (
    Cell,
    PageTable,
    Write,
    estimate,
    figure,
    page_table,
    words,
)


def tiers_table(tables: StudyTables) -> PageTable:
    """Means over models by exposure, tier, category and origin."""
    key = ["group", "level"]
    rows = tables.tiers[tables.tiers["model"] == ALL]
    top, random = (rows[rows["mask"] == mask] for mask in ("top", "random"))
    ends = [f"signed{end}" for end in ("", "_low", "_high")]
    other = random[[*key, *ends]].rename(columns={e: f"random {e}" for e in ends})
    frame = top.merge(other, on=key, how="left")
    order = {name: place for place, name in enumerate(dict.fromkeys(frame["group"]))}
    frame = frame.sort_values("group", key=lambda g: g.map(order), kind="stable")
    return page_table(
        "tiers",
        "Effects by exposure, tier, category and origin of the relation: means over "
        "the primary models; intervals from resampling models and concepts. PSS "
        "misleads across levels: equal damage gives a larger PSS where less was known.",
        frame,
        {
            "group": words("group"),
            "level": words("level"),
            "concepts": figure("n_concepts", numbers.count),
            "accuracy": estimate("accuracy"),
            "signed": estimate("signed"),
            "signed, random": estimate("random signed"),
            "PSS": estimate("pss"),
        },
    )


EFFECTS = {
    "pss": "PSS",
    "signed": "signed",
    "signed_floor": "signed, floor-corrected",
    "random_pss": "PSS, random mask",
    "random_signed_floor": "signed, floor-corrected, random mask",
}


def correlations_table(tables: StudyTables) -> PageTable:
    """Every correlation with how its interval was made."""
    return page_table(
        "correlations",
        "Effects against accuracy and size across models. Halves: accuracy and effect "
        "from the same or from disjoint questions. Descriptive rows rest on fewer than "
        "8 families and carry no inference. p, grid: Benjamini-Hochberg over the rows "
        "of one method.",
        tables.correlations,
        {
            "effect": lambda row: Cell(
                EFFECTS.get(str(row["effect"]), str(row["effect"])), numeric=False
            ),
            "against": _spaced("against"),
            "method": _spaced("method"),
            "halves": words("halves"),
            "models": words("models"),
            "n": lambda row: Cell(
                numbers.count(row["n"]),
                numbers.counted(int(row["n_families"]), "family"),
                value=float(row["n"]),
            ),
            "estimate": estimate("estimate"),
            "p": figure("p", numbers.p_value),
            "p, grid": figure("p_bh", numbers.p_value),
            "interval": _how,
        },
    )


def _spaced(column: str) -> Write:
    """Cell of an identifier, written as words."""
    return lambda row: Cell(
        str(row[column]).replace("_", " ").replace("-", " "), numeric=False
    )


def _how(row: pd.Series) -> Cell:
    """How an interval was made, and what keeps it from inference."""
    remarks = ["descriptive"] if row["descriptive"] else []
    remarks += [str(row["reason"])] if row["reason"] else []
    return Cell(str(row["interval"]), "; ".join(remarks), numeric=False)
