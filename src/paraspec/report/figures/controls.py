"""The signed effect of every kind of mask: pooled over models, and model by model."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from paraspec.core.definitions import ALL
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.kinds import BASIC, KINDS, Kind, rows_of
from paraspec.report.numbers import count, counted, with_interval
from paraspec.report.style import (
    MUTED,
    bars_across,
    canvas,
    handle,
    say,
    stacked,
    striped,
)

STEP = 0.18
"""Vertical distance between the masks of one model."""
COLUMNS = (
    ("signed", "a\N{EM SPACE}Mean over models", "signed effect of the mask"),
    ("top_minus", "b\N{EM SPACE}Top mask minus this one", "difference, same models"),
)


def draw(tables: StudyTables) -> Figure:
    """Pooled kinds above, models below."""
    pooled, names = _pooled(tables), _ordered(tables)
    if not pooled and not names:
        figure = canvas(3)
        say(figure.add_subplot(), "No mask was measured at the pre-registered ratio.")
        return figure
    heights = (1.0 + 0.3 * max(3, len(pooled)), 1.1 + 0.4 * max(3, len(names)))
    figure = canvas(sum(heights))
    upper, lower = stacked(figure, heights)
    _pooled_panels(upper, pooled)
    _model_panel(lower, tables.controls, names)
    return figure


def _pooled(tables: StudyTables) -> list[tuple[Kind, pd.DataFrame]]:
    """Kinds with a mean over models, controls first: rows are counted from below."""
    rows = tables.controls[tables.controls["model"] == ALL]
    found = [(kind, rows_of(rows, kind)) for kind in KINDS]
    return [each for each in found if each[1]["signed"].notna().any()][::-1]


def _pooled_panels(figure: SubFigure, pooled: list[tuple[Kind, pd.DataFrame]]) -> None:
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(1.15, 1))
    for axes, (column, title, label) in zip(panels, COLUMNS, strict=True):
        axes.set_title(title)
        if not pooled:
            say(axes, "No mean over models.")
            continue
        axes.axvline(0, color=MUTED, linewidth=0.9)
        for place, (kind, rows) in enumerate(pooled):
            _kind(axes, kind, rows, column, float(place))
        labels = [f"{kind.name} ({rows['n_models'].max()})" for kind, rows in pooled]
        striped(axes, labels)
        axes.set_xlabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    _divide(list(panels), [kind for kind, _ in pooled])


def _kind(
    axes: Axes, kind: Kind, rows: pd.DataFrame, column: str, place: float
) -> None:
    if column == "top_minus" and kind == KINDS[0]:
        return
    at = pd.Series(place, index=rows.index)
    _marks(axes, rows, column, at, kind)
    ends = [rows[f"{column}{end}"].iloc[0] for end in ("", "_low", "_high")]
    name_points(axes, ends[:1], [place], [f"{kind.name}: {with_interval(*ends)}"])


def _divide(panels: list[Axes], kinds: list[Kind]) -> None:
    """Line between variants of the top mask and controls."""
    controls = sum(not kind.survives for kind in kinds)
    if not 0 < controls < len(kinds):
        return
    for axes in panels:
        axes.axhline(controls - 0.5, color=MUTED, linewidth=0.8, linestyle="--")
    for middle, text in (
        ((controls + len(kinds) - 1) / 2, "variants"),
        ((controls - 1) / 2, "controls"),
    ):
        panels[-1].text(
            1.02,
            middle,
            text,
            transform=panels[-1].get_yaxis_transform(),
            rotation=270,
            va="center",
            fontstyle="italic",
            color=MUTED,
        )


def _model_panel(figure: SubFigure, controls: pd.DataFrame, names: list[str]) -> None:
    """One line per model, strongest at the top."""
    axes = figure.add_subplot()
    axes.set_title("c\N{EM SPACE}Model by model")
    if not names:
        say(axes, "No model has a value.")
        return
    places = {name: float(i) for i, name in enumerate(names)}
    axes.axvline(0, color=MUTED, linewidth=0.9)
    for offset, kind in enumerate(BASIC):
        mine = rows_of(controls[controls["model"].isin(names)], kind)
        mine = mine[mine["signed"].notna()]
        at = mine["model"].map(places).astype(float) + STEP * (1.5 - offset)
        _marks(axes, mine, "signed", at, kind)
        texts = [f"{kind.name}, {name}" for name in mine["model"]]
        name_points(axes, mine["signed"], at, texts)
    striped(axes, names)
    axes.set_xlabel("signed effect: what the mask costs the concept beyond others")
    entries = [handle(kind.colour, kind.marker, kind.name) for kind in BASIC]
    figure.legend(handles=entries, loc="outside upper center", ncols=len(BASIC))


def _ordered(tables: StudyTables) -> list[str]:
    """Models with a value by ascending accuracy."""
    known = set(tables.controls.loc[tables.controls["signed"].notna(), "model"])
    return [name for name in tables.final["model"] if name in known]


def _marks(
    axes: Axes, rows: pd.DataFrame, column: str, at: pd.Series, kind: Kind
) -> None:
    bars_across(axes, rows, column, at, color=kind.colour, linewidth=1.6)
    axes.plot(rows[column], at, kind.marker, color=kind.colour, markersize=5)


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.controls
    single = rows[(rows["model"] != ALL) & rows["model"].isin(tables.final["model"])]
    draws = single.groupby("mask")["draws"].max()
    random = count(draws.get("random", float("nan")))
    others = count(draws.get("matched", float("nan")))
    concepts = max([0, *single["n_concepts"]])
    return (
        "Signed difference-in-differences, (S0 \N{MINUS SIGN} S1) \N{MINUS SIGN} "
        "(G0 \N{MINUS SIGN} G1), at each model's pre-registered ratio, "
        f"{counted(concepts, 'concept')}. Panels a and b: mean over the primary models "
        "that were measured under the mask, their number in brackets; above the dashed "
        "line variants of the top mask, which a specific effect survives, below it "
        "controls, under which it vanishes. Another's: the top vectors of another "
        "concept. As active: drawn within bins of mean absolute coefficient. Set to "
        "their mean: the coefficient's mean, over all or over unrelated questions, "
        "instead of zero. In-sample: chosen on the very questions that are asked, as "
        f"in the paper. Random: {random} draws pooled; other drawn masks: {others}. "
        "Bars are 95 % percentile intervals, in a and b from resampling models and "
        "concepts at once, in c from resampling concepts; models by accuracy."
    )


CONTROLS = FigureSpec("controls", draw, caption)
