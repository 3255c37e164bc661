"""Contrasts of arms as statistics that claims may name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.tables.across_models import ESTIMATES
from paraspec.core.tables.causal import (
    ARMS,
    KNOWN,
    METRICS,
    SPECIFIC_ARM,
    UNTRAINED_ARM,
)
from paraspec.stats.bootstrap import UNDEFINED, estimate
from paraspec.stats.causal import Arms, Mean
from paraspec.stats.evidence import Statistics

CROSSED = "concepts x seeds bootstrap, percentile"

NO_ARMS = "no model was fine-tuned on facts that it met"

PAPERS = ("FV", "CV", "RV")
"""Trained arms that the paper compares with."""

EQUALLY_MANY = ("RV", "CV-k", "matched")
"""Arms that train exactly as many value vectors as the specific one."""

OTHERS = (UNTRAINED_ARM, "RV")
"""What the metrics other than accuracy are compared with: no training, and as much."""


@dataclass(frozen=True)
class Contrast:
    """The specific arm minus another, or minus the best of several."""

    id: str
    words: str
    metric: str
    others: tuple[str, ...]


def causal_estimates(models: Sequence[Arms]) -> Statistics:
    """Every contrast that claims may name, as rows of the table ``estimates``.

    Notes
    -----
    Mean over the models that were taught facts which they met in training, as the
    paper's; the interval speaks of these models, over other concepts and seeds. Of new
    facts the table of contrasts tells.
    """
    models = [each for each in models if each.tuned.facts == KNOWN]
    found = {each.id: (each, _over_models(models, each)) for each in CLAIMED}
    rows = [_row(each, mean) for each, mean in found.values()]
    tails = {name: mean.value.tails for name, (_, mean) in found.items()}
    return Statistics(
        pd.DataFrame(rows, columns=ESTIMATES.names),
        tails={name: one for name, one in tails.items() if one is not None},
        kinds={},
    )


def _over_models(models: Sequence[Arms], contrast: Contrast) -> Mean:
    means = [
        each.minus(contrast.metric, SPECIFIC_ARM, *contrast.others) for each in models
    ]
    if len(means) == 1:
        return means[0]
    there = [mean for mean in means if mean.drawn.size]
    if not there:
        why = means[0].reason if means else NO_ARMS
        return Mean(UNDEFINED, 0, 0, why, np.array([]))
    drawn = np.mean([mean.drawn for mean in there], axis=0)
    n, seeds = (min(getattr(m, k) for m in there) for k in ("n_concepts", "n_seeds"))
    reason = next((mean.reason for mean in there if mean.reason), "")
    value = estimate(drawn, min(n, seeds))
    return Mean(value, n, seeds, reason if np.isnan(value.low) else "", drawn)


def _row(contrast: Contrast, mean: Mean) -> dict[str, object]:
    return {
        "id": contrast.id,
        "statistic": contrast.words,
        "n": mean.n_concepts,
        "n_unit": "concepts",
        **mean.value.columns("estimate"),
        "interval": CROSSED,
        "p": mean.value.p,
        "reason": mean.reason,
    }


def _claimed() -> Iterator[Contrast]:
    yield from _against("accuracy", [arm for arm in ARMS if arm != SPECIFIC_ARM])
    for name, others in (("best", PAPERS), ("best-equal", EQUALLY_MANY)):
        words = f"{SPECIFIC_ARM} - best of {', '.join(others)}"
        yield _contrast(name, words, "accuracy", others)
    for metric in ("signed", "semantic_entropy", "lid"):
        yield from _against(metric, OTHERS)


def _against(metric: str, others: Sequence[str]) -> Iterator[Contrast]:
    for other in others:
        yield _contrast(other, f"{SPECIFIC_ARM} - {other}", metric, (other,))


def _contrast(name: str, words: str, metric: str, others: tuple[str, ...]) -> Contrast:
    head = METRICS[metric].rstrip(".")
    text = f"{words}: {head[:1].lower()}{head[1:]}"
    return Contrast(f"causal.{metric}.{SPECIFIC_ARM}-{name}", text, metric, others)


CLAIMED: tuple[Contrast, ...] = tuple(_claimed())
"""Every contrast that claims may name."""
