"""What masks break besides the concept: neutral text, and what is no knowledge."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from paraspec.core.definitions import ALL
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.kinds import KINDS, RANDOM_ZERO, TOP, Kind, rows_of
from paraspec.report.numbers import counted, listed, percent, points, with_interval
from paraspec.report.style import (
    MUTED,
    bars_across,
    canvas,
    handle,
    say,
    striped,
)

SHIFT = 0.16


def draw(tables: StudyTables) -> Figure:
    """Neutral text on the left, non-knowledge on the right."""
    pooled = _pooled(tables.collateral)
    others = tables.non_knowledge[tables.non_knowledge["signed"].notna()]
    if not pooled and others.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "No neutral text was read under a mask.")
        return figure
    rows = max(4, len(pooled), len(_labels(others)))
    figure = canvas(1.3 + 0.29 * rows)
    left, right = figure.subplots(1, 2)
    _neutral(left, pooled)
    _non_knowledge(right, others)
    entries = [
        handle(kind.colour, kind.marker, kind.name) for kind in (TOP, RANDOM_ZERO)
    ]
    figure.legend(handles=entries, loc="outside upper right", ncols=2)
    return figure


def _pooled(collateral: pd.DataFrame) -> list[tuple[Kind, pd.Series]]:
    """Kinds with a mean over models, the last of the order first."""
    rows = collateral[(collateral["model"] == ALL) & collateral["loss_change"].notna()]
    found = [(kind, rows_of(rows, kind)) for kind in KINDS]
    return [(kind, part.iloc[0]) for kind, part in found if len(part)][::-1]


def _neutral(axes: Axes, pooled: list[tuple[Kind, pd.Series]]) -> None:
    axes.set_title("a\N{EM SPACE}Loss on neutral text")
    if not pooled:
        say(axes, "No neutral text was read.")
        return
    axes.axvline(0, color=MUTED, linewidth=0.9)
    for place, (kind, row) in enumerate(pooled):
        ends = row["loss_change_low"], row["loss_change_high"]
        axes.hlines(place, *ends, color=kind.colour, linewidth=1.6)
        axes.plot(row["loss_change"], place, kind.marker, color=kind.colour)
        text = f"{kind.name}: {with_interval(row['loss_change'], *ends)}"
        name_points(axes, [row["loss_change"]], [place], [text])
    striped(axes, [kind.name for kind, _ in pooled])
    axes.set_xlabel("added loss, nats per token")


def _labels(rows: pd.DataFrame) -> list[str]:
    """Concept and model of each row of the panel, models under their mean."""
    pairs = rows[["concept", "model"]].drop_duplicates()
    order = pairs.sort_values("concept", kind="stable", ascending=False)
    pooled = order[order["model"] == ALL] if (order["model"] == ALL).any() else order
    return [f"{row.concept}|{row.model}" for row in pooled.itertuples()]


def _non_knowledge(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set_title("b\N{EM SPACE}Non-knowledge concepts")
    if rows.empty:
        say(axes, "None was asked.")
        return
    labels = _labels(rows)
    places = {label: float(place) for place, label in enumerate(labels)}
    key = rows["concept"].astype(str) + "|" + rows["model"].astype(str)
    axes.axvline(0, color=MUTED, linewidth=0.9)
    for kind, shift in ((TOP, SHIFT), (RANDOM_ZERO, -SHIFT)):
        mine = rows[(rows["mask"] == kind.mask) & key.isin(labels)]
        at = key[mine.index].map(places).astype(float) + shift
        bars_across(axes, mine, "signed", at, color=kind.colour, linewidth=1.6)
        axes.plot(mine["signed"], at, kind.marker, color=kind.colour)
        texts = [
            f"{kind.name}: {points(before)} to {points(after)} % right"
            for before, after in zip(mine["before"], mine["after"], strict=True)
        ]
        name_points(axes, mine["signed"], at, texts)
    names = [label.split("|") for label in labels]
    striped(axes, [c if m == ALL else f"{c}, {m}" for c, m in names])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("signed effect on its own questions")


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = tables.collateral[tables.collateral["model"] == ALL]
    models = int(rows["n_models"].max()) if len(rows) else 0
    top = rows_of(rows, TOP)
    unparsed = (
        f" Answers that no option could be read from: "
        f"{percent(top['unparsed'].iloc[0])} under the top mask, "
        f"{percent(top['unparsed_before'].iloc[0])} without."
        if len(top)
        else ""
    )
    asked = sorted(set(tables.non_knowledge["concept"]))
    controls = f" ({listed(asked)})" if asked else ""
    return (
        "Panel a: mean loss on sentences that speak of none of the concepts, masked "
        f"minus unmasked, mean over {counted(models, 'model')}; 95 % percentile "
        f"intervals from resampling models and concepts.{unparsed} Panel b: what is "
        f"asked like a concept but is no knowledge{controls}: effects as large as a "
        "concept's would say that masks find tasks, not knowledge."
    )


COLLATERAL = FigureSpec("collateral", draw, caption)
