"""Selectors side by side: their masks' effect, recall of planted facts, overlap."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paraspec.core.definitions import ALL, PAPER_SELECTOR
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, number, with_interval
from paraspec.report.style import (
    BLUE,
    GREY,
    MUTED,
    ON_DARK,
    ON_LIGHT,
    VERMILLION,
    bars_across,
    canvas,
    handle,
    say,
    stacked,
    striped,
)

RECALLS = (
    ("recall_chance", "recall of a random ranking", MUTED, "|"),
    ("recall_primary", "recall within the mask", BLUE, "s"),
    ("recall", "recall", VERMILLION, "o"),
)


def draw(tables: StudyTables) -> Figure:
    """Effect and recall above, overlap below."""
    rows, planted = _effects(tables.selectors), _planted(tables.selectors)
    overlap = _overlap(tables.overlaps)
    if rows.empty and planted.empty and overlap.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "No other way of selecting was measured.")
        return figure
    figure = canvas(7.4)
    upper, lower = stacked(figure, (1, 1.2))
    left, right = upper.subplots(1, 2)
    _effect_panel(left, rows)
    _recall_panel(right, planted)
    entries = [handle(colour, mark, name) for _, name, colour, mark in RECALLS[::-1]]
    upper.legend(handles=entries, loc="outside upper right", ncols=len(entries))
    _overlap_panel(lower.add_subplot(), overlap)
    return figure


def _effects(selectors: pd.DataFrame) -> pd.DataFrame:
    found = selectors[(selectors["model"] == ALL) & selectors["signed"].notna()]
    return found[::-1]


def _planted(selectors: pd.DataFrame) -> pd.DataFrame:
    """Rows of the model that facts were planted in."""
    single = selectors[(selectors["model"] != ALL) & selectors["recall"].notna()]
    return single[single["model"].isin(single["model"].iloc[:1])][::-1]


def _overlap(overlaps: pd.DataFrame) -> pd.DataFrame:
    """Square of Jaccard indices, selectors in the table's order."""
    rows = overlaps[overlaps["jaccard"].notna()]
    order = list(dict.fromkeys([*rows["selector"], *rows["other"]]))
    wide = rows.pivot_table(index="selector", columns="other", values="jaccard")
    wide = wide.reindex(index=order, columns=order)
    return wide.fillna(wide.T)


def _effect_panel(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set_title("a\N{EM SPACE}Effect of its top mask")
    if rows.empty:
        say(axes, "No masks of several selectors")
        return
    at = pd.Series(range(len(rows)), index=rows.index, dtype=float)
    colours = [
        VERMILLION if name == PAPER_SELECTOR else GREY if name == "random" else BLUE
        for name in rows["selector"]
    ]
    axes.axvline(0, color=MUTED, linewidth=0.9)
    bars_across(axes, rows, "signed", at, colors=colours, linewidth=1.6)
    axes.scatter(rows["signed"], at, c=colours, s=34, zorder=3)
    ends = zip(rows["signed"], rows["signed_low"], rows["signed_high"], strict=True)
    name_points(axes, rows["signed"], at, [with_interval(*each) for each in ends])
    striped(axes, [str(name) for name in rows["selector"]])
    axes.set_xlabel("signed effect, mean over models")


def _recall_panel(axes: Axes, rows: pd.DataFrame) -> None:
    axes.set_title("b\N{EM SPACE}Recall of planted vectors")
    if rows.empty:
        say(axes, "No facts were planted.")
        return
    at = pd.Series(range(len(rows)), index=rows.index, dtype=float)
    for column, name, colour, mark in RECALLS:
        size = 11 if mark == "|" else 6
        axes.plot(rows[column], at, mark, color=colour, markersize=size)
        texts = [f"{name}: {number(value)}" for value in rows[column]]
        name_points(axes, rows[column], at, texts)
    striped(axes, [str(name) for name in rows["selector"]])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of planted vectors found")


def _overlap_panel(axes: Axes, overlap: pd.DataFrame) -> None:
    axes.set_title("c\N{EM SPACE}Overlap of their masks (Jaccard index)")
    if overlap.empty:
        say(axes, "No overlaps")
        return
    values = overlap.to_numpy(dtype=float)
    axes.imshow(
        np.ma.masked_invalid(values),
        cmap="Blues",
        vmin=0,
        vmax=1,
        interpolation="none",
        aspect="auto",
    )
    axes.grid(visible=False)
    names = [str(name) for name in overlap.index]
    axes.set_xticks(range(len(names)), [name.replace("-", "-\n") for name in names])
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    for row, column in np.ndindex(values.shape):
        value = values[row, column]
        if np.isfinite(value):
            colour = ON_DARK if value > 0.6 else ON_LIGHT
            text = f"{value:.2f}"
            axes.text(column, row, text, ha="center", va="center", color=colour)


def caption(tables: StudyTables) -> str:
    """Caption."""
    pooled, planted = _effects(tables.selectors), _planted(tables.selectors)
    n = int(pooled["n_models"].max()) if len(pooled) else 0
    chance = tables.overlaps["chance"].mean()
    where = f" (model {planted['model'].iloc[0]})" if len(planted) else ""
    return (
        "Ways of ranking a concept's value vectors; difference is the paper's. Panel "
        "a: signed effect of masking the top ones at the pre-registered ratio, mean "
        f"over {counted(n, 'model')}, 95 % percentile intervals from resampling models "
        f"and concepts. Panel b: new facts were written into known value vectors"
        f"{where}; recall is the share of them among as many top vectors of their "
        "layer, and within the pre-registered ratio. Panel c: mean Jaccard index of "
        f"both ways' masks of one concept; {number(chance)} is expected by chance."
    )


SELECTORS = FigureSpec("selectors", draw, caption)
