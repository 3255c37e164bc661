"""Accuracy and specialisation against the number of parameters."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, number, parameters
from paraspec.report.style import (
    GREY,
    MUTED,
    PAPER,
    bars,
    canvas,
    family_marks,
    handle,
    say,
)

PANELS = (
    ("accuracy", "a\N{EM SPACE}Accuracy before masking"),
    ("signed", "b\N{EM SPACE}Signed effect"),
    ("pss", "c\N{EM SPACE}PSS"),
)
SIZE = "parameters_total"
NEAR, STEP = 0.35, 0.05
"""Log sizes that count as one, and how far apart their marks stand."""


def draw(tables: StudyTables) -> Figure:
    """Three panels over a logarithmic axis of parameters."""
    rows = tables.sizes
    if rows.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "No model has a size.")
        return figure
    figure = canvas(4.1)
    for axes, (column, title) in zip(figure.subplots(1, 3), PANELS, strict=True):
        axes.set_title(title)
        _panel(axes, rows, column)
    marks = family_marks(list(rows["family"]))
    entries = [handle(colour, mark, name) for name, (colour, mark) in marks.items()]
    if rows["random_signed"].notna().any():
        entries.append(handle(GREY, "_", "random mask", markersize=8))
    figure.legend(handles=entries, loc="outside upper center", ncols=len(entries))
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    shown = rows[rows[column].notna()]
    if shown.empty:
        say(axes, "No model has a value.")
        return
    shown = shown.assign(at=spread(shown[SIZE]))
    marks = family_marks(list(rows["family"]))
    for family, group in shown.groupby("family", sort=True):
        _family(axes, group.sort_values([SIZE, "model"]), column, *marks[str(family)])
    if column == "accuracy":
        axes.set_ylim(0, 1.02)
    else:
        axes.axhline(0, color=MUTED, linewidth=0.8)
    if column == "signed":
        axes.plot(shown["at"], shown["random_signed"], "_", color=GREY, markersize=8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.1)
    axes.set_xlabel("parameters without embeddings")
    texts = [
        f"{name}, {parameters(size)}: {number(value)}"
        for name, size, value in zip(
            shown["model"], shown[SIZE], shown[column], strict=True
        )
    ]
    name_points(axes, shown["at"], shown[column], texts)


def spread(sizes: pd.Series) -> pd.Series:
    """Sizes moved apart on a logarithmic axis where several models share one.

    >>> spread(pd.Series([1000, 50, 1000])).round(0).tolist()
    [975.0, 50.0, 1025.0]
    """
    near = np.round(np.log(sizes) / NEAR)
    place = near.groupby(near).cumcount()
    middle = (near.groupby(near).transform("size") - 1) / 2
    return pd.Series(sizes * np.exp((place - middle) * STEP))


def _short(value: float) -> str:
    """Tick label: a parameter count without decimals.

    >>> _short(100_000.0)
    '100 K'
    """
    return parameters(value).replace(".00", "").replace(".0", "")


def _family(
    axes: Axes, rows: pd.DataFrame, column: str, colour: str, marker: str
) -> None:
    """Points of one family, joined through the mean of each size."""
    bars(axes, rows, column, rows["at"], color=colour, linewidth=1.1, alpha=0.5)
    means = rows.groupby(SIZE)[["at", column]].mean().set_index("at")[column]
    axes.plot(means.index, means, color=colour, linewidth=1.1, alpha=0.6)
    experts = (rows["n_experts"] > 0).any()
    axes.plot(
        rows["at"],
        rows[column],
        marker,
        color=colour,
        markersize=6,
        markerfacecolor=PAPER if experts else colour,
    )


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.sizes
    return (
        f"{counted(len(rows), 'model')} at the pre-registered mask ratio. Lines join "
        "the means of a family's sizes; models of one size differ in seed, steps or "
        "data and stand side by side. Open marks: mixtures of experts, placed at their "
        "total parameters. Bars are 95 % percentile intervals from resampling concepts."
    )


SIZES = FigureSpec("sizes", draw, caption)
