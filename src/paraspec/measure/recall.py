"""How well a ranking finds value vectors that are known to hold a concept's facts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int

from paraspec.measure.plan import BOTH
from paraspec.measure.plant import Fact
from paraspec.measure.ranked import RankingKey, Rankings

RANDOM_DRAWS = 10
"""Random rankings whose recall is averaged."""

PerLayer = Sequence[Int[torch.Tensor, " neuron"]]
"""Place of every value vector in a ranking, one tensor per layer."""
Planted = Sequence[Sequence[int]]
"""Numbers of the value vectors to be found, by layer."""


def recall(places: PerLayer, planted: Planted, k: Sequence[int]) -> float:
    """Share of the planted value vectors among the first ``k`` of their layer.

    >>> recall([torch.tensor([0, 1, 2])], [[1, 2]], [2])
    0.5
    """
    found = [
        int((layer[list(numbers)] < n).sum())
        for layer, numbers, n in zip(places, planted, k, strict=True)
    ]
    return sum(found) / sum(map(len, planted))


def expected_recall(sizes: Sequence[int], planted: Planted, k: Sequence[int]) -> float:
    """Recall that a random ranking is expected to have: the mean of ``k / n``.

    >>> expected_recall([4, 10], [[0], [3, 5, 7]], [1, 5])
    0.4375
    """
    shares = [
        len(numbers) * drawn / n
        for n, numbers, drawn in zip(sizes, planted, k, strict=True)
    ]
    return sum(shares) / sum(map(len, planted))


def auc(places: PerLayer, planted: Planted) -> float:
    """Chance that a planted value vector ranks before another one of its layer.

    The area under the receiver operating characteristic, a mean over the planted
    vectors; 0.5 for a random ranking, NaN where a layer has no other ones.

    >>> auc([torch.tensor([0, 1, 2, 3])], [[0, 2]])  # before both, before one of two
    0.75
    """
    shares = []
    for layer, numbers in zip(places, planted, strict=True):
        mine = sorted(int(layer[number]) for number in numbers)
        n_others = len(layer) - len(mine)
        for rank, place in enumerate(mine):
            others_before = place - rank
            shares.append(1 - others_before / n_others if n_others else np.nan)
    return float(np.mean(shares))


def recall_frame(
    rankings: Rankings, facts: Sequence[Fact], ratio: float
) -> pd.DataFrame:
    """Recall of every selector for every concept's facts, selected on all questions.

    Besides the model's name and its answers, what a row of the ``planted`` table holds.
    As many value vectors of each layer count as found as hold facts of the concept; of
    the selector ``global`` as many in all.
    """
    concepts = dict.fromkeys(fact.concept for fact in facts)
    rows = []
    for concept in concepts:
        planted = [
            [f.vector for f in facts if (f.concept, f.layer) == (concept, layer)]
            for layer in range(len(rankings.sizes))
        ]
        for kind in (*rankings.kinds, "random"):
            draws = RANDOM_DRAWS if kind == "random" else 1
            keys = [RankingKey(concept, BOTH, kind, draw) for draw in range(draws)]
            scores = [_scores(rankings, key, planted, ratio) for key in keys]
            rows.append({"selector": kind, "concept": concept, **_means(scores)})
    return pd.DataFrame(rows)


def _scores(
    rankings: Rankings, key: RankingKey, planted: Planted, ratio: float
) -> dict[str, float]:
    places = [layer[0].cpu() for layer in rankings.stacked([key])]
    n, sizes = sum(map(len, planted)), rankings.sizes
    k = [len(numbers) for numbers in planted]
    if key.kind == "global":
        k = list(rankings.counts(key, n / sum(sizes)))
    return {
        "n_planted": n,
        "recall": recall(places, planted, k),
        "recall_primary": recall(places, planted, rankings.counts(key, ratio)),
        "chance": expected_recall(sizes, planted, k),
        "auc": auc(places, planted),
    }


def _means(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([s[name] for s in scores])) for name in scores[0]}
