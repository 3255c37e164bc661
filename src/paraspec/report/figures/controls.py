"""The signed effect of every kind of mask, model by model."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import count, counted
from paraspec.report.style import (
    MASK_LOOK,
    MUTED,
    RULE,
    bars_across,
    canvas,
    handle,
    say,
)

ALL = "(all)"
STEP = 0.18
"""Vertical distance between the masks of one model."""


def draw(tables: StudyTables) -> Figure:
    """One line per model, strongest at the top, their mean above all."""
    rows = tables.controls[tables.controls["signed"].notna()]
    names = _ordered(tables)
    if not names:
        figure = canvas(3)
        say(figure.add_subplot(), "No mask was measured at the pre-registered ratio.")
        return figure
    figure = canvas(1.3 + 0.4 * len(names))
    axes = figure.add_subplot()
    places = {name: float(i) for i, name in enumerate(names)}
    axes.axvline(0, color=MUTED, linewidth=0.9)
    for offset, (mask, (colour, marker, _)) in enumerate(MASK_LOOK.items()):
        mine = rows[(rows["mask"] == mask) & rows["model"].isin(names)]
        at = mine["model"].map(places).astype(float) + STEP * (1.5 - offset)
        _marks(axes, mine, at, colour, marker)
    _rows(axes, names)
    axes.set_xlabel("signed effect: what the mask costs the concept beyond others")
    entries = [handle(c, m, n) for c, m, n in MASK_LOOK.values()]
    figure.legend(handles=entries, loc="outside upper center", ncols=4)
    return figure


def _ordered(tables: StudyTables) -> list[str]:
    """Models with a value by ascending accuracy, the mean row last (topmost)."""
    known = set(tables.controls.loc[tables.controls["signed"].notna(), "model"])
    names = [name for name in tables.final["model"] if name in known]
    return names + [name for name in (ALL,) if name in known]


def _marks(
    axes: Axes, rows: pd.DataFrame, at: pd.Series, colour: str, mark: str
) -> None:
    bars_across(axes, rows, "signed", at, color=colour, linewidth=1.6)
    axes.plot(rows["signed"], at, mark, color=colour, markersize=4.6)


def _rows(axes: Axes, names: list[str]) -> None:
    labels = ["mean of models" if name == ALL else name for name in names]
    axes.set_yticks(range(len(names)), labels)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="y")
    for index in range(0, len(names), 2):
        axes.axhspan(index - 0.5, index + 0.5, color=RULE, alpha=0.3, linewidth=0)
    if names[-1] == ALL:
        axes.get_yticklabels()[-1].set_fontweight("bold")
        axes.axhline(len(names) - 1.5, color=MUTED, linewidth=0.8)


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.controls
    single = rows[(rows["model"] != ALL) & rows["model"].isin(tables.final["model"])]
    draws = single.groupby("mask")["draws"].max()
    mean = rows.loc[(rows["model"] == ALL) & (rows["mask"] == "top"), "n_models"]
    concepts = max([0, *single["n_concepts"]])
    return (
        "Signed difference-in-differences, (S0 \N{MINUS SIGN} S1) \N{MINUS SIGN} "
        "(G0 \N{MINUS SIGN} G1), at each model's pre-registered ratio; models by "
        f"accuracy, {counted(concepts, 'concept')}. Random: "
        f"{count(draws.get('random', float('nan')))} draws pooled; swap: the mask of "
        "another concept of the same category; in-sample: vectors chosen on the very "
        "questions that are asked, as in the paper. Bars are 95 % percentile intervals "
        "from resampling concepts; for the mean of the "
        f"{counted(int(mean.max()) if len(mean) else 0, 'primary model')} from "
        "resampling models and concepts at once."
    )


CONTROLS = FigureSpec(
    name="controls",
    title="Top vectors against three controls",
    alt=(
        "Dot plot of the signed effect of top, in-sample, swap and random masks for "
        "each model and for their mean, with intervals."
    ),
    draw=draw,
    caption=caption,
)
