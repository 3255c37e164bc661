"""Specialisation against accuracy, one point per model: the paper's main figure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.inputs import StudyTables
from paraspec.report.labels import interval_boxes, label_points
from paraspec.report.numbers import counted, percent, with_interval
from paraspec.report.style import (
    GREY,
    MUTED,
    PAPER,
    bars,
    bars_across,
    canvas,
    family_marks,
    handle,
    note,
    remark,
    say,
    without_value,
)

METHODS = {"pearson": "Pearson r", "spearman": "Spearman \N{GREEK SMALL LETTER RHO}"}


@dataclass(frozen=True)
class _Panel:
    effect: str
    random: str
    title: str
    label: str


PANELS = (
    _Panel(
        "pss",
        "random_pss",
        "a\N{EM SPACE}The paper's score, PSS",
        "PSS",
    ),
    _Panel(
        "signed_floor",
        "random_signed",
        "b\N{EM SPACE}Signed effect, floor-corrected",
        "signed effect",
    ),
)


def draw(tables: StudyTables) -> Figure:
    """Two panels over one accuracy axis: PSS above, the signed effect below."""
    figure = canvas(8.6)
    rows = tables.final
    upper = figure.add_subplot(2, 1, 1)
    lower = figure.add_subplot(2, 1, 2, sharex=upper)
    drawn = [_points(a, rows, p) for a, p in zip((upper, lower), PANELS, strict=True)]
    for axes, panel in zip((upper, lower), PANELS, strict=True):
        axes.set_title(panel.title)
        remark(axes, _correlations(tables.correlations, panel.effect))
        if missing := without_value(rows, panel.effect):
            note(axes, missing)
    lower.set_xlabel("accuracy before masking, on the concepts' own questions")
    if any(drawn):
        entries = _legend(rows)
        figure.legend(handles=entries, loc="outside upper center", ncols=len(entries))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes, panel, some in zip((upper, lower), PANELS, drawn, strict=True):
        if some:
            _labels(axes, rows, panel)
    return figure


def _points(axes: Axes, rows: pd.DataFrame, panel: _Panel) -> bool:
    shown = rows[rows["accuracy"].notna() & rows[panel.effect].notna()]
    if shown.empty:
        say(axes, f"No model has both an accuracy and a value of {panel.label}.")
        return False
    axes.axhline(0, color=MUTED, linewidth=0.8)
    x = shown["accuracy"]
    bars(axes, shown, panel.random, x, color=GREY, linewidth=1, alpha=0.6)
    axes.plot(
        x, shown[panel.random], "o", color=GREY, markersize=4, markerfacecolor=PAPER
    )
    marks = family_marks(list(rows["family"]))
    for family, group in shown.groupby("family", sort=True):
        colour, marker = marks[str(family)]
        at = group["accuracy"]
        bars(axes, group, panel.effect, at, color=colour, linewidth=1.1, alpha=0.55)
        bars_across(
            axes,
            group,
            "accuracy",
            group[panel.effect],
            color=colour,
            linewidth=1.1,
            alpha=0.55,
        )
        for primary, part in group.groupby("in_primary"):
            axes.plot(
                part["accuracy"],
                part[panel.effect],
                linestyle="none",
                marker=marker,
                color=colour,
                markersize=7,
                markeredgewidth=1.4,
                markerfacecolor=colour if primary else PAPER,
                zorder=3,
            )
    axes.margins(x=0.07, y=0.12)
    axes.set_ylabel(panel.label)
    return True


def _labels(axes: Axes, rows: pd.DataFrame, panel: _Panel) -> None:
    shown = rows[rows["accuracy"].notna() & rows[panel.effect].notna()]
    x, y, low, high, random, random_low, random_high, left, right = (
        shown[name].to_numpy(dtype=float)
        for name in (
            "accuracy",
            panel.effect,
            f"{panel.effect}_low",
            f"{panel.effect}_high",
            panel.random,
            f"{panel.random}_low",
            f"{panel.random}_high",
            "accuracy_low",
            "accuracy_high",
        )
    )
    across = np.column_stack([left, y, right, y])
    lines = [
        interval_boxes(x, low, high),
        interval_boxes(x, random_low, random_high),
        across[np.isfinite(across).all(axis=1)],
        np.array([[*axes.get_xlim(), 0, 0]])[:, [0, 2, 1, 3]],
    ]
    others = np.column_stack([x, random])
    label_points(
        axes,
        list(shown["model"]),
        x,
        y,
        np.vstack(lines),
        others=others[np.isfinite(others).all(axis=1)],
    )


def _correlations(rows: pd.DataFrame, effect: str) -> str:
    """Correlations of an effect with accuracy, of the primary models."""
    wanted = rows[
        (rows["effect"] == effect)
        & (rows["against"] == "accuracy")
        & (rows["halves"] == "disjoint")
        & (rows["models"] == "dense")
        & rows["estimate"].notna()
    ]
    parts = []
    for method, name in METHODS.items():
        for _, row in wanted[wanted["method"] == method].iterrows():
            ends = row["estimate_low"], row["estimate_high"]
            parts.append(f"{name} = {with_interval(row['estimate'], *ends)}")
    n = [counted(int(n), "model") for n in wanted["n"].unique()[:1]]
    return ", ".join([*parts, *n])


def _legend(rows: pd.DataFrame) -> list[Line2D]:
    marks = family_marks(list(rows["family"]))
    entries = [
        handle(colour, marker, family)
        for family, (colour, marker) in marks.items()
        if rows.loc[rows["family"] == family, "in_primary"].any()
    ]
    for family in sorted(set(rows.loc[~rows["in_primary"], "family"])):
        colour, marker = marks[family]
        label = f"{family} (open: not in the correlation)"
        entries.append(
            handle(colour, marker, label, markerfacecolor=PAPER, markeredgewidth=1.4)
        )
    random = handle(GREY, "o", "random mask", markerfacecolor=PAPER, markersize=4)
    return [*entries, random]


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.final
    ratios = " or ".join(
        percent(r) for r in sorted(set(rows["primary_ratio"].dropna()))
    )
    checkpoints = int(tables.models["checkpoint"].sum())
    left_out = (
        f" The {counted(checkpoints, 'training checkpoint')} are left out."
        if checkpoints
        else ""
    )
    return (
        f"{counted(len(rows), 'model')} at the pre-registered mask ratio ({ratios} of "
        "each layer's value vectors), general questions from the same category. Bars "
        "are 95 % percentile intervals from resampling concepts. Open marks are "
        "mixtures of experts, which stand beside the correlation and not in it. Grey: "
        "the same number of random vectors, draws pooled; in panel b without floor "
        "correction. The correlations written in the panels take accuracy and effect "
        f"from disjoint halves of the questions.{left_out}"
    )


PSS_ACCURACY = FigureSpec(
    name="pss_accuracy",
    title="Specialisation against knowledge",
    alt=(
        "Scatter plots of each model's PSS and signed effect against its unmasked "
        "accuracy, with intervals, families told apart by colour and shape."
    ),
    draw=draw,
    caption=caption,
)
