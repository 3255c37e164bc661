"""Single answers of a model at its primary ratio.

Most statistics need but sums per concept (:mod:`paraspec.stats.items`). These need to
know which item was answered, or how.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from paraspec.core.definitions import (
    CROSS_MASK,
    NON_KNOWLEDGE,
    PAPER_SELECTOR,
    UNPARSED,
)
from paraspec.stats.items import IntArray, MaskKind, codes

PAIRED = ("concept", "item", "set", "kinship", "before", "after")
CROSSED = ("concept", "category", "donor", "before", "after")
CONTROL = ("concept", "item", "set", "mask", "before", "after")


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True)
class Answers:
    """What is kept of one model's items; frames without rows where nothing is."""

    top: pd.DataFrame = field(default_factory=lambda: _empty(PAIRED))
    """Answers under the top mask, each with the unmasked one to the same item."""
    choices: dict[MaskKind, dict[int, int]] = field(default_factory=dict)
    """Under each mask how often each position was answered to concept items; the
    position as options stood, or :data:`UNPARSED`."""
    cross: pd.DataFrame = field(default_factory=lambda: _empty(CROSSED))
    """Own items under every other concept's mask, and under the concept's own."""
    non_knowledge: pd.DataFrame = field(default_factory=lambda: _empty(CONTROL))
    """Answers of the controls that are no knowledge, under the top and random masks;
    each item's mean over draws."""


def answers_of(
    items: pd.DataFrame, primary: float, selector: str = PAPER_SELECTOR
) -> Answers:
    """Keep what later statistics need of table ``items`` of one model."""
    plain = (items["mask"] == "none").to_numpy()
    at = np.isclose(items["ratio"], primary) & (items["ablation"] != "keep").to_numpy()
    rows = items[plain | at]
    controls = (rows["category"] == NON_KNOWLEDGE).to_numpy()
    knowledge = rows[~controls]
    top = _named(knowledge, "top", selector)
    return Answers(
        top=_paired(knowledge, knowledge[top])[list(PAIRED)],
        choices=_choices(knowledge),
        cross=_cross(knowledge, selector),
        non_knowledge=_controls(rows[controls], selector),
    )


def _named(rows: pd.DataFrame, mask: str, selector: str) -> pd.Series:
    named = (rows["mask"] == mask) & (rows["ablation"] == "zero")
    return named & (rows["selector"] == selector) if mask == "top" else named


def _paired(rows: pd.DataFrame, masked: pd.DataFrame) -> pd.DataFrame:
    """Masked answers, each with the unmasked answer to the same item (``before``)."""
    keys = ["concept", "item"]
    plain = rows.loc[rows["mask"] == "none", [*keys, "correct"]]
    texts = dict.fromkeys(["concept", "item", "donor", "mask"], "str")
    before = plain.rename(columns={"correct": "before"})
    after = masked.rename(columns={"correct": "after"}).astype(texts)
    return after.merge(before.astype(dict.fromkeys(keys, "str")), on=keys, how="left")


def _choices(rows: pd.DataFrame) -> dict[MaskKind, dict[int, int]]:
    own = rows[(rows["set"] == "concept") & (rows["mask"] != CROSS_MASK)]
    keys = list(MaskKind._fields)
    frame = own[keys].astype("str").assign(position=_positions(own))
    counts = frame.groupby([*keys, "position"]).size().rename("n").reset_index()
    found: dict[MaskKind, dict[int, int]] = {}
    for row in counts.to_dict("records"):
        kind = MaskKind(*(str(row[key]) for key in keys))
        found.setdefault(kind, {})[int(row["position"])] = int(row["n"])
    return found


def _positions(rows: pd.DataFrame) -> IntArray:
    """Place at which the predicted option stood; ``option_order`` tells the places."""
    if rows.empty:
        return np.zeros(0, dtype=np.int64)
    code, orders = codes(rows["option_order"])
    n = max(len(order) for order in orders)
    places = np.full((len(orders), n + 1), UNPARSED)  # last column: unparsed is -1
    for i, order in enumerate(orders):
        for place, stored in enumerate(order):
            places[i, int(stored)] = place
    return np.asarray(places[code, rows["predicted"].to_numpy(np.int64)])


def _cross(rows: pd.DataFrame, selector: str) -> pd.DataFrame:
    crossed = rows[rows["mask"] == CROSS_MASK]
    if crossed.empty:
        return _empty(CROSSED)
    own = rows[_named(rows, "top", selector) & (rows["set"] == "concept")]
    both = pd.concat([crossed, own.assign(donor=own["concept"])])
    return _paired(rows, both)[list(CROSSED)]


def _controls(rows: pd.DataFrame, selector: str) -> pd.DataFrame:
    if rows.empty:
        return _empty(CONTROL)
    found = _named(rows, "top", selector) | _named(rows, "random", selector)
    keys = [name for name in CONTROL if name not in ("before", "after")]
    paired = _paired(rows, rows[found]).astype({"before": float, "after": float})
    return paired.groupby(keys, observed=True)[["before", "after"]].mean().reset_index()
