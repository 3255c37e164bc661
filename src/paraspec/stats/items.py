"""From a model's answered items to sums per concept, which all statistics use.

Every masked answer is paired with the unmasked answer to the same item under the same
concept, so that a contrast always compares the same questions.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

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
)
"""What is summed over a concept's items."""
N, BEFORE, AFTER, CHANCE, FLOOR, MARGIN_BEFORE, MARGIN_AFTER = range(len(FIELDS))

HALVES = ("A", "B")
GROUPS = ("own", "same-category", "other-category")
KINSHIPS = ("same-category", "other-category", "all")
"""General sets; the first is primary (decision 1)."""
PRIMARY_KINSHIP = KINSHIPS[0]

ORIGINS = ("own", "country-derived")
"""Where an answer comes from: the concept itself, or a city's country."""

CELL_COLUMNS = ("selector", "mask", "ratio", "k", "draw")

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """One mask at one ratio; ``none`` at ratio 0 is the unmasked model."""

    selector: str
    mask: str
    ratio: float
    k: int
    draws: int


@dataclass(frozen=True)
class Measured:
    """Per-concept sums of one model."""

    model: str
    concepts: pd.DataFrame
    """Indexed by concept: category, tier, exposure."""
    cells: tuple[Cell, ...]
    sums: FloatArray
    """Axes: cell, half, group, origin, field, concept."""
    overall: float
    """Unmasked accuracy over the distinct items."""
    has_origins: bool
    """Items of both origins occur."""

    def find(self, mask: str, ratio: float, selector: str = "") -> int | None:
        """Index of the cell of a mask at a ratio; any selector if none is named."""
        for index, cell in enumerate(self.cells):
            named = not selector or cell.selector == selector or mask != "top"
            if cell.mask == mask and np.isclose(cell.ratio, ratio) and named:
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
        both = np.stack([grouped[0], grouped[groups].sum(axis=0)])
        paired = (both[:, N] > 0).all(axis=0)
        return np.where(paired, both, 0.0)

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
        Table ``items`` of one model.
    derived
        Items whose answer follows from a city's country.
    ablation
        Rows to use beside the unmasked ones.

    Raises
    ------
    UserError
        Where the rows are of several models or scorers, or a masked answer has no
        unmasked one.
    """
    rows = items[(items["mask"] == "none") | (items["ablation"] == ablation)]
    model = _single(rows, "model")
    _single(rows, "scorer")
    concept, concepts = _codes(rows["concept"])
    item, names = _codes(rows["item"])
    before, margin_before = _baseline(rows, concept, item, len(names))
    index, cells = _cells(rows)
    origin = np.isin(names, list(derived)).astype(np.int64)[item]
    place = (index, _half(rows), _group(rows), origin, concept)
    shape = (len(cells), len(HALVES), len(GROUPS), len(ORIGINS), len(concepts))
    values = (
        np.ones(len(rows)),
        before,
        rows["correct"].to_numpy(np.float64),
        rows["chance"].to_numpy(np.float64),
        rows["floor"].to_numpy(np.float64),
        margin_before,
        rows["margin"].to_numpy(np.float64),
    )
    return Measured(
        model=model,
        concepts=_traits(rows, concepts),
        cells=cells,
        sums=_sums(place, shape, values),
        overall=_overall(rows),
        has_origins=bool(origin.any() and not origin.all()),
    )


def aligned(measured: Measured, concepts: list[str]) -> Measured:
    """``measured`` with its concept axis in the order of ``concepts``.

    A concept that the model was not measured on has zero sums: no weight anywhere.
    """
    have = list(measured.concepts.index)
    at = {name: index for index, name in enumerate(have)}
    sums = np.zeros((*measured.sums.shape[:-1], len(concepts)))
    known = [i for i, name in enumerate(concepts) if name in at]
    sums[..., known] = measured.sums[..., [at[concepts[i]] for i in known]]
    return replace(measured, concepts=measured.concepts.reindex(concepts), sums=sums)


def _single(rows: pd.DataFrame, column: str) -> str:
    found = sorted(rows[column].astype(object).unique())
    if len(found) != 1:
        raise UserError(
            "items",
            f"column {column} holds {found or 'nothing'}",
            "Pass the items of exactly one model, asked in one way",
        )
    return str(found[0])


def _codes(column: pd.Series) -> tuple[IntArray, list[str]]:
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
            "selector": rows["selector"].astype("str").where(masked, ""),
            "mask": rows["mask"].astype("str"),
            "ratio": rows["ratio"].where(masked, 0.0),
            "k": rows["k"],
            "draw": rows["draw"],
        }
    )
    groups = keys.groupby(["masked", "selector", "mask", "ratio"], sort=True)
    table = groups.agg({"k": "max", "draw": "nunique"}).reset_index()
    columns = (table[name].tolist() for name in CELL_COLUMNS)
    cells = tuple(Cell(*values) for values in zip(*columns, strict=True))
    return groups.ngroup().to_numpy().astype(np.int64), cells


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


def _traits(rows: pd.DataFrame, concepts: list[str]) -> pd.DataFrame:
    columns = ["concept", "category", "tier", "exposure"]
    plain = rows.loc[rows["mask"] == "none", columns].drop_duplicates("concept")
    texts = plain.astype({"concept": "str", "category": "str", "tier": "str"})
    return texts.set_index("concept").reindex(concepts)


def _overall(rows: pd.DataFrame) -> float:
    plain = rows[rows["mask"] == "none"].drop_duplicates("item")
    return float(plain["correct"].mean())
