"""From a model's answered items to sums per concept, which all statistics use.

Every masked answer is paired with the unmasked answer to the same item under the same
concept, so that a contrast always compares the same questions.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraspec.core.definitions import CROSS_MASK, NON_KNOWLEDGE, PAPER_SELECTOR
from paraspec.core.errors import UserError
from paraspec.stats.bootstrap import FloatArray

FIELDS = (
    "n",
    "before",
    "after",
    "chance",
    "floor",
    "margin_before",
    "margin_after",
    "kept",
)
"""What is summed over a concept's items; kept: right before and after masking."""
N, BEFORE, AFTER, CHANCE, FLOOR, MARGIN_BEFORE, MARGIN_AFTER, KEPT = range(len(FIELDS))

HALVES = ("A", "B")
GROUPS = ("own", "same-category", "other-category")
KINSHIPS = ("same-category", "other-category", "all")
"""General sets; the first is primary: against items of other categories a mask that
finds "countries" would count as finding France."""
PRIMARY_KINSHIP = KINSHIPS[0]

ORIGINS = ("own", "country-derived")
"""Where an answer comes from: the concept itself, or a city's country."""

RANKED = ("top", "top-insample")
"""Masks that exist for several selectors."""

CELL_KEYS = ("masked", "selector", "mask", "ablation", "ratio")

IntArray = npt.NDArray[np.int64]


class MaskKind(NamedTuple):
    """What names a mask apart from its ratio and draw."""

    mask: str
    selector: str
    ablation: str = "zero"


@dataclass(frozen=True)
class Cell:
    """One mask at one ratio; ``none`` at ratio 0 is the unmasked model."""

    selector: str
    mask: str
    ablation: str
    ratio: float
    k: int
    draws: int

    @property
    def kind(self) -> MaskKind:
        """The mask, apart from its ratio."""
        return MaskKind(self.mask, self.selector, self.ablation)


@dataclass(frozen=True)
class Measured:
    """Per-concept sums of one model."""

    model: str
    concepts: pd.DataFrame
    """Indexed by concept: category, tier, exposure."""
    cells: tuple[Cell, ...]
    sums: FloatArray
    """Axes: cell, half, group, origin, field, concept."""
    by_draw: Mapping[int, FloatArray]
    """For each cell with several draws: axes draw, group, field, concept."""
    overall: float
    """Unmasked accuracy over the distinct items."""
    has_origins: bool
    """Items of both origins occur."""

    def find(
        self,
        mask: str,
        ratio: float,
        selector: str = PAPER_SELECTOR,
        ablation: str = "zero",
    ) -> int | None:
        """Index of the cell of a mask; None where it was not measured.

        Only the masks of :data:`RANKED` exist for several selectors; for any other the
        selector is not looked at.
        """
        for index, cell in enumerate(self.cells):
            same = (cell.mask, cell.ablation) == (mask, ablation)
            ranked = mask not in RANKED or cell.selector == selector
            if same and ranked and np.isclose(cell.ratio, ratio):
                return index
        return None

    def totals(
        self,
        cell: int,
        kinship: str = PRIMARY_KINSHIP,
        half: str = "",
        origin: str = "",
    ) -> FloatArray:
        """Sums of the concept items and of the general items of a cell.

        Returns
        -------
        FloatArray
            Axes: set (concept, general), field, concept. A concept without items of
            both sets is zero in both.
        """
        halves = [HALVES.index(half)] if half else [0, 1]
        origins = [ORIGINS.index(origin)] if origin else [0, 1]
        groups = [1, 2] if kinship == "all" else [GROUPS.index(kinship)]
        grouped = self.sums[cell][halves][:, :, origins].sum(axis=(0, 2))
        return _paired(grouped[0], grouped[groups].sum(axis=0))

    def draw_totals(self, cell: int, kinship: str = PRIMARY_KINSHIP) -> FloatArray:
        """:meth:`totals` of each draw of a cell, over all concepts.

        Returns
        -------
        FloatArray
            Axes: set (concept, general), field, draw. Without draws where the cell has
            but one.
        """
        if cell not in self.by_draw:
            return np.zeros((2, len(FIELDS), 0))
        groups = [1, 2] if kinship == "all" else [GROUPS.index(kinship)]
        sums = self.by_draw[cell]
        found = [_paired(one[0], one[groups].sum(axis=0)).sum(axis=-1) for one in sums]
        return np.stack(found, axis=-1)

    def own(self, cell: int = 0, half: str = "", origin: str = "") -> FloatArray:
        """Sums of the concept items of a cell, whatever general items there are."""
        halves = [HALVES.index(half)] if half else [0, 1]
        origins = [ORIGINS.index(origin)] if origin else [0, 1]
        summed = self.sums[cell, :, 0][halves][:, origins].sum(axis=(0, 1))
        return np.asarray(summed)


def summed(
    items: pd.DataFrame, derived: Collection[str] = (), ablation: str = "zero"
) -> Measured:
    """Sum one model's items per concept.

    Parameters
    ----------
    items
        Table ``items`` of one model. Rows of controls that are no knowledge, and of
        the mask ``cross`` (which has no general items), are left out.
    derived
        Items whose answer follows from a city's country.
    ablation
        ``zero``: rows in which masked coefficients are zero or a mean (a cell tells
        which); ``keep``: those in which all others are masked.

    Raises
    ------
    UserError
        Where the rows are of several models or scorers, or a masked answer has no
        unmasked one.
    """
    rows = _wanted(items, ablation)
    model = _single(rows, "model")
    _single(rows, "scorer")
    concept, concepts = codes(rows["concept"])
    item, names = codes(rows["item"])
    before, margin_before = _baseline(rows, concept, item, len(names))
    index, cells = _cells(rows)
    origin = np.isin(names, list(derived)).astype(np.int64)[item]
    after = rows["correct"].to_numpy(np.float64)
    group = _group(rows)
    values = (
        np.ones(len(rows)),
        before,
        after,
        rows["chance"].to_numpy(np.float64),
        rows["floor"].to_numpy(np.float64),
        margin_before,
        rows["margin"].to_numpy(np.float64),
        before * after,
    )
    n = len(concepts)
    shape = (len(cells), len(HALVES), len(GROUPS), len(ORIGINS), n)
    draws = _Draws(index, rows["draw"].to_numpy(np.int64), group, concept)
    return Measured(
        model=model,
        concepts=_traits(rows, concepts),
        cells=cells,
        sums=_sums((index, _half(rows), group, origin, concept), shape, values),
        by_draw=_by_draw(draws, cells, n, values),
        overall=_overall(rows),
        has_origins=bool(origin.any() and not origin.all()),
    )


def aligned(measured: Measured, concepts: list[str]) -> Measured:
    """``measured`` with its concept axis in the order of ``concepts``.

    A concept that the model was not measured on has zero sums: no weight anywhere.
    """
    have = list(measured.concepts.index)
    at = {name: index for index, name in enumerate(have)}
    there = [i for i, name in enumerate(concepts) if name in at]
    taken = [at[concepts[i]] for i in there]

    def put(sums: FloatArray) -> FloatArray:
        wide = np.zeros((*sums.shape[:-1], len(concepts)))
        wide[..., there] = sums[..., taken]
        return wide

    return replace(
        measured,
        concepts=measured.concepts.reindex(concepts),
        sums=put(measured.sums),
        by_draw={cell: put(sums) for cell, sums in measured.by_draw.items()},
    )


def _wanted(items: pd.DataFrame, ablation: str) -> pd.DataFrame:
    keep = items["ablation"] == "keep"
    kind = keep if ablation == "keep" else ~keep & (items["mask"] != CROSS_MASK)
    wanted = (kind | (items["mask"] == "none")) & (items["category"] != NON_KNOWLEDGE)
    return items[wanted]


def _paired(own: FloatArray, general: FloatArray) -> FloatArray:
    """Both sets stacked; a concept without items of both is zero in both."""
    both = np.stack([own, general])
    return np.where((both[:, N] > 0).all(axis=0), both, 0.0)


def _single(rows: pd.DataFrame, column: str) -> str:
    found = sorted(rows[column].astype(object).unique())
    if len(found) != 1:
        raise UserError(
            "items",
            f"column {column} holds {found or 'nothing'}",
            "Pass the items of exactly one model, asked in one way",
        )
    return str(found[0])


def codes(column: pd.Series) -> tuple[IntArray, list[str]]:
    """Codes of a text column in the sorted order of its labels, and the labels."""
    values = column.astype("category").cat.remove_unused_categories()
    labels = [str(label) for label in values.cat.categories]
    order = np.argsort(labels, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels))
    return rank[values.cat.codes.to_numpy()], [labels[i] for i in order]


def _baseline(
    rows: pd.DataFrame, concept: IntArray, item: IntArray, n_items: int
) -> tuple[FloatArray, FloatArray]:
    """Unmasked correctness and margin of each row's item under the same concept."""
    key = concept * n_items + item
    plain = (rows["mask"] == "none").to_numpy()
    if np.unique(key[plain]).size != plain.sum():
        fault = "an item is answered twice without a mask under one concept"
        raise UserError("items", fault, "Write ratio 0 once, as mask none")
    size = int(key.max()) + 1
    found = np.zeros(size, dtype=bool)
    found[key[plain]] = True
    if not found[key].all():
        lone = rows[~found[key]].iloc[0]
        fault = f"no unmasked answer to {lone['item']} under {lone['concept']}"
        raise UserError("items", fault, "Score ratio 0 on the same items")
    correct, margin = np.zeros(size), np.zeros(size)
    correct[key[plain]] = rows["correct"].to_numpy(np.float64)[plain]
    margin[key[plain]] = rows["margin"].to_numpy(np.float64)[plain]
    return correct[key], margin[key]


def _cells(rows: pd.DataFrame) -> tuple[IntArray, tuple[Cell, ...]]:
    """Cell of each row, and the cells: the unmasked one first, then by mask, ratio."""
    masked = (rows["mask"] != "none").to_numpy()
    keys = pd.DataFrame(
        {
            "masked": masked,
            **{name: _texts(rows[name]) for name in ("selector", "mask", "ablation")},
            "ratio": rows["ratio"].where(masked, 0.0),
        }
    )
    found = keys.groupby(list(CELL_KEYS), sort=True, observed=True)
    index = found.ngroup().to_numpy().astype(np.int64)
    table = found.size().reset_index()
    names = (table[name].astype("str") for name in ("selector", "mask", "ablation"))
    ratios = table["ratio"].to_numpy(np.float64).tolist()
    counts = (_most(index, rows["k"]), _distinct(index, rows["draw"]))
    columns = zip(*names, ratios, *counts, strict=True)
    return index, tuple(Cell(*values) for values in columns)


def _texts(column: pd.Series) -> pd.Series:
    """A text column as a category whose order is that of the texts."""
    values = column.astype("category").cat.remove_unused_categories()
    return values.cat.reorder_categories(sorted(values.cat.categories), ordered=True)


def _most(index: IntArray, column: pd.Series) -> list[int]:
    found = np.zeros(int(index.max()) + 1, dtype=np.int64)
    np.maximum.at(found, index, column.to_numpy(np.int64))
    return [int(value) for value in found]


def _distinct(index: IntArray, column: pd.Series) -> list[int]:
    """Distinct values of a column in each cell."""
    values = column.to_numpy(np.int64)
    pairs = np.unique(index * (int(values.max()) + 1) + values)
    return [int(n) for n in np.bincount(pairs // (int(values.max()) + 1))]


def _half(rows: pd.DataFrame) -> IntArray:
    return (rows["half"] == "B").to_numpy().astype(np.int64)


def _group(rows: pd.DataFrame) -> IntArray:
    kinship = rows["kinship"].astype(object).to_numpy()
    general = np.where(kinship == "same-category", 1, 2)
    return np.where((rows["set"] == "concept").to_numpy(), 0, general).astype(np.int64)


def _sums(
    place: tuple[IntArray, ...],
    shape: tuple[int, ...],
    values: Sequence[FloatArray],
) -> FloatArray:
    flat = np.ravel_multi_index(place, shape)
    size = int(np.prod(shape))
    fields = [np.bincount(flat, value, size).reshape(shape) for value in values]
    return np.stack(fields, axis=-2)


@dataclass(frozen=True)
class _Draws:
    """Where each row belongs."""

    cell: IntArray
    draw: IntArray
    group: IntArray
    concept: IntArray


def _by_draw(
    rows: _Draws, cells: Sequence[Cell], n_concepts: int, values: Sequence[FloatArray]
) -> dict[int, FloatArray]:
    found = {}
    for cell in (index for index, cell in enumerate(cells) if cell.draws > 1):
        chosen = rows.cell == cell
        draw = np.unique(rows.draw[chosen], return_inverse=True)[1]
        place = (draw, rows.group[chosen], rows.concept[chosen])
        shape = (int(draw.max()) + 1, len(GROUPS), n_concepts)
        found[cell] = _sums(place, shape, [value[chosen] for value in values])
    return found


def _traits(rows: pd.DataFrame, concepts: list[str]) -> pd.DataFrame:
    columns = ["concept", "category", "tier", "exposure"]
    plain = rows.loc[rows["mask"] == "none", columns].drop_duplicates("concept")
    texts = plain.astype({"concept": "str", "category": "str", "tier": "str"})
    return texts.set_index("concept").reindex(concepts)


def _overall(rows: pd.DataFrame) -> float:
    plain = rows[rows["mask"] == "none"].drop_duplicates("item")
    return float(plain["correct"].mean())
