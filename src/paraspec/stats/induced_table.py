"""Table ``induced``: models whose specialisation was set, beside their baselines."""

import numpy as np
import pandas as pd

from paraspec.core.tables.induced import INDUCED
from paraspec.stats.groups import TIER_ORDER
from paraspec.stats.induced import bits, induced_records
from paraspec.stats.induced_answers import NO_PROBABILITIES
from paraspec.stats.record import Record
from paraspec.stats.study import Study


def induced_table(study: Study, models: pd.DataFrame) -> pd.DataFrame:
    """One row per model of a mechanism and per baseline of one.

    Parameters
    ----------
    study
        The models.
    models
        Table ``models``, whose columns are taken over.
    """
    taken = _taken(models)
    rows = []
    for record in induced_records(study):
        row = taken[record.card.model]
        reason = "; ".join([*filter(None, [str(row["reason"])]), *_reasons(record)])
        own = _of_model(record, study) | _bits(record, study)
        rows.append(row | own | {"reason": reason})
    return pd.DataFrame(rows, columns=INDUCED.names)


def _taken(models: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Columns of the table ``models``, by model."""
    named = {"k50_top": "k50", "k50_top_censored": "k50_censored"}
    rows = models.rename(columns=named)
    same = rows[[name for name in INDUCED.names if name in rows]].to_dict("records")
    return {str(row["model"]): {str(k): v for k, v in row.items()} for row in same}


def _of_model(record: Record, study: Study) -> dict[str, object]:
    tiers = record.measured.concepts["tier"]
    by_tier = {
        f"accuracy_tier_{tier}": study.accuracy(
            record, only=np.asarray(tiers == tier, dtype=np.float64)
        )[0]
        for tier in TIER_ORDER
    }
    return {
        "seed": record.card.seed,
        "unseen_confidence": record.unseen.confidence,
        "hallucination": record.unseen.hallucination,
        **by_tier,
    }


def _bits(record: Record, study: Study) -> dict[str, object]:
    drawn = bits(study, record)
    per_parameter = drawn / record.card.parameters_total
    return {
        **study.estimate(record, drawn).columns("bits"),
        **study.estimate(record, per_parameter).columns("bits_per_parameter"),
    }


def _reasons(record: Record) -> list[str]:
    """Why a value is NaN, beyond what the table ``models`` says of the model."""
    found = []
    if record.bits.empty:
        found.append(f"no bits: {NO_PROBABILITIES}")
    if not np.isnan(record.never_seen) and np.isnan(record.unseen.confidence):
        found.append(f"no certainty: {NO_PROBABILITIES}")
    if not record.efficiency["known"].any():
        found.append("no k50: no concept is known")
    return found
