"""What the study found, in plain words, from its tables."""

import math

import pandas as pd

from paraspec.core.definitions import ALL
from paraspec.report.inputs import StudyTables
from paraspec.report.kinds import RANDOM_ZERO, TOP, Kind, rows_of
from paraspec.report.numbers import (
    counted,
    interval,
    listed,
    number,
    percent,
    points,
    with_interval,
)

VERDICTS = ("replicated", "partly", "not", "not testable")


def lead(tables: StudyTables, claims: pd.DataFrame) -> str:
    """What stands above the verdicts: what was measured, and how many claims hold."""
    return f"{_measured(tables)} {_verdicts(claims)}"


def answer(tables: StudyTables) -> str:
    """What stands below them: how large the effect is, whether it goes with knowing."""
    return f"{_effect(tables)} {_association(tables)}"


def _measured(tables: StudyTables) -> str:
    models = tables.final
    if models.empty:
        return "The study holds no models."
    families = counted(models["family"].nunique(), "family")
    concepts = counted(int(models["n_concepts"].max()), "concept")
    trained = " trained for this study" if (models["source"] == "zoo").all() else ""
    low, high = models["accuracy"].min(), models["accuracy"].max()
    knows = (
        f"; before any masking they answer {points(low)} to {points(high)} % of the "
        "questions correctly"
        if math.isfinite(low)
        else ""
    )
    return (
        f"We asked {counted(len(models), 'language model')} of {families}{trained} "
        f"about {concepts}{knows}."
    )


def _row(controls: pd.DataFrame, kind: Kind) -> pd.Series | None:
    rows = rows_of(controls[controls["model"] == ALL], kind)
    return None if rows.empty or pd.isna(rows["signed"].iloc[0]) else rows.iloc[0]


def _effect(tables: StudyTables) -> str:
    top, random = (_row(tables.controls, kind) for kind in (TOP, RANDOM_ZERO))
    if top is None:
        return "The effect of masking a concept's own vectors could not be computed."
    primary = tables.final.loc[tables.final["in_primary"], "primary_ratio"]
    share = " or ".join(percent(ratio) for ratio in sorted(set(primary.dropna())))
    text = (
        f"Switching off the {share} of MLP value vectors that respond most to a "
        f"concept {_costs(top)}"
    )
    if random is None:
        return f"{text}."
    ends = _points(random)
    return (
        f"{text}; as many random vectors make a difference of "
        f"{points(random['signed'])} points{ends}."
    )


def _costs(row: pd.Series) -> str:
    size = points(abs(row["signed"]))
    more = "more" if row["signed"] >= 0 else "fewer"
    return (
        f"costs questions about it {size} percentage points {more} than it costs "
        f"comparable questions about other concepts{_points(row)}"
    )


def _points(row: pd.Series) -> str:
    low, high = row["signed_low"], row["signed_high"]
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" (95 % interval {points(low)} to {points(high)})"


def correlation(tables: StudyTables, effect: str, halves: str) -> pd.Series | None:
    """Row of the dense models' Pearson correlation of an effect with accuracy."""
    rows = tables.correlations
    wanted = rows[
        (rows["effect"] == effect)
        & (rows["against"] == "accuracy")
        & (rows["halves"] == halves)
        & (rows["method"] == "pearson")
        & (rows["models"] == "dense")
    ]
    if wanted.empty or pd.isna(wanted["estimate"].iloc[0]):
        return None
    return wanted.iloc[0]


def _association(tables: StudyTables) -> str:
    pss = correlation(tables, "pss", "disjoint")
    if pss is None:
        return "Whether specialisation goes with knowing more could not be computed."
    low, high = pss["estimate_low"], pss["estimate_high"]
    value = with_interval(pss["estimate"], low, high)
    measured = (
        f"the paper's score (PSS) and accuracy correlate at r = {value} over "
        f"{counted(int(pss['n']), 'model')}, measured on separate questions"
    )
    signed = correlation(tables, "signed_floor", "disjoint")
    if signed is not None:
        measured += (
            f", and the signed, floor-corrected effect at {number(signed['estimate'])}"
        )
        ends = interval(signed["estimate_low"], signed["estimate_high"])
        measured += f" ({ends})" if ends else ""
    return f"{_direction(low, high)}: {measured}."


def _direction(low: float, high: float) -> str:
    if low > 0:
        return "Models that know more show more specialised vectors"
    if high < 0:
        return "Models that know more show less specialised vectors"
    return "Whether models that know more are more specialised stays open"


def _verdicts(claims: pd.DataFrame) -> str:
    if claims.empty:
        return "No claim was registered."
    counts = claims["verdict"].value_counts()
    words = {
        "replicated": "{} replicated",
        "partly": "{} partly replicated",
        "not": "{} not replicated",
        "not testable": "{} not testable here",
    }
    parts = [
        words[verdict].format(counts[verdict])
        for verdict in VERDICTS
        if verdict in counts
    ]
    return f"Of {counted(len(claims), 'claim')} fixed beforehand: {listed(parts)}."
