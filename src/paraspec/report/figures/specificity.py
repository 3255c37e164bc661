"""Heat map: accuracy that each concept's questions lose under each concept's mask."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from paraspec.report.figures.spec import FigureSpec
from paraspec.report.hover import name_points
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, points
from paraspec.report.style import (
    MUTED,
    ON_DARK,
    ON_LIGHT,
    canvas,
    say,
    side_by_side,
)

NAMED = 75
"""Concepts up to which each has its name on the axis."""
COLOURS = "PuOr_r"
LIMITS = (0.2, 1.0)
"""Least and largest drop at which the colours end."""


def draw(tables: StudyTables) -> Figure:
    """Concepts by donors on the left, means of categories on the right."""
    drops = _matrix(tables.cross)
    if drops.empty or drops.isna().all(axis=None):
        figure = canvas(3)
        say(figure.add_subplot(), "No model was asked under every concept's mask.")
        return figure
    figure = canvas(7.6)
    left, right = side_by_side(figure, (2, 1))
    categories = _categories(tables.cross)
    limit = float(np.clip(np.nanquantile(drops.abs(), 0.995), *LIMITS))
    _map(left, drops, categories, limit, _names(tables.concepts))
    _blocks(right, drops, categories, limit)
    return figure


def _categories(cross: pd.DataFrame) -> pd.Series:
    """Category of each concept."""
    return cross.drop_duplicates("concept").set_index("concept")["category"]


def _names(concepts: pd.DataFrame) -> dict[str, str]:
    return dict(zip(concepts["concept"], concepts["name"], strict=True))


def _matrix(cross: pd.DataFrame) -> pd.DataFrame:
    """Drops, rows whose questions and columns whose mask, sorted by category."""
    model = cross["model"].iloc[:1]
    rows = cross[cross["model"].isin(model)]
    order = rows.sort_values(["category", "concept"])["concept"].unique()
    wide = rows.pivot_table(index="concept", columns="donor", values="drop")
    return wide.reindex(index=order, columns=order)


def _map(
    figure: SubFigure,
    drops: pd.DataFrame,
    categories: pd.Series,
    limit: float,
    names: dict[str, str],
) -> None:
    axes = figure.add_subplot()
    axes.set_title("a\N{EM SPACE}Accuracy lost, concept by concept")
    image = _image(axes, drops.to_numpy(dtype=float), limit)
    n = len(drops)
    edges = _edges(categories.reindex(drops.index))
    for edge in edges[1:-1]:
        axes.axhline(edge - 0.5, color=MUTED, linewidth=0.7)
        axes.axvline(edge - 0.5, color=MUTED, linewidth=0.7)
    labels = [names.get(concept, concept) for concept in drops.index]
    if n <= NAMED:
        axes.set_yticks(range(n), labels, fontsize=5.6)
    else:
        axes.set_yticks([])
    middles = [(a + b - 1) / 2 for a, b in pairwise(edges)]
    axes.set_xticks(middles, list(categories.reindex(drops.index).unique()))
    axes.set_xlabel("whose vectors are masked")
    axes.set_ylabel("whose questions are asked")
    bar = figure.colorbar(
        image, ax=axes, orientation="horizontal", shrink=0.6, aspect=36, pad=0.01
    )
    bar.set_label("accuracy lost, percentage points")
    bar.set_ticks([-limit, 0, limit], labels=[points(v) for v in (-limit, 0, limit)])
    bar.outline.set_visible(False)
    _name_rows(axes, drops, labels)


def _name_rows(axes: Axes, drops: pd.DataFrame, labels: list[str]) -> None:
    """Tell on the diagonal each concept's own and its mean other drop."""
    values = drops.to_numpy(dtype=float)
    others = drops.mask(np.eye(len(drops), dtype=bool)).mean(axis=1)
    texts = [
        f"{label}: own mask {points(own)}, others' {points(mean)} points"
        for label, own, mean in zip(labels, values.diagonal(), others, strict=True)
    ]
    name_points(axes, range(len(labels)), range(len(labels)), texts)


def _edges(sorted_categories: pd.Series) -> list[int]:
    """Where each category begins, and the end of the last."""
    sizes = sorted_categories.groupby(sorted_categories, sort=False).size()
    return [0, *sizes.cumsum().tolist()]


def _image(axes: Axes, values: npt.NDArray[np.float64], limit: float) -> AxesImage:
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    return axes.imshow(
        np.ma.masked_invalid(values),
        cmap=COLOURS,
        vmin=-limit,
        vmax=limit,
        interpolation="none",
        aspect="auto",
    )


def _blocks(
    figure: SubFigure, drops: pd.DataFrame, categories: pd.Series, limit: float
) -> None:
    """Means over pairs of concepts: own, and each pair of categories."""
    upper, lower = figure.subplots(2, 1, height_ratios=(1, 1.35))
    means = block_means(drops, categories)
    values = means.to_numpy(dtype=float)
    upper.set_title("b\N{EM SPACE}By category")
    _image(upper, values, limit)
    upper.set_xticks(range(len(means)), list(means.columns))
    upper.set_yticks(range(len(means)), list(means.index))
    upper.set_xlabel("mask of another concept in")
    upper.set_ylabel("questions of")
    for row, column in np.ndindex(values.shape):
        value = float(values[row, column])
        dark = abs(value) > 0.6 * limit
        colour = ON_DARK if dark else ON_LIGHT
        upper.text(column, row, points(value), ha="center", va="center", color=colour)
    _contrast(lower, drops, categories)


def _contrast(axes: Axes, drops: pd.DataFrame, categories: pd.Series) -> None:
    """Mean drop under one's own, a same-category and an other-category mask."""
    axes.set_title("c\N{EM SPACE}By whose mask")
    kinds = pair_kinds(drops, categories)
    values = drops.to_numpy(dtype=float)
    means = [np.nanmean(values[kinds == kind]) for kind in range(len(PAIRS))]
    bars = axes.bar(range(len(PAIRS)), [100 * mean for mean in means], color=MUTED)
    axes.bar_label(bars, labels=[points(mean) for mean in means], padding=2)
    axes.set_xticks(range(len(PAIRS)), PAIRS)
    axes.set_ylabel("percentage points")
    axes.margins(y=0.2)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.grid(visible=False, axis="x")


PAIRS = ("its own", "same\ncategory", "other\ncategory")


def pair_kinds(drops: pd.DataFrame, categories: pd.Series) -> npt.NDArray[np.int64]:
    """Index into :data:`PAIRS` of every cell of the map."""
    of = categories.reindex(drops.index).to_numpy()
    kinds = np.where(of[:, None] == of[None, :], 1, 2)
    np.fill_diagonal(kinds, 0)
    return kinds


def block_means(drops: pd.DataFrame, categories: pd.Series) -> pd.DataFrame:
    """Mean drop of each pair of categories, a concept's own mask left out."""
    others = drops.mask(np.eye(len(drops), dtype=bool))
    long = others.rename_axis(index="asked", columns="masked").melt(
        ignore_index=False, value_name="drop"
    )
    asked = long.index.to_series().map(categories)
    masked = long["masked"].map(categories)
    return long["drop"].groupby([asked, masked]).mean().unstack()


def caption(tables: StudyTables) -> str:
    """Caption."""
    cross = tables.cross
    if cross.empty:
        return "No model was asked under every concept's mask."
    n = cross["concept"].nunique()
    items = cross["n_items"].max()
    return (
        f"Model {cross['model'].iloc[0]} at its pre-registered ratio: how much of the "
        f"accuracy on each concept's questions is lost under each of the "
        f"{counted(n, 'concept')}' masks ({counted(int(items), 'question')} a cell at "
        "most, each under the mask selected on the other half of the donor's "
        "questions). Concepts stand in the same order on both sides, sorted by "
        "category: a specific mask darkens the diagonal of panel a, and the first bar "
        "of panel c. Panel b leaves the diagonal out."
    )


SPECIFICITY = FigureSpec("specificity", draw, caption)
