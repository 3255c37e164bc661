"""Dose and response: knowledge against specialisation that training set on purpose."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, with_interval
from paraspec.report.style import (
    BLUE,
    GREY,
    MUTED,
    VERMILLION,
    bars,
    bars_across,
    canvas,
    handle,
    note,
    say,
)

LOOKS = {
    "": (MUTED, "o", "trained plainly"),
    "routing": (VERMILLION, "s", "routing, induces"),
    "dropout": (BLUE, "^", "dropout, suppresses"),
}
"""Colour, mark and words of each mechanism."""
SMALLEST, GROWTH = 5.0, 6.0
"""Mark of strength 0, and how much larger one of strength 1 is; points of type."""


@dataclass(frozen=True)
class Panel:
    """One outcome."""

    title: str
    label: str
    outcome: str
    slope: str
    """Row of the table ``estimates`` that the line is drawn from."""


PANELS = (
    Panel("Accuracy", "unmasked accuracy", "accuracy", "induced.accuracy.slope"),
    Panel(
        "Knowledge stored",
        "bits per parameter",
        "bits_per_parameter",
        "induced.bits.slope",
    ),
)


def draw(tables: StudyTables) -> Figure:
    """One panel per outcome, the signed effect across."""
    if tables.induced.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "No model's specialisation was set in training.")
        return figure
    figure = canvas(4.4)
    for place, panel in enumerate(PANELS):
        axes = figure.add_subplot(1, len(PANELS), place + 1)
        axes.set_title(f"{'ab'[place]}\N{EM SPACE}{panel.title}")
        _panel(axes, panel, tables.induced, tables.estimates)
    entries = [
        handle(colour, marker, words)
        for mechanism, (colour, marker, words) in LOOKS.items()
        if mechanism in set(tables.induced["mechanism"])
    ]
    line = handle(GREY, "", "least squares, 95 % interval", linestyle="-")
    figure.legend(handles=[*entries, line], loc="outside upper center", ncols=4)
    return figure


def _panel(
    axes: Axes, panel: Panel, rows: pd.DataFrame, estimates: pd.DataFrame
) -> None:
    known = rows[rows["signed"].notna() & rows[panel.outcome].notna()]
    if known.empty:
        say(axes, "No model has a value.")
        return
    for mechanism, group in known.groupby("mechanism", sort=True):
        _group(axes, group, panel.outcome, *LOOKS[str(mechanism)][:2])
    _line(axes, known, panel, estimates)
    axes.set_xlabel("signed effect of masking the top vectors")
    axes.set_ylabel(panel.label)


def _group(
    axes: Axes, rows: pd.DataFrame, outcome: str, colour: str, marker: str
) -> None:
    """Models of one mechanism, with intervals and names."""
    x, y = rows["signed"], rows[outcome]
    thin = {"color": colour, "linewidth": 0.9, "alpha": 0.35}
    bars(axes, rows, outcome, x, **thin)
    bars_across(axes, rows, "signed", y, **thin)
    sizes = (SMALLEST + GROWTH * rows["strength"]) ** 2
    axes.scatter(x, y, sizes, color=colour, marker=marker, alpha=0.85, zorder=3)
    ends = zip(*(rows[f"{outcome}{end}"] for end in ("", "_low", "_high")), strict=True)
    texts = [
        f"{model}: {with_interval(*each)}"
        for model, each in zip(rows["model"], ends, strict=True)
    ]
    name_points(axes, x, y, texts)


def _line(
    axes: Axes, rows: pd.DataFrame, panel: Panel, estimates: pd.DataFrame
) -> None:
    """Line of the estimated slope through the models' mean, and its interval's fan."""
    found = estimates[estimates["id"] == panel.slope]
    if found.empty:
        return
    row = found.iloc[0]
    if np.isnan(row["estimate"]):
        note(axes, f"No slope: {row['reason']}.")
        return
    x = np.array([rows["signed"].min(), rows["signed"].max()])
    x = np.sort([*x, rows["signed"].mean()])
    away = x - rows["signed"].mean()
    middle = rows[panel.outcome].mean()
    slope, low, high = (float(row[f"estimate{end}"]) for end in ("", "_low", "_high"))
    limits = axes.get_ylim()
    fan = (middle + low * away, middle + high * away)
    axes.fill_between(x, fan[0], fan[1], color=GREY, alpha=0.18, linewidth=0, zorder=1)
    axes.plot(x, middle + slope * away, color=GREY, zorder=2)
    axes.set_ylim(limits)
    note(axes, f"slope {with_interval(slope, low, high)}")


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.induced
    strengths = {
        mechanism: sorted(set(rows.loc[rows["mechanism"] == mechanism, "strength"]))
        for mechanism in ("routing", "dropout")
    }
    told = {m: ", ".join(f"{s:g}" for s in found) for m, found in strengths.items()}
    return (
        f"{counted(len(rows), 'model')} of one recipe, with equal data and steps, "
        f"those of one seed with equal first weights; {rows['seed'].nunique()} seeds. "
        "Routing gives each concept a block of value vectors and keeps its sentences' "
        f"gradient from all others (strengths {told['routing'] or 'none'}); dropout "
        f"sets coefficients to zero in training (shares {told['dropout'] or 'none'}); "
        "larger marks are stronger. Bits: what the answers tell beyond a guess among "
        "the options. Bars are 95 % percentile intervals from resampling concepts. The "
        "line has the slope of one half of the questions on the other, so that both "
        "axes share no noise, and is drawn through the models' mean; its band is the "
        "slope's interval from resampling models within mechanism and strength, and "
        "concepts."
    )


def shown(tables: StudyTables) -> bool:
    """Whether any model's specialisation was set."""
    return not tables.induced.empty


INDUCED = FigureSpec("induced", draw, caption, shown)
