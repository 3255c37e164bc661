"""Table ``estimates``: the claims' statistics that are no correlations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from paraspec.core.definitions import (
    CONTROL_MASKS,
    PAPER_SELECTOR,
    REPLACEMENTS,
    UNRELATED_RATIOS,
)
from paraspec.core.tables.across_models import ESTIMATES
from paraspec.stats.bootstrap import UNDEFINED, Estimate, FloatArray
from paraspec.stats.collateral import neutral_loss
from paraspec.stats.controls import RANDOM, TOP, top_minus
from paraspec.stats.evidence import Statistics
from paraspec.stats.groups import contrast, over_models
from paraspec.stats.item_level import pooled_log_odds
from paraspec.stats.items import PRIMARY_KINSHIP, MaskKind
from paraspec.stats.non_knowledge import KINSHIP, mean_signed
from paraspec.stats.record import Kind, Record
from paraspec.stats.study import Study
from paraspec.stats.trajectory import NO_TRAJECTORY, Run, lag, runs

TWO_WAY = "models x concepts bootstrap, percentile"
ONE_WAY = "concept bootstrap, percentile"
SANDWICH = "GEE, sandwich variance over concepts"


@dataclass(frozen=True)
class Found:
    """A statistic of the study and what its interval speaks of."""

    value: Estimate
    n: int
    n_unit: str
    interval: str
    reason: str
    kinds: frozenset[Kind] = field(default_factory=frozenset)
    """Kinds of the models that it was computed on."""


PerModel = Callable[[Study, Record], FloatArray | None]
"""The sample's value and one per draw of one model; None where there is none."""


@dataclass(frozen=True)
class Mean:
    """A mean over the primary models that have the statistic."""

    id: str
    words: str
    of: PerModel
    kind: Kind | None = None
    """Only models of this kind; any by default."""


def estimates_table(study: Study) -> Statistics:
    """Every estimate, also those that could not be computed, with the reason."""
    found = {mean.id: (mean.words, _mean(study, mean)) for mean in MEANS}
    for name, kind in LOG_ODDS.items():
        words = f"{kind.mask} mask: drop in log-odds, own beyond general items, pooled"
        found[name] = (words, _log_odds(study, kind))
    found["trajectory.lag"] = (LAG, _along(study, lag))
    found["trajectory.final"] = (FINAL, _along(study, _final))
    rows = [_row(name, words, one) for name, (words, one) in found.items()]
    tails = {name: one.value.tails for name, (_, one) in found.items()}
    return Statistics(
        pd.DataFrame(rows, columns=ESTIMATES.names),
        tails={name: one for name, one in tails.items() if one is not None},
        kinds={name: one.kinds for name, (_, one) in found.items()},
    )


def _mean(study: Study, mean: Mean) -> Found:
    records = [r for r in study.primary_models if mean.kind in (None, r.card.kind)]
    drawn = [(r, mean.of(study, r)) for r in records]
    there = [(r, v) for r, v in drawn if v is not None and np.isfinite(v[0])]
    if not there:
        reason = f"no {mean.kind} model has it" if mean.kind else "no model has it"
        return Found(UNDEFINED, 0, "models", TWO_WAY, reason)
    found = over_models([values for _, values in there], study.seed)
    few = f"{len(there)} models are too few for an interval"
    reason = few if np.isnan(found.low) else ""
    kinds = frozenset(r.card.kind for r, _ in there)
    return Found(found, len(there), "models", TWO_WAY, reason, kinds)


def _log_odds(study: Study, kind: MaskKind) -> Found:
    """Item-level model pooled over the primary models, at their primary ratios."""
    cells = [(r, r.find(kind)) for r in study.primary_models]
    there = [(r, cell) for r, cell in cells if cell is not None]
    value, n = pooled_log_odds([r.measured.totals(cell) for r, cell in there])
    reason = ""
    if np.isnan(value.value):
        reason = "no model, or too few concepts, with finite log-odds"
    elif np.isnan(value.low):
        reason = "the mask changes nothing"
    kinds = frozenset(r.card.kind for r, _ in there)
    return Found(value, n, "models", SANDWICH, reason, kinds)


def _along(study: Study, of: Callable[[Study, Run], tuple[Estimate, str]]) -> Found:
    """Statistic of the first training run by name."""
    along = runs(study)
    if not along:
        return Found(UNDEFINED, 0, "checkpoints", ONE_WAY, NO_TRAJECTORY)
    value, reason = of(study, along[0])
    if not reason and np.isnan(value.low):
        reason = "too few concepts for an interval"
    kinds = frozenset(record.card.kind for _, record in along[0])
    return Found(value, len(along[0]), "checkpoints", ONE_WAY, reason, kinds)


def _final(study: Study, run: Run) -> tuple[Estimate, str]:
    """Top minus random signed effect of the trained model."""
    last = run[-1][1]
    return study.estimate(last, top_minus(study, last, RANDOM)), ""


def _row(name: str, text: str, found: Found) -> dict[str, object]:
    return {
        "id": name,
        "statistic": text,
        "n": found.n,
        "n_unit": found.n_unit,
        **found.value.columns("estimate"),
        "interval": found.interval,
        "p": found.value.p,
        "reason": found.reason,
    }


def _quantity(
    kind: MaskKind, quantity: str = "signed", kinship: str = PRIMARY_KINSHIP
) -> PerModel:
    """A quantity under a mask."""
    return lambda study, record: study.effects_of(record, kind, kinship).map(quantity)


def _top_minus(kind: MaskKind, quantity: str = "signed") -> PerModel:
    return lambda study, record: top_minus(study, record, kind, quantity)


def _minus(first: PerModel, second: PerModel) -> PerModel:
    """Difference of two statistics, paired by draw, in models that have both."""

    def of(study: Study, record: Record) -> FloatArray | None:
        values = (first(study, record), second(study, record))
        if values[0] is None or values[1] is None:
            return None
        return np.asarray(values[0] - values[1])

    return of


def _contrast(group: str, mask: str) -> PerModel:
    def of(study: Study, record: Record) -> FloatArray | None:
        found = contrast(study, record, mask, group)
        return None if found is None else found["signed"]

    return of


def _unrelated(mask: str) -> PerModel:
    def of(study: Study, record: Record) -> FloatArray | None:
        changes = [
            study.effects(record, mask, ratio=ratio, kinship="all").general_change
            for ratio in UNRELATED_RATIOS
        ]
        return np.asarray(np.mean(changes, axis=0))

    return of


def _neutral(kind: MaskKind) -> PerModel:
    def of(study: Study, record: Record) -> FloatArray | None:
        found = neutral_loss(study, record, kind)
        return None if found is None else found.change

    return of


SIGNED = "signed difference-in-differences at the primary ratio, mean over models"
MARGIN = "signed difference-in-differences of margins (nats), mean over models"
KNOWN = "signed difference-in-differences on items right without a mask, mean of models"
UNRELATED = "general accuracy, masked - unmasked, mean of 5 % and 10 %"
NEUTRAL = "loss on neutral text, masked - unmasked (nats per token), mean over models"
LAG = "half-rise of the signed effect minus that of accuracy, share of training"
FINAL = "top - random: signed effect at the last checkpoint"

CONTROLS = {
    "random": RANDOM,
    **{
        mask: MaskKind(mask, PAPER_SELECTOR)
        for mask in ("top-insample", *CONTROL_MASKS)
    },
}
"""Masks that the top mask is compared with, by name."""

LOG_ODDS = {"specificity.log-odds": TOP, "specificity.log-odds.random": RANDOM}


def _masks() -> Iterator[Mean]:
    """The signed effect of every mask, and the top mask's minus it."""
    yield Mean("specificity.top", f"top mask: {SIGNED}", _quantity(TOP))
    for name, kind in CONTROLS.items():
        words = f"{name} mask: {SIGNED}"
        yield Mean(f"specificity.{name}", words, _quantity(kind))
        words = f"top - {name}: {SIGNED}"
        yield Mean(f"specificity.top-minus-{name}", words, _top_minus(kind))
    for name in ("cross-format", "no-outliers"):
        of = _minus(_quantity(CONTROLS[name]), _quantity(RANDOM))
        words = f"{name} - random: {SIGNED}"
        yield Mean(f"specificity.{name}-minus-random", words, of)


def _variants() -> Iterator[Mean]:
    """The same with other replacements of zero, quantities and questions."""
    for ablation in REPLACEMENTS:
        top, random = (kind._replace(ablation=ablation) for kind in (TOP, RANDOM))
        head = f"specificity.{ablation}"
        words = f"{ablation} ablation: {SIGNED}"
        yield Mean(f"{head}.top", f"top mask, {words}", _quantity(top))
        yield Mean(f"{head}.random", f"random mask, {words}", _quantity(random))
        words = f"top - random, {words}"
        yield Mean(f"{head}.top-minus-random", words, _top_minus(random))
    for name, quantity, text in (
        ("margin", "signed_margin", MARGIN),
        ("known", "signed_known", KNOWN),
    ):
        head = f"specificity.{name}"
        yield Mean(f"{head}.top", f"top mask: {text}", _quantity(TOP, quantity))
        yield Mean(
            f"{head}.random", f"random mask: {text}", _quantity(RANDOM, quantity)
        )
        words = f"top - random: {text}"
        yield Mean(f"{head}.top-minus-random", words, _top_minus(RANDOM, quantity))


def _other() -> Iterator[Mean]:
    """What the masks do to anything but knowledge."""
    knowledge = _quantity(TOP, kinship=KINSHIP)
    words = f"against items of other categories: {SIGNED}"
    both = _minus(knowledge, mean_signed)
    yield Mean(
        "specificity.non-knowledge", f"non-knowledge, top mask, {words}", mean_signed
    )
    yield Mean(
        "specificity.top-minus-non-knowledge",
        f"top mask, concepts - non-knowledge, {words}",
        both,
    )
    for mask, kind in (("top", TOP), ("random", RANDOM)):
        yield Mean(
            f"unrelated.change.{mask}", f"{mask} mask: {UNRELATED}", _unrelated(mask)
        )
        yield Mean(f"collateral.{mask}", f"{mask} mask: {NEUTRAL}", _neutral(kind))
    worse = _minus(_neutral(TOP), _neutral(RANDOM))
    yield Mean("collateral.top-minus-random", f"top - random: {NEUTRAL}", worse)


def _frequencies() -> Iterator[Mean]:
    """Contrasts of frequency: assigned in a zoo, of the name in published models."""
    groups: tuple[tuple[str, str, Kind], ...] = (
        ("exposure", "highest - lowest exposure", "zoo"),
        ("tier", "high - low tier", "published"),
    )
    for group, words, kind in groups:
        for mask in ("top", "random"):
            yield Mean(
                f"frequency.{group}.{mask}",
                f"{words}, {mask} mask: {SIGNED}",
                _contrast(group, mask),
                kind,
            )


MEANS: tuple[Mean, ...] = (*_masks(), *_variants(), *_other(), *_frequencies())
"""Every mean over models."""
