"""Kinds of mask as readers meet them: names, order, colours and marks.

A kind is what the table ``controls`` is keyed by: how vectors were chosen (mask and
selector), and what their coefficients were set to (ablation).
"""

from dataclasses import dataclass

import pandas as pd

from paraspec.core.definitions import NONE, PAPER_SELECTOR
from paraspec.report.style import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
)

ZERO = "zero"
RANDOM = "random"


@dataclass(frozen=True)
class Kind:
    """One kind of mask."""

    mask: str
    name: str
    colour: str
    marker: str
    selector: str = PAPER_SELECTOR
    ablation: str = ZERO
    survives: bool = False
    """A variant of the top mask: a specific effect should survive it."""


TOP = Kind("top", "top vectors", VERMILLION, "o", survives=True)
RANDOM_ZERO = Kind("random", "random vectors", GREY, "o", selector=RANDOM)
IN_SAMPLE = Kind("top-insample", "top, chosen in-sample", ORANGE, "D", survives=True)
SWAP = Kind("swap", "another's, same category", BLUE, "s")

KINDS = (
    TOP,
    IN_SAMPLE,
    Kind("cross-format", "top, chosen in other words", GREEN, "^", survives=True),
    Kind("no-outliers", "top, without outliers", BROWN, "v", survives=True),
    Kind("top", "top, set to their mean", PURPLE, "P", ablation="mean", survives=True),
    Kind(
        "top",
        "top, set to their unrelated mean",
        PURPLE,
        "X",
        ablation="unrelated-mean",
        survives=True,
    ),
    SWAP,
    Kind("swap-other", "another's, other category", SKY, "s"),
    Kind("undifferenced", "most active, no difference", GREEN, "D"),
    Kind("shuffled", "chosen on shuffled labels", BROWN, "^"),
    Kind("matched", "random, as active", SKY, "o"),
    RANDOM_ZERO,
    Kind("random", "random, set to their mean", GREY, "P", RANDOM, "mean"),
    Kind(
        "random",
        "random, set to their unrelated mean",
        GREY,
        "X",
        RANDOM,
        "unrelated-mean",
    ),
)
"""Every kind but the top masks of other selectors, in the order of figures."""

BASIC = (TOP, IN_SAMPLE, SWAP, RANDOM_ZERO)
"""Kinds that every model is measured under."""


def rows_of(frame: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Rows of a table keyed by mask, selector and ablation that are of this kind.

    The selector is compared for top masks alone: of every other mask kind it is a part
    of the kind's name.
    """
    found = (frame["mask"] == kind.mask) & (frame["ablation"] == kind.ablation)
    if kind.mask == "top":
        found &= frame["selector"].isin([kind.selector, NONE])
    return frame[found]
