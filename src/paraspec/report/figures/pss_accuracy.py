"""Specialisation against accuracy, one point per model: the paper's main figure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.labels import label_points
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
    for axes, panel, some in zip((upper, lower), PANELS, drawn, strict=True):
        axes.set_title(panel.title)
        remark(axes, _correlations(tables.correlations, panel.effect))
        missing = without_value(rows, panel.effect)
        if some and missing:
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
    effect, x, random = panel.effect, shown["accuracy"], shown[panel.random]
    bars(axes, shown, panel.random, x, color=GREY, linewidth=1, alpha=0.6)
    axes.plot(x, random, "o", color=GREY, markersize=4, markerfacecolor=PAPER)
    marks = family_marks(list(rows["family"]))
    for family, group in shown.groupby("family", sort=True):
        _family(axes, group, effect, *marks[str(family)])
    ends = zip(
        shown[effect], shown[f"{effect}_low"], shown[f"{effect}_high"], strict=True
    )
    numbers = [with_interval(*each) for each in ends]
    texts = [f"{m}: {v}" for m, v in zip(shown["model"], numbers, strict=True)]
    name_points(axes, x, shown[effect], texts)
    axes.margins(x=0.07, y=0.12)
    axes.set_ylabel(panel.label)
    return True


def _family(
    axes: Axes, rows: pd.DataFrame, effect: str, colour: str, marker: str
) -> None:
    """Points and intervals of one family, open where not in the correlation."""
    thin = {"color": colour, "linewidth": 1.1, "alpha": 0.5}
    bars(axes, rows, effect, rows["accuracy"], **thin)
    bars_across(axes, rows, "accuracy", rows[effect], **thin)
    for primary, part in rows.groupby("in_primary"):
        axes.plot(
            part["accuracy"],
            part[effect],
            linestyle="none",
            marker=marker,
            color=colour,
            markersize=7,
            markeredgewidth=1.4,
            markerfacecolor=colour if primary else PAPER,
            zorder=3,
        )


def _labels(axes: Axes, rows: pd.DataFrame, panel: _Panel) -> None:
    shown = rows[rows["accuracy"].notna() & rows[panel.effect].notna()]
    marks = family_marks(list(rows["family"]))
    left, right = axes.get_xlim()
    boxes = [
        _boxes(shown, *_upright(panel.effect)),
        _boxes(shown, *_upright(panel.random)),
        _boxes(shown, "accuracy_low", panel.effect, "accuracy_high", panel.effect),
        np.array([[left, 0.0, right, 0.0]]),
    ]
    others = shown[["accuracy", panel.random]].dropna()
    label_points(
        axes,
        list(shown["model"]),
        shown["accuracy"].to_numpy(dtype=float),
        shown[panel.effect].to_numpy(dtype=float),
        np.vstack(boxes),
        others=others.to_numpy(dtype=float),
        colours=[marks[family][0] for family in shown["family"]],
    )


def _upright(effect: str) -> tuple[str, ...]:
    """Columns of an effect's interval as a box: x0, y0, x1, y1."""
    return "accuracy", f"{effect}_low", "accuracy", f"{effect}_high"


def _boxes(rows: pd.DataFrame, *columns: str) -> npt.NDArray[np.float64]:
    """Boxes with these columns as x0, y0, x1, y1, without undefined ones."""
    return rows[list(columns)].dropna().to_numpy(dtype=float)


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


PSS_ACCURACY = FigureSpec("pss_accuracy", draw, caption)
