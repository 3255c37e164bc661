"""Signed effect and accuracy by exposure, tier, category and origin of the relation."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paraspec.core.definitions import ALL
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, with_interval
from paraspec.report.style import (
    BLUE,
    GREY,
    MUTED,
    VERMILLION,
    bars,
    canvas,
    handle,
    say,
)

CONTRAST = "highest minus lowest"
TIER_ORDER = ("low", "mid", "high")
GROUPS = {
    "exposure": "exposure",
    "tier": "tier",
    "category": "category",
    "origin": "relation",
}
SHIFT = 0.16
"""Horizontal distance of a mask's points from the level's place."""


def draw(tables: StudyTables) -> Figure:
    """Accuracy above, signed effect below; one column for each grouping."""
    rows = tables.tiers[tables.tiers["model"].isin([ALL, *tables.final["model"]])]
    groups = [g for g in GROUPS if (rows["group"] == g).any()]
    if not groups or rows[["accuracy", "signed"]].isna().all(axis=None):
        figure = canvas(3)
        say(figure.add_subplot(), "No values by exposure, tier or category.")
        return figure
    figure = canvas(6.4)
    widths = [max(2, len(_levels(rows, g))) for g in groups]
    panels = figure.subplots(
        2, len(groups), sharey="row", squeeze=False, width_ratios=widths
    )
    for column, group in enumerate(groups):
        mine = rows[rows["group"] == group]
        _column(panels[0, column], mine, group, "accuracy")
        _column(panels[1, column], mine, group, "signed")
        panels[0, column].set_title(GROUPS[group])
    panels[0, 0].set_ylabel("accuracy before masking")
    panels[1, 0].set_ylabel("signed effect")
    figure.legend(handles=_legend(), loc="outside upper center", ncols=4)
    return figure


def _legend() -> list[Line2D]:
    return [
        handle(BLUE, "s", "accuracy, mean over models"),
        handle(VERMILLION, "o", "top mask, mean over models"),
        handle(GREY, "o", "random mask, mean over models"),
        handle(MUTED, "_", "one model", markersize=8, alpha=0.6),
    ]


def _levels(rows: pd.DataFrame, group: str) -> list[str]:
    """Levels in their natural order, contrasts left out."""
    found = rows.loc[(rows["group"] == group) & (rows["level"] != CONTRAST), "level"]
    names = sorted(set(found))
    if group == "exposure" and all(name.isdigit() for name in names):
        return sorted(names, key=int)
    if group == "tier":
        known = [name for name in TIER_ORDER if name in names]
        return known + [name for name in names if name not in TIER_ORDER]
    return names


def _column(axes: Axes, rows: pd.DataFrame, group: str, value: str) -> None:
    levels = _levels(rows, group)
    if rows[value].isna().all():
        say(axes, "No values")
        return
    if value == "signed":
        axes.axhline(0, color=MUTED, linewidth=0.8)
        _series(
            axes, rows[rows["mask"] == "top"], levels, value, VERMILLION, "o", -SHIFT
        )
        _series(axes, rows[rows["mask"] == "random"], levels, value, GREY, "o", SHIFT)
    else:
        _series(axes, rows[rows["mask"] == "top"], levels, value, BLUE, "s", 0)
        axes.set_ylim(0, 1.02)
    axes.set_xticks(range(len(levels)), [level.replace("-", "-\n") for level in levels])
    axes.set_xlim(-0.6, len(levels) - 0.4)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(_contrast(rows, value), fontsize=8.5, color=MUTED)


def _series(
    axes: Axes,
    rows: pd.DataFrame,
    levels: list[str],
    value: str,
    colour: str,
    marker: str,
    shift: float,
) -> None:
    """Every model as a faint dash, their mean with its interval."""
    places = {level: index + shift for index, level in enumerate(levels)}
    shown = rows[rows["level"].isin(levels)]
    shown = shown.assign(at=shown["level"].map(places).astype(float))
    single, mean = shown[shown["model"] != ALL], shown[shown["model"] == ALL]
    axes.plot(single["at"], single[value], "_", color=colour, alpha=0.4, markersize=8)
    bars(axes, mean, value, mean["at"], color=colour, linewidth=2)
    axes.plot(mean["at"], mean[value], marker, color=colour, markersize=7)


def _contrast(rows: pd.DataFrame, value: str) -> str:
    wanted = rows[
        (rows["model"] == ALL) & (rows["mask"] == "top") & (rows["level"] == CONTRAST)
    ]
    if wanted.empty or pd.isna(wanted[value].iloc[0]):
        return ""
    row = wanted.iloc[0]
    text = with_interval(row[value], row[f"{value}_low"], row[f"{value}_high"])
    return f"highest minus lowest:\n{text}"


def caption(tables: StudyTables) -> str:
    """Caption."""
    primary = int(tables.models["in_primary"].sum())
    dashes = len(set(tables.final["model"]) & set(tables.tiers["model"]))
    return (
        "Unmasked accuracy (above) and signed difference-in-differences at the "
        "pre-registered ratio (below). Exposure is how often a fact is met in training "
        "and was drawn by lot; tier is how frequent the name is in English; a relation "
        "is country-derived where a city's answer follows from its country. Large "
        f"marks: mean over the {counted(primary, 'primary model')}, bars 95 % "
        "percentile intervals from resampling models and concepts at once; dashes: the "
        f"{counted(dashes, 'measured model')}. Below the panels: "
        "highest minus lowest level under the top mask, with its interval."
    )


TIERS = FigureSpec("tiers", draw, caption)
