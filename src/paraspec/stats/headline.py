"""The study's headline numbers, flat, for ``dvc metrics``.

``headline.json`` has them; with the counts of verdicts they become ``metrics.json``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.definitions import STRONG_PSS
from paraspec.stats.controls import RANDOM, TOP
from paraspec.stats.items import MaskKind

Metric = float | int | None

HEADLINES = (
    "pss.accuracy.same.pearson.dense",
    "pss.accuracy.same.spearman.dense",
    "signed_floor.accuracy.disjoint.pearson.dense",
    "pss.accuracy.disjoint.partial.dense",
    "pss.accuracy.disjoint.within-family-slope.dense",
    "pss.log_parameters.same.within-family-slope.dense",
    "random_pss.accuracy.same.pearson.dense",
)
"""Rows of ``correlations`` that are headline numbers."""


@dataclass(frozen=True)
class Tables:
    """What the metrics are read from."""

    models: pd.DataFrame
    correlations: pd.DataFrame
    estimates: pd.DataFrame
    controls: pd.DataFrame


def headline(tables: Tables) -> dict[str, Metric]:
    """Headline numbers; undefined ones are None."""
    flat: dict[str, float] = {}
    flat |= _models(tables.models)
    flat |= _random(tables.controls, tables.models)
    headlines = tables.correlations[tables.correlations["id"].isin(HEADLINES)]
    for frame in (headlines, tables.estimates):
        for row in frame.to_dict("records"):
            for end in ("", "_low", "_high"):
                flat[f"{row['id']}{end}"] = float(row[f"estimate{end}"])
    return {name: _plain(value) for name, value in flat.items()}


def as_json(values: Mapping[str, Metric]) -> str:
    """Text of such numbers; NaN is not JSON, so it has become null before."""
    return json.dumps(values, indent=1, allow_nan=False) + "\n"


def _models(models: pd.DataFrame) -> dict[str, float]:
    full = models[~models["checkpoint"]]
    return {
        "n_models": len(full),
        "n_primary_models": int(full["in_primary"].sum()),
        "n_checkpoints": int(models["checkpoint"].sum()),
        "accuracy_lowest": full["accuracy"].min(),
        "accuracy_highest": full["accuracy"].max(),
        "never_seen_gap_mean": full["never_seen_gap"].mean(),
        "pss_highest": full["pss"].max(),
        "k50_top_median": full["k50_top"].median(),
        "k50_random_median": full["k50_random"].median(),
    } | {f"pss.{row['model']}": row["pss"] for row in full.to_dict("records")}


def _random(controls: pd.DataFrame, models: pd.DataFrame) -> dict[str, float]:
    """How many models' random masks do nothing, and whose top masks do much."""
    full = models.loc[~models["checkpoint"], "model"]
    own = controls[controls["model"].isin(full) & controls["signed_low"].notna()]
    random, top = (_basic(own, kind) for kind in (RANDOM, TOP))
    strong = top.loc[top["strong"], "model"]
    where_strong = random.loc[random["model"].isin(strong), "pss"]
    share = random["contains_zero"].mean() if len(random) else np.nan
    return {
        "random_interval_contains_zero_share": share,
        f"n_models_pss_above_{STRONG_PSS:g}": len(strong),
        "random_pss_highest_where_top_is_above": where_strong.max(),
    }


def _basic(controls: pd.DataFrame, kind: MaskKind) -> pd.DataFrame:
    named = controls[list(kind._fields)] == list(kind)
    return controls[named.all(axis=1)]


def _plain(value: float) -> Metric:
    if isinstance(value, int):
        return value
    return round(float(value), 6) if np.isfinite(value) else None
