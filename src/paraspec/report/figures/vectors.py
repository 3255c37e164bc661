"""Where concepts live: which value vectors of which layers are whose."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure, SubFigure
from scipy.stats import binom

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.inputs import StudyTables
from paraspec.report.numbers import counted, percent
from paraspec.report.style import (
    ASCENDING,
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    canvas,
    handle,
    say,
    stacked,
)

LAYERS = 3
"""Layers that are mapped: first, last and those between, evenly spread."""
CATEGORY_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)


def draw(tables: StudyTables) -> Figure:
    """Maps of some layers above; sharing of vectors, and layers' shares below."""
    rows = _known(tables)
    if rows.empty:
        figure = canvas(3)
        say(figure.add_subplot(), "No value vectors were described.")
        return figure
    layers = shown_layers(rows)
    figure = canvas(3.3 + 1.75 * len(layers))
    upper, lower = stacked(figure, (1.75 * len(layers), 3.3))
    categories = sorted(set(rows["category"]))
    _maps(upper, rows, layers, categories)
    left, right = lower.subplots(1, 2, width_ratios=(1, 1.15))
    _sharing(left, rows, layers)
    _layers(right, rows, categories)
    return figure


def _known(tables: StudyTables) -> pd.DataFrame:
    """Rows of the mapped model with each concept's category, knowledge only."""
    categories = tables.concepts.set_index("concept")["category"].astype(str)
    rows = tables.vectors.assign(concept=tables.vectors["concept"].astype(str))
    rows = rows.assign(category=rows["concept"].map(categories))
    return rows[rows["category"].notna() & (rows["category"] != NON_KNOWLEDGE)]


def shown_layers(rows: pd.DataFrame) -> list[int]:
    """Up to :data:`LAYERS` layers, evenly spread, first and last among them."""
    layers = sorted(set(rows["layer"]))
    if len(layers) <= LAYERS:
        return layers
    places = np.linspace(0, len(layers) - 1, LAYERS).round().astype(int)
    return [layers[place] for place in places]


def _maps(
    figure: SubFigure, rows: pd.DataFrame, layers: list[int], categories: list[str]
) -> None:
    panels = figure.subplots(len(layers), 1, squeeze=False)[:, 0]
    order = rows.sort_values(["category", "concept"])["concept"].unique()
    for axes, layer in zip(panels, layers, strict=True):
        _map(axes, rows[rows["layer"] == layer], list(order), categories)
        axes.set_ylabel(f"layer {layer}")
    panels[0].set_title("a\N{EM SPACE}Concepts (rows) and their top value vectors")
    panels[-1].set_xlabel("value vectors that serve a concept, by category they serve")
    entries = [
        handle(colour, "s", name)
        for name, colour in zip(categories, CATEGORY_COLOURS, strict=False)
    ]
    figure.legend(handles=entries, loc="outside upper right", ncols=len(entries))


def _map(
    axes: Axes, rows: pd.DataFrame, order: list[str], categories: list[str]
) -> None:
    """Matrix of one layer, marked in the colour of the concept's category."""
    cells = sorted_matrix(rows, order, categories)
    axes.imshow(
        np.ma.masked_equal(cells, 0),
        cmap=ListedColormap(CATEGORY_COLOURS),
        vmin=0.5,
        vmax=len(CATEGORY_COLOURS) + 0.5,
        interpolation="none",
        aspect="auto",
    )
    axes.grid(visible=False)
    axes.set_yticks([])


def sorted_matrix(
    rows: pd.DataFrame, order: list[str], categories: list[str]
) -> npt.NDArray[np.int64]:
    """Concept by vector: 1 + index of the category where a vector is a top one.

    Vectors that serve no concept are left out; the others stand by the category that
    they serve most, within it by how many concepts they serve.
    """
    concept = pd.Categorical(rows["concept"], order).codes
    vector, columns = pd.factorize(rows["vector"], sort=True)
    colour = pd.Categorical(rows["category"], categories).codes + 1
    cells = np.zeros((len(order), len(columns)), dtype=np.int64)
    cells[concept, vector] = colour
    counts = np.stack([(cells == i + 1).sum(axis=0) for i in range(len(categories))])
    place = np.lexsort((-counts.sum(axis=0), counts.argmax(axis=0)))
    return cells[:, place]


def _sharing(axes: Axes, rows: pd.DataFrame, layers: list[int]) -> None:
    """How many concepts the vectors serve, most shared first; dotted: by chance."""
    axes.set_title("b\N{EM SPACE}Concepts that a vector serves")
    n, widest = rows["concept"].nunique(), 0
    entries = []
    for layer, (colour, _) in zip(layers, ASCENDING, strict=False):
        mine = rows[rows["layer"] == layer]
        counts = np.sort(mine.groupby("vector").size().to_numpy())[::-1]
        axes.plot(np.arange(1, len(counts) + 1), counts, color=colour)
        entries.append(handle(colour, "", f"layer {layer}", linestyle="-"))
        widest = max(widest, len(counts))
    share = len(rows[rows["layer"] == layers[0]]) / n / widest
    ranks = (np.arange(widest) + 0.5) / widest
    axes.plot(
        np.arange(1, widest + 1),
        binom.ppf(1 - ranks, n, min(1.0, share)),
        color=MUTED,
        linestyle=":",
    )
    entries.append(handle(MUTED, "", "by chance", linestyle=":"))
    axes.set_ylim(0, None)
    axes.set_xlabel("value vectors, most shared first")
    axes.set_ylabel("concepts")
    axes.legend(handles=entries, loc="upper right")


def _layers(axes: Axes, rows: pd.DataFrame, categories: list[str]) -> None:
    """Share of each concept's effect on the residual stream that a layer holds."""
    axes.set_title("c\N{EM SPACE}Layers' share of a concept")
    shares = layer_shares(rows)
    if shares.isna().all(axis=None):
        say(axes, "No coefficients")
        return
    layers = list(shares.columns)
    rng = np.linspace(-0.09, 0.09, 7)
    category = rows.drop_duplicates("concept").set_index("concept")["category"]
    for place, (name, colour) in enumerate(
        zip(categories, CATEGORY_COLOURS, strict=False)
    ):
        mine = shares.loc[category.reindex(shares.index) == name]
        shift = (place - (len(categories) - 1) / 2) * 0.24
        for at, layer in enumerate(layers):
            spread = np.resize(rng, len(mine)) + at + shift
            axes.plot(spread, mine[layer], ".", color=colour, alpha=0.45, markersize=5)
            middle = mine[layer].median()
            axes.hlines(middle, at + shift - 0.11, at + shift + 0.11, color=colour)
    axes.set_xticks(range(len(layers)), [str(layer) for layer in layers])
    axes.set_ylim(0, None)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("layer")
    axes.set_ylabel("share")


def layer_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Concept by layer: share of the top vectors' (related - unrelated) x norm."""
    weight = ((rows["related"] - rows["unrelated"]) * rows["norm"]).clip(lower=0)
    sums = weight.groupby([rows["concept"], rows["layer"]]).sum().unstack(fill_value=0)
    return sums.div(sums.sum(axis=1), axis=0)


def caption(tables: StudyTables) -> str:
    """Caption."""
    rows = _known(tables)
    if rows.empty:
        return "No value vectors were described."
    per_layer = int(rows["rank"].max()) + 1
    model = tables.models[tables.models["model"] == tables.mapped].iloc[0]
    return (
        f"Model {tables.mapped}: the top {counted(per_layer, 'value vector')} of each "
        f"layer for each of {counted(rows['concept'].nunique(), 'concept')}, selected "
        f"on all of its questions (pre-registered ratio: "
        f"{percent(model['primary_ratio'])}, at most 32 a layer are listed). Panel a: "
        "a mark where a vector is among a concept's top ones. Panel b: in how many "
        "concepts' top vectors each vector is, against independent draws. Panel c: "
        "how a concept's top vectors divide over layers, weighted by (mean absolute "
        "coefficient on related minus on unrelated questions) times the vector's norm; "
        "a dot is a concept, a line the category's median."
    )


VECTORS = FigureSpec("vectors", draw, caption)
