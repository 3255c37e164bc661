"""The tables that figures and page are made from."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraspec.core.layout import StudyFiles
from paraspec.core.table import Table, read_table
from paraspec.core.tables.across_models import (
    COLLATERAL_DAMAGE,
    CONTROLS,
    CORRELATIONS,
    CROSS,
    CURVES,
    ESTIMATES,
    MODELS,
    NON_KNOWLEDGE,
    OVERLAPS,
    SELECTORS,
    SIZES,
    TIERS,
    TRAJECTORY,
)
from paraspec.core.tables.causal import CAUSAL, CAUSAL_RUNS, CONTRASTS
from paraspec.core.tables.induced import INDUCED
from paraspec.core.tables.measured import VECTORS
from paraspec.core.tables.per_model import EFFICIENCY
from paraspec.core.tables.planned import CONCEPTS


@dataclass(frozen=True)
class StudyTables:
    """Tables across models, as the step ``correlate`` wrote them, and three others."""

    models: pd.DataFrame
    correlations: pd.DataFrame
    estimates: pd.DataFrame
    tiers: pd.DataFrame
    sizes: pd.DataFrame
    trajectory: pd.DataFrame
    controls: pd.DataFrame
    curves: pd.DataFrame
    selectors: pd.DataFrame
    overlaps: pd.DataFrame
    collateral: pd.DataFrame
    cross: pd.DataFrame
    non_knowledge: pd.DataFrame
    causal: pd.DataFrame
    """Metrics of every arm; no rows in a study without fine-tuning."""
    contrasts: pd.DataFrame
    runs: pd.DataFrame
    """What training was, of every arm and seed."""
    induced: pd.DataFrame
    """Models whose specialisation was set, and baselines; no rows without any."""
    efficiency: pd.DataFrame
    """Rows of every model that is no checkpoint."""
    vectors: pd.DataFrame
    """Top value vectors of :attr:`mapped` alone: of a large model they are many."""
    concepts: pd.DataFrame

    @property
    def final(self) -> pd.DataFrame:
        """Models of the cross-model analyses, by ascending accuracy."""
        return final_models(self.models)

    @property
    def mapped(self) -> str:
        """Model whose value vectors are mapped: the most accurate primary one."""
        return mapped_model(self.models)


def final_models(models: pd.DataFrame) -> pd.DataFrame:
    """Models that are no checkpoint and of no mechanism, by ascending accuracy."""
    chosen = models[~models["checkpoint"] & (models["mechanism"] == "")]
    return chosen.sort_values(["accuracy", "model"], na_position="first")


def mapped_model(models: pd.DataFrame) -> str:
    """Most accurate model of the primary ones, or of all; empty without models."""
    final = final_models(models)
    primary = final[final["in_primary"]]
    names = list((final if primary.empty else primary)["model"])
    return str(names[-1]) if names else ""


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
        estimates=across(ESTIMATES),
        tiers=across(TIERS),
        sizes=across(SIZES),
        trajectory=across(TRAJECTORY),
        controls=across(CONTROLS),
        curves=across(CURVES),
        selectors=across(SELECTORS),
        overlaps=across(OVERLAPS),
        collateral=across(COLLATERAL_DAMAGE),
        cross=across(CROSS),
        non_knowledge=across(NON_KNOWLEDGE),
        causal=across(CAUSAL),
        contrasts=across(CONTRASTS),
        runs=across(CAUSAL_RUNS),
        induced=across(INDUCED),
        efficiency=_stacked(efficiency, EFFICIENCY),
        vectors=read_vectors(files, mapped_model(models)),
        concepts=read_table(files.data("concepts.parquet"), CONCEPTS),
    )


def read_vectors(files: StudyFiles, model: str) -> pd.DataFrame:
    """Top value vectors of a model; no rows without a model."""
    if not model:
        return pd.DataFrame(columns=VECTORS.names)
    return read_table(files.measure(model, "vectors.parquet"), VECTORS)


def _stacked(frames: list[pd.DataFrame], table: Table) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame(columns=table.names)
    return pd.concat(frames, ignore_index=True)


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
