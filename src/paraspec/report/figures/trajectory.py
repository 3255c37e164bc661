"""Accuracy and specialisation along one training run."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, listed
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

LOG_FROM = 16
"""Last step over first trained one from which the step axis is logarithmic."""

PANELS = (
    ("a\N{EM SPACE}Accuracy before masking", "accuracy", "", BLUE),
    ("b\N{EM SPACE}Signed effect", "signed", "random_signed", VERMILLION),
    ("c\N{EM SPACE}PSS", "pss", "random_pss", VERMILLION),
)
LINES = ("-", "--", ":")


def draw(tables: StudyTables) -> Figure:
    """Three panels over training steps; dashed lines for further runs."""
    rows = tables.trajectory
    if rows.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "The study has no training trajectory.")
        return figure
    figure = canvas(3.7)
    panels = figure.subplots(1, len(PANELS))
    for axes, (title, value, random, colour) in zip(panels, PANELS, strict=True):
        axes.set_title(title)
        if rows[value].isna().all():
            say(axes, "No checkpoint has a value.")
            continue
        _panel(axes, rows, value, random, colour)
    entries = [
        handle(BLUE, "o", "accuracy", linestyle="-"),
        handle(MUTED, "", "chance", linestyle=":"),
        handle(VERMILLION, "o", "top vectors", linestyle="-"),
        handle(GREY, "o", "random vectors", linestyle="-"),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=4)
    return figure


def _panel(
    axes: Axes, rows: pd.DataFrame, value: str, random: str, colour: str
) -> None:
    for index, (_, run) in enumerate(rows.groupby("trajectory_of", sort=True)):
        line = LINES[index % len(LINES)]
        run = run.sort_values("step")
        if random:
            _band(axes, run, random, line)
        else:
            axes.plot(run["step"], run["chance"], color=MUTED, linestyle=":")
        _line(axes, run, value, colour, line)
    if value == "accuracy":
        axes.set_ylim(0, 1.02)
    else:
        axes.axhline(0, color=MUTED, linewidth=0.8)
    _steps(axes, rows["step"])


def _line(axes: Axes, run: pd.DataFrame, value: str, colour: str, line: str) -> None:
    bars(axes, run, value, run["step"], color=colour, linewidth=1.2, alpha=0.7)
    axes.plot(run["step"], run[value], color=colour, linestyle=line, marker="o")


def _band(axes: Axes, run: pd.DataFrame, value: str, line: str) -> None:
    """Random masks: a band, so that the bars of the top mask stay readable."""
    low, high = run[f"{value}_low"], run[f"{value}_high"]
    axes.fill_between(run["step"], low, high, color=GREY, alpha=0.25, linewidth=0)
    axes.plot(run["step"], run[value], color=GREY, linestyle=line, marker="o")


def _steps(axes: Axes, steps: pd.Series) -> None:
    axes.set_xlabel("training step")
    trained = sorted(set(steps[steps > 0]))
    if trained and trained[-1] / trained[0] >= LOG_FROM:
        axes.set_xscale("symlog", base=2, linthresh=trained[0])
        shown = [*([0] if steps.min() == 0 else []), *_doubling(trained)]
        axes.set_xticks(shown, [f"{step:,}" for step in shown])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(shown[0] - 0.1 * trained[0], trained[-1] * 1.15)


def _doubling(steps: list[int]) -> list[int]:
    """Steps of which each is at least 1.7 times the one before: room for numerals.

    >>> _doubling([50, 100, 200, 300, 400, 600])
    [50, 100, 200, 400]
    """
    kept = steps[:1]
    for step in steps[1:]:
        if step >= 1.7 * kept[-1]:
            kept.append(step)
    return kept


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.trajectory
    if rows.empty:
        return "The study has no training trajectory."
    names = sorted(set(rows["trajectory_of"]))
    floor = (
        " Step 0 is the untrained model: the floor." if 0 in set(rows["step"]) else ""
    )
    return (
        f"{counted(len(rows), 'checkpoint')} of {listed(names)}, general questions "
        f"from the same category, at the pre-registered mask ratio.{floor} "
        "Bars and bands are 95 % percentile intervals from resampling concepts. "
        "Checkpoints of one run are no independent models and enter no statistic "
        "across models."
    )


TRAJECTORY = FigureSpec("trajectory", draw, caption)
