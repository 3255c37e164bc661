"""What the probabilities of unmasked answers tell: bits stored, and false certainty.

Both rest on probabilities among an item's options, which the scorer ``cloze`` stores:
of the gold option ``exp(gold_logprob) / option_mass``, and of the answer the same with
the best option's log-likelihood, which is higher than the gold's by minus the margin
where the answer is wrong.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.definitions import NON_KNOWLEDGE, SURE
from paraspec.stats.items import HALVES

SCORER = "cloze"
"""The scorer whose margins and log-likelihoods are both those of whole options."""

NO_PROBABILITIES = f"options have probabilities under the scorer {SCORER} alone"


@dataclass(frozen=True)
class Certainty:
    """How sure a model is of its answers about concepts it never met."""

    confidence: float = np.nan
    """Mean probability of the answer among the options."""
    hallucination: float = np.nan
    """Share of questions answered wrongly with a probability above :data:`SURE`."""


def bits_stored(items: pd.DataFrame) -> pd.DataFrame:
    """Bits that unmasked answers tell about each concept, by half; may be negative.

    Parameters
    ----------
    items
        Table ``items`` of one model.

    Returns
    -------
    DataFrame
        Indexed by concept, columns A and B; without rows under other scorers.

    Notes
    -----
    Of an item ``log2(options) + log2(p)``, with ``p`` the gold option's probability
    among the options: its bits, minus the model's cross-entropy on it. It reaches from
    ``log2(options)`` down without limit. The idea of counting knowledge in bits of
    reduced cross-entropy is that of Allen-Zhu & Li (2024, arXiv:2404.05405), who count
    bits of free text; here only what the options ask for is seen.
    """
    own = (items["mask"] == "none") & (items["set"] == "concept")
    rows = items[own & (items["category"] != NON_KNOWLEDGE)]
    rows = rows[rows["scorer"] == SCORER]
    nats = rows["gold_logprob"] - np.log(rows["option_mass"])
    bits = nats / np.log(2) - np.log2(rows["chance"])
    keys = [rows[name].astype("str") for name in ("concept", "half")]
    by_half: pd.DataFrame = bits.groupby(keys).sum().unstack("half")
    return by_half.reindex(columns=list(HALVES))


def certainty(items: pd.DataFrame) -> Certainty:
    """Certainty of the distinct items on concepts never met; NaN without any."""
    plain = items[(items["mask"] == "none") & (items["scorer"] == SCORER)]
    plain = plain.drop_duplicates("item")
    if plain.empty:
        return Certainty()
    best = plain["gold_logprob"] - plain["margin"].clip(upper=0)
    p = np.exp(best) / plain["option_mass"]
    wrong = ~plain["correct"] & (p > SURE)
    return Certainty(float(p.mean()), float(wrong.mean()))
