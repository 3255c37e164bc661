"""What training chosen value vectors does: every arm, metric by metric."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from paraspec.core.tables.causal import ALL_SEEDS, SPECIFIC_ARM, UNTRAINED_ARM
from paraspec.report.arms import NAMES, WORDS, arms_of
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, listed, with_interval
from paraspec.report.style import (
    BLUE,
    MUTED,
    PAPER,
    VERMILLION,
    bars_across,
    canvas,
    handle,
    say,
    stacked,
    striped,
)

SHIFT = 0.19
"""Vertical distance of two metrics of a panel from the arm's row."""


@dataclass(frozen=True)
class Panel:
    """One or two metrics of one kind."""

    title: str
    label: str
    metrics: tuple[str, ...]
    """The second is drawn with hollow squares."""


PANELS = (
    Panel(
        "Accuracy",
        "\N{BLACK CIRCLE} with options   \N{WHITE SQUARE} without",
        ("accuracy", "free_accuracy"),
    ),
    Panel(
        "Signed effect",
        "\N{BLACK CIRCLE} selected anew   \N{WHITE SQUARE} before training",
        ("signed", "signed_fixed"),
    ),
    Panel("Forgotten", "accuracy lost on other concepts", ("forgotten",)),
    Panel(
        "Semantic entropy",
        "nats, \N{BLACK CIRCLE} discrete   \N{WHITE SQUARE} weighted",
        ("semantic_entropy", "semantic_entropy_weighted"),
    ),
    Panel("Local intrinsic dimension", "of the last token's hidden state", ("lid",)),
)
COLUMNS = 3


def draw(tables: StudyTables) -> Figure:
    """One block of panels for each fine-tuned model."""
    models = list(dict.fromkeys(tables.causal["model"]))
    if not models:
        figure = canvas(3)
        say(figure.add_subplot(), "No model was fine-tuned.")
        return figure
    rows = {name: tables.causal[tables.causal["model"] == name] for name in models}
    heights = [2.3 + 0.5 * len(arms_of(rows[name])) for name in models]
    figure = canvas(sum(heights))
    for part, name in zip(stacked(figure, heights), models, strict=True):
        if len(models) > 1:
            part.suptitle(name, x=0.01, ha="left", fontsize=10.5)
        _block(part, rows[name])
    return figure


def _block(figure: SubFigure, rows: pd.DataFrame) -> None:
    """Panels of one model; the last place is the legend's."""
    grid = figure.subplots(2, COLUMNS)
    for place, panel in enumerate(PANELS):
        axes = grid.flat[place]
        axes.set_title(f"{'abcde'[place]}\N{EM SPACE}{panel.title}")
        drawn = _panel(axes, panel, rows)
        named = place % COLUMNS == 0 or not grid.flat[place - 1].get_yticks().size
        axes.tick_params(axis="y", labelleft=drawn and named, length=0)
    _legend(grid.flat[-1])


def _panel(axes: Axes, panel: Panel, rows: pd.DataFrame) -> bool:
    """Draw a panel; whether anything has a value."""
    found = rows[rows["metric"].isin(panel.metrics)]
    if found["value"].isna().all():
        say(axes, "No arm has a value.")
        return False
    arms = arms_of(rows)[::-1]
    for metric, shift in zip(panel.metrics, _shifts(panel), strict=True):
        mine = found[found["metric"] == metric]
        known = mine[mine["value"].notna()]
        for place, arm in enumerate(arms):
            hollow = metric != panel.metrics[0]
            _arm(axes, known[known["arm"] == arm], place + shift, hollow=hollow)
    _reference(axes, found[found["metric"] == panel.metrics[0]])
    _missing(axes, found, arms)
    striped(axes, [NAMES[arm] for arm in arms])
    axes.set_xlabel(panel.label)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    return True


def _shifts(panel: Panel) -> tuple[float, ...]:
    return (SHIFT, -SHIFT) if len(panel.metrics) > 1 else (0.0,)


def _arm(axes: Axes, rows: pd.DataFrame, place: float, *, hollow: bool) -> None:
    """Mean with its interval, and a tick for each seed."""
    if rows.empty:
        return
    mean = rows[rows["seed"] == ALL_SEEDS].iloc[0]
    colour = _colour(str(mean["arm"]))
    seeds = rows[rows["seed"] != ALL_SEEDS]["value"]
    axes.plot(seeds, [place] * len(seeds), "|", color=MUTED, markersize=8, zorder=2)
    at = pd.Series(place, index=[mean.name])
    bars_across(axes, mean.to_frame().T, "value", at, color=colour, linewidth=1.6)
    face = PAPER if hollow else colour
    marker = "s" if hollow else "o"
    axes.plot(mean["value"], place, marker, color=colour, mfc=face, zorder=3)
    ends = [mean[f"value{end}"] for end in ("", "_low", "_high")]
    words = f"{mean['arm']}, {WORDS[mean['metric']]}: {with_interval(*ends)}"
    name_points(axes, [mean["value"]], [place], [words])


def _missing(axes: Axes, rows: pd.DataFrame, arms: list[str]) -> None:
    """Say of an arm without any value, as of a failed one, that it has none."""
    known = set(rows.loc[rows["value"].notna(), "arm"])
    across = axes.get_yaxis_transform()
    for place, arm in enumerate(arms):
        if arm not in known:
            text = axes.text(0.03, place, "no value", transform=across, va="center")
            text.set(color=MUTED, fontsize=8)


def _colour(arm: str) -> str:
    if arm == SPECIFIC_ARM:
        return VERMILLION
    return MUTED if arm == UNTRAINED_ARM else BLUE


def _reference(axes: Axes, rows: pd.DataFrame) -> None:
    """Line at the value of the original."""
    before = rows[(rows["arm"] == UNTRAINED_ARM) & (rows["seed"] == ALL_SEEDS)]
    for value in before["value"].dropna():
        axes.axvline(value, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))


def _legend(axes: Axes) -> None:
    axes.set_axis_off()
    entries = [
        handle(VERMILLION, "o", "the concepts' own vectors", linestyle="-"),
        handle(BLUE, "o", "other vectors", linestyle="-"),
        handle(MUTED, "o", "nothing trained", linestyle="-"),
        handle(MUTED, "|", "one seed", markersize=9),
        handle(MUTED, "", "the original's value", linestyle=(0, (4, 3))),
    ]
    axes.legend(handles=entries, loc="center left", labelspacing=0.9)


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.causal
    taught = rows.loc[rows["metric"] == "accuracy", "n_concepts"]
    models = listed(list(dict.fromkeys(rows["model"]))) or "no model"
    return (
        f"Fine-tuning of {models} on {counted(max([0, *taught]), 'concept')}, seeds: "
        f"{max([0, *rows['n_seeds']])}. Trained are all value vectors (FV), in every "
        "layer those that respond most to the taught concepts together (PV), all "
        "others (CV), as many random ones of these others (CV-k), of all (RV; RV-norm: "
        "with an update as long as PV's), the least active (LOW), or random ones as "
        "active as PV's (matched). Accuracy: on "
        "the half of the taught concepts' questions that chose no learning rate; "
        "forgotten: on all other concepts, against the original. Signed effect: of "
        "masking a taught concept's top vectors at the pre-registered ratio. Means "
        "over seeds; bars are 95 % percentile intervals from resampling concepts and "
        "seeds at once, of the untrained model concepts alone."
    )


def shown(tables: StudyTables) -> bool:
    """Whether anything was fine-tuned."""
    return not tables.causal.empty


ARMS = FigureSpec("arms", draw, caption, shown)
