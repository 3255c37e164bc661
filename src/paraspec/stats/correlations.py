"""Table ``correlations``: how effects and knowledge go together across models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from paraspec.core.seeds import generator
from paraspec.core.tables.across_models import CORRELATIONS
from paraspec.stats.association import (
    Association,
    Directions,
    correlation,
    family_bootstrap,
    family_slope,
    leave_one_out,
    partial,
    two_way_bootstrap,
)
from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.evidence import Statistics
from paraspec.stats.items import MaskKind
from paraspec.stats.mixed import mixed_model
from paraspec.stats.multiple import corrected
from paraspec.stats.null import random_mask_null
from paraspec.stats.permutation import permutation_p
from paraspec.stats.record import Card, Kind, Record
from paraspec.stats.study import Study
from paraspec.stats.tails import Student

MIN_FAMILIES = 8
"""Below, what treats families as a sample is descriptive: with fewer clusters neither
their bootstrap nor the variance between them is near its nominal error."""

EFFECTS = {
    "pss": ("top", "pss"),
    "pss_chance": ("top", "pss_chance"),
    "signed": ("top", "signed"),
    "signed_floor": ("top", "signed_floor"),
    "random_pss": ("random", "pss"),
    "random_pss_chance": ("random", "pss_chance"),
    "random_signed_floor": ("random", "signed_floor"),
}
"""Name of an effect to mask and quantity, at each model's primary ratio."""

SIZE_EFFECTS = ("pss", "signed_floor", "random_pss")
"""Effects that are also held against the model's size, and in the mixed model."""

NULL_EFFECTS = ("pss", "signed_floor")
"""Effects that are also held against single random masks."""

PUBLISHED_EFFECTS = ("pss", "random_pss")
"""Effects that are also held against facts of a model's publication."""

SAME = (("", ""),)
DISJOINT = (("A", "B"), ("B", "A"))
HALVES = {"same": SAME, "disjoint": DISJOINT}
"""Half of the accuracy and half of the effect, for each direction averaged."""

MODELS = ("dense", "all")

GRID = ["method", "models"]
"""Rows that agree in these are one grid of tests, corrected together."""


@dataclass(frozen=True)
class Paired:
    """An effect and what it is compared with, for a group of models."""

    effect: str
    against: str
    halves: str
    models: str
    drawn: Directions
    """Each (against, effect) with axes draw (the sample first), model."""
    records: tuple[Record, ...]

    @property
    def sample(self) -> Directions:
        """(against, effect) of the sample."""
        return [(x[0], y[0]) for x, y in self.drawn]

    @property
    def families(self) -> tuple[str, ...]:
        """Family of each model."""
        return tuple(r.card.family for r in self.records)


@dataclass(frozen=True)
class Row:
    """A row of the table: what was paired, how, and what came out."""

    paired: Paired
    method: str
    found: Association
    of_families: bool = False
    """Families are treated as a sample."""

    @property
    def id(self) -> str:
        """Unique key."""
        of = self.paired
        return ".".join((of.effect, of.against, of.halves, self.method, of.models))


def correlations_table(study: Study) -> Statistics:
    """Every correlation, also those that could not be computed, with the reason."""
    rows = [*_accuracy(study), *_sizes(study), *_publication(study)]
    frame = pd.DataFrame([_columns_of(row) for row in rows])
    grids = frame.groupby(GRID)["p"]
    frame["p_bh"] = grids.transform(lambda p: corrected(p, "fdr_bh"))
    return Statistics(
        frame[CORRELATIONS.names],
        tails={r.id: r.found.tails for r in rows if r.found.tails is not None},
        kinds={r.id: _kinds(r.paired.records) for r in rows},
    )


def _accuracy(study: Study) -> Iterator[Row]:
    """Rows against unmasked accuracy."""
    for models in MODELS:
        records = study.primary_models if models == "dense" else study.models
        for halves in HALVES:
            for effect in EFFECTS:
                paired = against_accuracy(study, records, effect, halves, models)
                yield Row(paired, "pearson", correlation(paired.sample, "pearson"))
                yield Row(paired, "spearman", correlation(paired.sample, "spearman"))
                if models == "dense":
                    yield from _given(paired)
                    yield from _clustered(paired, study)


def _given(paired: Paired) -> Iterator[Row]:
    """Partial correlations: what remains at equal size, and at equal tokens."""
    sizes = log_parameters(paired.records)
    yield Row(paired, "partial", partial(paired.sample, sizes))
    tokens = np.array([float(r.card.tokens_seen) for r in paired.records])
    if (tokens > 0).all():
        both = np.column_stack([sizes, np.log2(tokens)])
        yield Row(paired, "partial-tokens", partial(paired.sample, both))
    else:
        n = int((tokens > 0).sum())
        unknown = Association(reason=f"training tokens are known of {n} models only")
        yield Row(paired, "partial-tokens", unknown)


def _clustered(paired: Paired, study: Study) -> Iterator[Row]:
    """Methods that know of concepts or families."""
    seed = (paired.effect, paired.halves, study.seed)
    both = two_way_bootstrap(paired.drawn, generator("models", *seed))
    yield Row(paired, "two-way-bootstrap", both)
    yield Row(paired, "within-family-slope", slope(paired, study))
    left_out = leave_one_out(paired.sample, paired.families)
    yield Row(paired, "leave-one-family-out", left_out)
    rng = generator("families", *seed)
    found = family_bootstrap(paired.sample, paired.families, study.draws, rng)
    yield Row(paired, "family-bootstrap", found, of_families=True)
    if paired.effect in SIZE_EFFECTS:
        yield from _mixed(paired)
    if paired.effect in NULL_EFFECTS and paired.halves == "same":
        yield Row(paired, "random-mask-null", _null(paired, study))


def _mixed(paired: Paired) -> Iterator[Row]:
    """Effect on accuracy and log parameters, a random intercept per family."""
    sizes = log_parameters(paired.records)
    fits = [
        mixed_model(y, np.column_stack([x, sizes]), paired.families)
        for x, y in paired.sample
    ]
    for i, against in enumerate(("accuracy", "log_parameters")):
        found = averaged([fit[i] for fit in fits])
        of = replace(paired, against=against)
        yield Row(of, "mixed-model", found, of_families=True)


def _null(paired: Paired, study: Study) -> Association:
    quantity = EFFECTS[paired.effect][1]
    kind = MaskKind("random", "random")
    random = [study.draw_effects(r, kind).map(quantity) for r in paired.records]
    x, y = paired.sample[0]
    rng = generator("random-mask-null", paired.effect, study.seed)
    return random_mask_null(x, y, random, study.draws, rng)


def _sizes(study: Study) -> Iterator[Row]:
    """Rows against log parameters."""
    for models in MODELS:
        records = study.primary_models if models == "dense" else study.models
        for effect in SIZE_EFFECTS:
            x = log_parameters(records)
            paired = _against(study, records, effect, "log_parameters", models, x)
            yield Row(paired, "pearson", correlation(paired.sample, "pearson"))
            if models == "dense":
                yield Row(paired, "within-family-slope", slope(paired, study))


def _publication(study: Study) -> Iterator[Row]:
    """Rows against what is published of models: those of which it is known."""
    for against in ("released", "mmlu"):
        known = {r.card.model: _fact(r.card, against) for r in study.primary_models}
        records = [r for r in study.primary_models if known[r.card.model] is not None]
        x = np.array([known[r.card.model] for r in records], dtype=np.float64)
        for effect in PUBLISHED_EFFECTS:
            paired = _against(study, records, effect, against, "dense", x)
            found = correlation(paired.sample, "pearson")
            if len(records) < 3:
                reason = f"{against} is known of {len(records)} models"
                found = Association(reason=reason)
            yield Row(paired, "pearson", found)


def _fact(card: Card, name: str) -> float | None:
    """Release date as a decimal year, or MMLU score; None if unknown."""
    if name == "mmlu":
        return card.mmlu
    day = card.released
    return None if day is None else day.year + (day.timetuple().tm_yday - 1) / 365.25


def against_accuracy(
    study: Study, records: Sequence[Record], effect: str, halves: str, models: str
) -> Paired:
    """Pair unmasked accuracy with an effect, from the same or disjoint halves."""
    mask, quantity = EFFECTS[effect]
    drawn = []
    for accuracy_half, effect_half in HALVES[halves]:
        x = [study.accuracy(r, half=accuracy_half) for r in records]
        y = [study.effects(r, mask, half=effect_half).map(quantity) for r in records]
        drawn.append((_stacked(study, x), _stacked(study, y)))
    return _defined(Paired(effect, "accuracy", halves, models, drawn, tuple(records)))


def _against(
    study: Study,
    records: Sequence[Record],
    effect: str,
    against: str,
    models: str,
    x: FloatArray,
) -> Paired:
    """Pair a fact of each model with an effect."""
    mask, quantity = EFFECTS[effect]
    y = _stacked(study, [study.effects(r, mask).map(quantity) for r in records])
    drawn = [(np.broadcast_to(x, y.shape), y)]
    return _defined(Paired(effect, against, "same", models, drawn, tuple(records)))


def _defined(paired: Paired) -> Paired:
    """Without models whose effect is undefined; ``n`` tells how many are left.

    An effect of chance-corrected accuracies has no value for a model that knows no more
    than chance: it would leave the others without a correlation too.
    """
    finite = [np.isfinite(x) & np.isfinite(y) for x, y in paired.sample]
    keep = np.all(finite, axis=0)
    return replace(
        paired,
        drawn=[(x[:, keep], y[:, keep]) for x, y in paired.drawn],
        records=tuple(r for r, kept in zip(paired.records, keep, strict=True) if kept),
    )


def log_parameters(records: Sequence[Record]) -> FloatArray:
    """Binary logarithm of all non-embedding parameters: one unit is a doubling."""
    return np.log2([float(r.card.parameters_total) for r in records])


def _stacked(study: Study, values: list[FloatArray]) -> FloatArray:
    if not values:
        return np.zeros((len(study.weights), 0))
    return np.column_stack(values)


def slope(paired: Paired, study: Study) -> Association:
    """Within-family slope, mean of the directions, with its permutation p value."""
    found = averaged([family_slope(x, y, paired.families) for x, y in paired.sample])
    if np.isnan(found.value):
        return found
    rng = generator("permutation", paired.effect, paired.halves, study.seed)
    p, how = permutation_p(paired.sample, paired.families, rng)
    return replace(found, p=p, interval=f"{found.interval or 'none'}; p {how}")


def averaged(found: Sequence[Association]) -> Association:
    """Mean of the directions with the mean of their half-widths and standard errors.

    Those are the ones of a single direction, which is conservative.
    """
    undefined = [one for one in found if np.isnan(one.value)]
    if undefined or len(found) == 1:
        return (undefined or list(found))[0]
    value, low, high = np.mean(
        [(one.value, one.low, one.high) for one in found], axis=0
    )
    mean = replace(found[0], value=value, low=low, high=high, p=np.nan, tails=None)
    spreads = [one.tails for one in found if isinstance(one.tails, Student)]
    if len(spreads) < len(found):
        return mean
    error = float(np.mean([one.error for one in spreads]))
    tails = Student(float(value), error, spreads[0].freedom)
    return replace(mean, p=2 * min(tails.below(0), tails.above(0)), tails=tails)


def _kinds(records: Sequence[Record]) -> frozenset[Kind]:
    return frozenset(r.card.kind for r in records)


def _columns_of(row: Row) -> dict[str, object]:
    paired, found = row.paired, row.found
    n_families = len(set(paired.families))
    return {
        "id": row.id,
        "effect": paired.effect,
        "against": paired.against,
        "halves": paired.halves,
        "method": row.method,
        "models": paired.models,
        "n": len(paired.families),
        "n_families": n_families,
        "estimate": found.value,
        "estimate_low": found.low,
        "estimate_high": found.high,
        "interval": found.interval,
        "p": found.p,
        "descriptive": row.of_families and n_families < MIN_FAMILIES,
        "reason": found.reason,
    }
