"""Table of the models whose specialisation was set in training."""

import pandas as pd

from paraspec.report import numbers
from paraspec.report.inputs import StudyTables
from paraspec.report.page_tables.cells import (
    Cell,
    PageTable,
    estimate,
    figure,
    page_table,
    words,
)


def induced_table(tables: StudyTables) -> PageTable:
    """Every model of a mechanism and every baseline."""
    return page_table(
        "induced",
        "Models of one recipe without and with a mechanism that sets specialisation in "
        "training. Bits: of the concepts' facts, beyond a guess among the options. "
        "Tiers: accuracy on concepts of frequent, middle and rare names. Unseen: on "
        "concepts that the model never met, mean probability of its answers among the "
        "options, and the share answered wrongly with more than .9 (hallucination).",
        tables.induced,
        {
            "model": words("model"),
            "mechanism": _mechanism,
            "accuracy": estimate("accuracy"),
            "high": figure("accuracy_tier_high"),
            "mid": figure("accuracy_tier_mid"),
            "low": figure("accuracy_tier_low"),
            "bits per parameter": estimate("bits_per_parameter"),
            "signed effect": estimate("signed"),
            "random": estimate("random_signed"),
            "PSS": estimate("pss"),
            "k50": _k50,
            "unseen: sure": figure("unseen_confidence"),
            "hallucination": figure("hallucination"),
        },
    )


def _mechanism(row: pd.Series) -> Cell:
    words = f"{row['mechanism']} {row['strength']:g}" if row["mechanism"] else "plain"
    return Cell(words, numeric=False)


def _k50(row: pd.Series) -> Cell:
    """Median, and how many of the values are only lower bounds."""
    share = row["k50_censored"]
    small = f"{numbers.percent(share)} bounds" if share > 0 else ""
    return Cell(numbers.number(row["k50"]), small, value=float(row["k50"]))
