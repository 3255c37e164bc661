"""Whether a concept's top vectors come back, and whether they are its own."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paraspec.core.definitions import ALL
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, number
from paraspec.report.style import (
    BLUE,
    GREY,
    MUTED,
    SKY,
    VERMILLION,
    bars_across,
    canvas,
    handle,
    say,
    striped,
)

MARKS = (
    ("chance", "two random masks", MUTED, "|"),
    ("other_category", "concepts of different categories", SKY, "^"),
    ("same_category", "concepts of one category", BLUE, "s"),
    ("reliability", "both halves of one concept", VERMILLION, "o"),
)
"""Column, legend, colour and mark."""
MODEL_TITLE = "b\N{EM SPACE}By model, the paper's selector"


def draw(tables: StudyTables) -> Figure:
    """Selectors pooled over models on the left, models on the right."""
    pooled = _pooled(tables.selectors)
    models = _by_model(tables)
    if pooled.empty and models.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "No masks of two halves were compared.")
        return figure
    figure = canvas(1.4 + 0.27 * max(4, len(pooled), len(models)))
    left, right = figure.subplots(1, 2)
    left.set_title("a\N{EM SPACE}By selector, mean over models")
    right.set_title(MODEL_TITLE)
    _panel(left, pooled, list(pooled["selector"]))
    _panel(right, models, list(models["model"]))
    entries = [handle(colour, mark, name) for _, name, colour, mark in MARKS[::-1]]
    figure.legend(handles=entries, loc="outside upper center", ncols=len(entries))
    return figure


def _pooled(selectors: pd.DataFrame) -> pd.DataFrame:
    rows = selectors[(selectors["model"] == ALL) & selectors["reliability"].notna()]
    return rows[::-1]


def _by_model(tables: StudyTables) -> pd.DataFrame:
    """Rows of the first selector of the table, by ascending accuracy."""
    rows = tables.selectors[tables.selectors["reliability"].notna()]
    rows = rows[rows["selector"].isin(tables.selectors["selector"].iloc[:1])]
    order = [name for name in tables.final["model"] if name in set(rows["model"])]
    return rows.set_index("model").reindex(order).reset_index(names="model")


def _panel(axes: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    if rows.empty:
        say(axes, "No values")
        return
    at = pd.Series(range(len(rows)), index=rows.index, dtype=float)
    bars_across(axes, rows, "reliability", at, color=VERMILLION, linewidth=1.6)
    for column, name, colour, mark in MARKS:
        size = 11 if mark == "|" else 6
        axes.plot(rows[column], at, mark, color=colour, markersize=size)
        texts = [f"{name}: {number(value)}" for value in rows[column]]
        name_points(axes, rows[column], at, texts)
    striped(axes, labels)
    axes.set_xlim(0, None)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xlabel("overlap of two masks (Jaccard index)")


def caption(tables: StudyTables) -> str:
    """Caption."""
    pooled = _pooled(tables.selectors)
    n = int(pooled["n_models"].max()) if len(pooled) else 0
    return (
        "Jaccard index of the vectors selected at the pre-registered ratio: on the two "
        "halves of one concept's questions (bars: 95 % percentile intervals from "
        "resampling concepts), for two concepts of one category, for concepts of "
        "different categories, and as expected of random masks of the same size. A "
        "concept has vectors of its own where its halves agree more than two concepts "
        f"of one category do. Panel a: mean over up to {counted(n, 'model')}; panel b: "
        "models by accuracy."
    )


RELIABILITY = FigureSpec("reliability", draw, caption)
