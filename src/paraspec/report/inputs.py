"""The tables that figures and page are made from."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraspec.core.layout import StudyFiles
from paraspec.core.table import Table, read_table
from paraspec.core.tables.across_models import (
    CONTROLS,
    CORRELATIONS,
    CURVES,
    MODELS,
    SIZES,
    TIERS,
    TRAJECTORY,
)
from paraspec.core.tables.per_model import EFFICIENCY


@dataclass(frozen=True)
class StudyTables:
    """Tables across models, as the step ``correlate`` wrote them."""

    models: pd.DataFrame
    correlations: pd.DataFrame
    tiers: pd.DataFrame
    sizes: pd.DataFrame
    trajectory: pd.DataFrame
    controls: pd.DataFrame
    curves: pd.DataFrame
    efficiency: pd.DataFrame
    """Rows of every model that is no checkpoint."""

    @property
    def final(self) -> pd.DataFrame:
        """Models that are no checkpoint, by ascending accuracy."""
        chosen = self.models[~self.models["checkpoint"]]
        return chosen.sort_values(["accuracy", "model"], na_position="first")


def read_tables(root: Path) -> StudyTables:
    """Read a study's tables.

    Raises
    ------
    UserError
        Where one is missing or has other columns.
    """
    files = StudyFiles(root)

    def across(table: Table) -> pd.DataFrame:
        return read_table(files.table(f"{table.name}.csv"), table)

    models = across(MODELS)
    efficiency = [
        read_table(files.measure(model, "efficiency.csv"), EFFICIENCY)
        for model in models.loc[~models["checkpoint"], "model"]
    ]
    return StudyTables(
        models=models,
        correlations=across(CORRELATIONS),
        tiers=across(TIERS),
        sizes=across(SIZES),
        trajectory=across(TRAJECTORY),
        controls=across(CONTROLS),
        curves=across(CURVES),
        efficiency=pd.concat(efficiency, ignore_index=True)
        if efficiency
        else pd.DataFrame(columns=EFFICIENCY.names),
    )


def span(models: pd.DataFrame, n: int) -> list[str]:
    """Names of up to ``n`` models that span the accuracy range, ascending.

    >>> frame = pd.DataFrame({"model": list("abcde"), "accuracy": [1, 2, 3, 4, 5]})
    >>> span(frame, 3)
    ['a', 'c', 'e']
    """
    known = models[models["accuracy"].notna()].sort_values(["accuracy", "model"])
    names = list(known["model"])
    if len(names) <= n:
        return names
    return [names[round(i * (len(names) - 1) / (n - 1))] for i in range(n)]
