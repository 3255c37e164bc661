"""Accuracy against mask ratio: a concept's own questions and general ones."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables, span
from paraspec.report.kinds import KINDS, RANDOM_ZERO, TOP, ZERO, Kind
from paraspec.report.numbers import counted, number, percent
from paraspec.report.style import (
    BLUE,
    GREY,
    MUTED,
    PAPER,
    RULE,
    SKY,
    VERMILLION,
    canvas,
    handle,
    say,
    share_axis,
)

PANELS = 6
COLUMNS = 3
TICKS = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
STRIP_ENDS = (1.03, 1.5)
"""Strip of the control masks, in widths of the (square root) axis of ratios."""


@dataclass(frozen=True)
class _Look:
    mask: str
    kinship: str
    colour: str
    line: str
    marker: str
    name: str
    band: bool = True
    """Whether the interval is drawn: not for curves that would only pile up."""


CURVES = (
    _Look("top", "own", VERMILLION, "-", "o", "own questions, top vectors"),
    _Look("random", "own", GREY, "-", "o", "own questions, random vectors"),
    _Look("top", "same-category", BLUE, "-", "s", "same category, top vectors"),
    _Look(
        "random",
        "same-category",
        GREY,
        "--",
        "s",
        "same category, random vectors",
        band=False,
    ),
    _Look(
        "top",
        "other-category",
        SKY,
        "--",
        "^",
        "other categories, top vectors",
        band=False,
    ),
)


def draw(tables: StudyTables) -> Figure:
    """Small multiples: models that span the accuracy range, ascending."""
    names = _shown(tables)
    if not names:
        figure = canvas(3)
        say(figure.add_subplot(), "No masking curves were measured.")
        return figure
    rows = -(-len(names) // COLUMNS)
    figure = canvas(0.7 + 2.75 * rows)
    panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes, name in zip(panels.flat, names, strict=False):
        _panel(axes, tables, name)
    for axes in panels.flat[len(names) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel("accuracy")
    for axes in panels.flat[max(0, len(names) - COLUMNS) : len(names)]:
        axes.set_xlabel("share of value vectors masked")
        axes.tick_params(labelbottom=True)
    entries = [
        handle(look.colour, look.marker, look.name, linestyle=look.line)
        for look in CURVES
    ]
    entries.append(handle(MUTED, "", "chance", linestyle=":"))
    entries += [
        handle(kind.colour, kind.marker, kind.name, markerfacecolor=PAPER)
        for kind in _controls(tables.curves)
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def _shown(tables: StudyTables) -> list[str]:
    drawn = tables.curves.loc[tables.curves["accuracy"].notna(), "model"]
    return span(tables.final[tables.final["model"].isin(set(drawn))], PANELS)


def _panel(axes: Axes, tables: StudyTables, name: str) -> None:
    model = tables.final[tables.final["model"] == name].iloc[0]
    mine = tables.curves[tables.curves["model"] == name]
    axes.axhline(model["chance"], color=MUTED, linewidth=1, linestyle=":")
    axes.axvline(model["primary_ratio"], color=MUTED, linewidth=0.8, alpha=0.6)
    for look in CURVES:
        rows = mine[(mine["mask"] == look.mask) & (mine["kinship"] == look.kinship)]
        _curve(axes, rows.sort_values("ratio"), look)
    share_axis(axes, float(tables.curves["ratio"].max()), TICKS)
    _control_points(axes, mine, float(model["primary_ratio"]))
    axes.set_title(name)
    axes.set_ylim(0, 1.02)


def _controls(curves: pd.DataFrame) -> list[Kind]:
    """Kinds that are points beside the curves."""
    drawn = set(curves.loc[curves["accuracy"].notna(), "mask"])
    curved = {look.mask for look in CURVES}
    zero = (kind for kind in KINDS if kind.ablation == ZERO)
    return [kind for kind in zero if kind.mask in drawn - curved]


def _control_points(axes: Axes, mine: pd.DataFrame, primary: float) -> None:
    """Own questions under every control, side by side in a strip of their own."""
    own = mine[(mine["kinship"] == "own") & (mine["ratio"] == primary)]
    left, right = (root * root for root in STRIP_ENDS)
    widest = float(axes.get_xlim()[1])
    axes.set_xlim(0, widest * right)
    axes.axvspan(widest * left, widest * right, color=RULE, alpha=0.35, linewidth=0)
    kinds = [TOP, *_controls(mine), RANDOM_ZERO]
    roots = np.linspace(*STRIP_ENDS, len(kinds) + 2)[1:-1]
    for kind, root in zip(kinds, roots, strict=True):
        rows = own[own["mask"] == kind.mask]
        at = np.full(len(rows), widest * root * root)
        curved = kind in (TOP, RANDOM_ZERO)
        axes.plot(
            at,
            rows["accuracy"],
            kind.marker,
            color=kind.colour,
            markerfacecolor=kind.colour if curved else PAPER,
            zorder=4,
        )
        texts = [f"{kind.name}: {number(value)}" for value in rows["accuracy"]]
        name_points(axes, at, rows["accuracy"], texts)
    middle = widest * (sum(STRIP_ENDS) / 2) ** 2
    text = f"all at {percent(primary)}"
    axes.text(middle, 0.03, text, ha="center", fontsize=8, color=MUTED)


def _curve(axes: Axes, rows: pd.DataFrame, look: _Look) -> None:
    ratio, low, high = rows["ratio"], rows["accuracy_low"], rows["accuracy_high"]
    if look.band:
        axes.fill_between(ratio, low, high, color=look.colour, alpha=0.15, linewidth=0)
    axes.plot(
        ratio,
        rows["accuracy"],
        color=look.colour,
        linestyle=look.line,
        marker=look.marker,
        markersize=3.6,
        zorder=2 if look.colour == GREY else 3,
    )


def caption(tables: StudyTables) -> str:
    """Caption."""
    shown = tables.final[tables.final["model"].isin(_shown(tables))]
    concepts = max([0, *shown["n_concepts"]])
    ratios = " or ".join(
        percent(r) for r in sorted(set(shown["primary_ratio"].dropna()))
    )
    chance = number(shown["chance"].mean())
    return (
        f"{counted(len(shown), 'model')} of {len(tables.final)}, spread evenly over "
        "the accuracy range and in ascending order: accuracy on a concept's own "
        "questions and on general ones while that concept's top vectors, or as many "
        f"random ones, are switched off ({counted(concepts, 'concept')}; general "
        "questions at fewer ratios). Vectors were chosen on the other half of the "
        "questions. Tinted strip: a concept's own questions under every mask at the "
        "pre-registered ratio, on the models measured under them. "
        "The horizontal axis is stretched near zero (square root). Bands, "
        "on three curves, are 95 % percentile intervals from resampling concepts; "
        f"dotted line: chance ({chance}); vertical line: the pre-registered ratio "
        f"({ratios})."
    )


MASKING_CURVES = FigureSpec("masking_curves", draw, caption)
