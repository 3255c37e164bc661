"""How few vectors carry a concept: halving points and knock-out curves."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from paraspec.core.definitions import KNOWN_ACCURACY
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.inputs import StudyTables, span
from paraspec.report.numbers import counted, listed
from paraspec.report.style import (
    ASCENDING,
    GREEN,
    GREY,
    MUTED,
    PAPER,
    RULE,
    VERMILLION,
    canvas,
    handle,
    say,
    share_axis,
)

CURVE_MODELS = len(ASCENDING)
SHIFT = 0.18


@dataclass(frozen=True)
class _Halving:
    column: str
    title: str
    label: str
    colour: str


KNOCK_OUT = _Halving(
    "k50",
    "a\N{EM SPACE}Knock-out",
    "share masked when half the margin is gone",
    VERMILLION,
)
KEEP_ONLY = _Halving(
    "keep50", "b\N{EM SPACE}Keep only", "share kept when half the margin is back", GREEN
)


def draw(tables: StudyTables) -> Figure:
    """Halving points of every model above, knock-out curves of a span below."""
    known = tables.efficiency[tables.efficiency["known"].astype(bool)]
    names = [name for name in tables.final["model"] if name in set(known["model"])]
    height = max(2.2, 0.24 * len(names) + 1.0)
    figure = canvas(height + 3.9)
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(wspace=0.08)  # so that "50 %" and the next panel's "0" stay apart
    grid = figure.add_gridspec(2, 1, height_ratios=(height, 3.9))
    upper, lower = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    left, right = upper.subplots(1, 2, sharey=True)
    _halving_panel(left, known, names, KNOCK_OUT)
    _halving_panel(right, known, names, KEEP_ONLY)
    entries = [
        handle(VERMILLION, "o", "top vectors masked"),
        handle(GREEN, "o", "top vectors kept"),
        handle(GREY, "o", "random vectors"),
        handle(MUTED, "o", "open: at least that (not halved)", markerfacecolor=PAPER),
    ]
    upper.legend(handles=entries, loc="outside upper center", ncols=4)
    panels = lower.subplots(1, 2, sharey=True)
    lower.legend(
        handles=_curve_panels(panels[0], panels[1], tables),
        loc="outside upper center",
        ncols=CURVE_MODELS,
    )
    return figure


def _halving_panel(
    axes: Axes, known: pd.DataFrame, names: list[str], what: _Halving
) -> None:
    axes.set_title(what.title)
    rows = known[known[what.column].notna()]
    if rows.empty:
        say(axes, "No model knows a concept well enough\nto halve its margin.")
        return
    for mask, colour, shift in (("top", what.colour, SHIFT), ("random", GREY, -SHIFT)):
        for place, name in enumerate(names):
            mine = rows[(rows["mask"] == mask) & (rows["model"] == name)]
            if len(mine):
                _quartiles(axes, mine, what, place + shift, colour)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False, axis="y")
    for place in range(0, len(names), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=RULE, alpha=0.3, linewidth=0)
    share_axis(axes, float(rows[what.column].max()))
    axes.set_xlabel(what.label)


def _quartiles(
    axes: Axes, rows: pd.DataFrame, what: _Halving, place: float, colour: str
) -> None:
    """Median over concepts and the range of their middle half."""
    low, middle, high = rows[what.column].quantile([0.25, 0.5, 0.75])
    bound = what is KNOCK_OUT and rows["censored"].astype(bool).mean() >= 0.5
    axes.hlines(place, low, high, color=colour, linewidth=2)
    axes.plot(
        middle, place, "o", color=colour, markerfacecolor=PAPER if bound else colour
    )


def _curve_panels(top: Axes, random: Axes, tables: StudyTables) -> list[Line2D]:
    curves, _ = _relative(tables)
    names = _shown(tables)
    titles = (
        "c\N{EM SPACE}Margin left, top vectors masked",
        "d\N{EM SPACE}Margin left, random vectors",
    )
    for axes, mask, title in zip((top, random), ("top", "random"), titles, strict=True):
        axes.set_title(title)
        rows = curves[(curves["mask"] == mask) & curves["model"].isin(names)]
        if rows.empty:
            say(axes, "No model has a positive margin\nunder this mask.")
            continue
        axes.axhline(0.5, color=MUTED, linewidth=0.9, linestyle=":")
        axes.axhline(0, color=MUTED, linewidth=0.8)
        for place, name in enumerate(names):
            _curve(axes, rows[rows["model"] == name], place)
        share_axis(axes, float(rows["ratio"].max()))
        axes.set_xlabel("share of value vectors masked")
    top.set_ylabel("share of the unmasked margin")
    return [
        handle(colour, marker, name, linestyle="-")
        for name, (colour, marker) in zip(names, ASCENDING, strict=False)
    ]


def _shown(tables: StudyTables) -> list[str]:
    """Models whose curves are drawn: they span the accuracies of those with one."""
    curves, _ = _relative(tables)
    having = tables.final["model"].isin(set(curves["model"]))
    return span(tables.final[having], CURVE_MODELS)


def _curve(axes: Axes, rows: pd.DataFrame, place: int) -> None:
    colour, marker = ASCENDING[place]
    rows = rows.sort_values("ratio")
    axes.plot(
        rows["ratio"],
        rows["share"],
        color=colour,
        marker=marker,
        markersize=4,
    )


def _relative(tables: StudyTables) -> tuple[pd.DataFrame, list[str]]:
    """Concept curves over their value at ratio 0, and models where that is no use."""
    rows = tables.curves[
        (tables.curves["set"] == "concept")
        & tables.curves["model"].isin(tables.final["model"])
    ]
    start = rows[rows["ratio"] == 0].groupby("model")["margin"].first()
    negative = sorted(start.index[~(start > 0)])
    kept = rows[rows["model"].isin(start.index[start > 0])]
    return kept.assign(
        share=kept["margin"] / kept["model"].map(start).astype(float)
    ), negative


def caption(tables: StudyTables) -> str:
    """Caption."""
    known = tables.final["n_known"]
    span_of = (
        f"{min([0, *known]) if known.empty else known.min()} to {max([0, *known])}"
    )
    shown, (_, negative) = _shown(tables), _relative(tables)
    without = (
        " Without a curve, as their unmasked margin is not positive: "
        f"{listed(negative)}."
        if negative
        else ""
    )
    shared = max([0, *tables.final["n_known_shared"]])
    return (
        "Panels a and b: median over the concepts that a model knows (unmasked "
        f"accuracy at least {KNOWN_ACCURACY:g}; {span_of} per model), bars from the "
        "first to the third quartile of concepts, not confidence intervals; a model "
        "without such concepts has no mark. Open marks are bounds: the margin had not "
        "halved at the largest ratio for half of the concepts. Panels c and d: mean "
        "margin (gold against the best other option) over all concepts for "
        f"{listed(shown)}, as a share of its unmasked value.{without} "
        f"{counted(shared, 'concept')} are known to every model that knows at least "
        "half of them."
    )


EFFICIENCY = FigureSpec("efficiency", draw, caption)
