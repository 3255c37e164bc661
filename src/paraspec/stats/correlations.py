"""Table ``correlations``: how effects and knowledge go together across models."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

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
from paraspec.stats.permutation import permutation_p
from paraspec.stats.study import Record, Study

MIN_FAMILIES = 8
"""Below, the family bootstrap is descriptive (decision 15)."""

EFFECTS = {
    "pss": ("top", "pss"),
    "signed": ("top", "signed"),
    "signed_floor": ("top", "signed_floor"),
    "random_pss": ("random", "pss"),
    "random_signed_floor": ("random", "signed_floor"),
}
"""Name of an effect to mask and quantity, at each model's primary ratio."""

SIZE_EFFECTS = ("pss", "signed_floor", "random_pss")

SAME = (("", ""),)
DISJOINT = (("A", "B"), ("B", "A"))
HALVES = {"same": SAME, "disjoint": DISJOINT}
"""Half of the accuracy and half of the effect, for each direction averaged."""

MODELS = ("dense", "all")


@dataclass(frozen=True)
class Paired:
    """An effect and what it is compared with, for a group of models."""

    effect: str
    against: str
    halves: str
    models: str
    drawn: Directions
    """Each (against, effect) with axes draw (the sample first), model."""
    log_parameters: FloatArray
    families: tuple[str, ...]

    @property
    def sample(self) -> Directions:
        """(against, effect) of the sample."""
        return [(x[0], y[0]) for x, y in self.drawn]


def correlations_table(study: Study) -> pd.DataFrame:
    """Every correlation, also those that could not be computed, with the reason."""
    rows: list[dict[str, object]] = []
    for models in MODELS:
        records = study.primary_models if models == "dense" else study.models
        for halves in HALVES:
            for effect in EFFECTS:
                paired = against_accuracy(study, records, effect, halves, models)
                rows += _accuracy_rows(paired, study)
        for effect in SIZE_EFFECTS:
            rows += _size_rows(against_size(study, records, effect, models), study)
    return pd.DataFrame(rows, columns=CORRELATIONS.names)


def against_accuracy(
    study: Study, records: Sequence[Record], effect: str, halves: str, models: str
) -> Paired:
    """Pair unmasked accuracy with an effect, from the same or disjoint halves."""
    mask, quantity = EFFECTS[effect]
    drawn = []
    for accuracy_half, effect_half in HALVES[halves]:
        x = [study.accuracy(r, half=accuracy_half) for r in records]
        y = [study.effects(r, mask, half=effect_half).map(quantity) for r in records]
        drawn.append((_columns(study, x), _columns(study, y)))
    return _paired(effect, "accuracy", halves, models, drawn, records)


def against_size(
    study: Study, records: Sequence[Record], effect: str, models: str
) -> Paired:
    """Pair log2 of the non-embedding parameters with an effect."""
    mask, quantity = EFFECTS[effect]
    y = _columns(study, [study.effects(r, mask).map(quantity) for r in records])
    x = np.broadcast_to(log_parameters(records), y.shape)
    return _paired(effect, "log_parameters", "same", models, [(x, y)], records)


def log_parameters(records: Sequence[Record]) -> FloatArray:
    """Binary logarithm of all non-embedding parameters: one unit is a doubling."""
    return np.log2([float(r.card.parameters_total) for r in records])


def _columns(study: Study, values: list[FloatArray]) -> FloatArray:
    if not values:
        return np.zeros((len(study.weights), 0))
    return np.column_stack(values)


def _paired(
    effect: str,
    against: str,
    halves: str,
    models: str,
    drawn: Directions,
    records: Sequence[Record],
) -> Paired:
    families = tuple(r.card.family for r in records)
    logs = log_parameters(records)
    return Paired(effect, against, halves, models, drawn, logs, families)


def _accuracy_rows(paired: Paired, study: Study) -> list[dict[str, object]]:
    rows = [
        _row(paired, "pearson", correlation(paired.sample, "pearson")),
        _row(paired, "spearman", correlation(paired.sample, "spearman")),
    ]
    if paired.models != "dense":
        return rows
    rng = generator("models", paired.effect, paired.halves, study.seed)
    return [
        *rows,
        _row(paired, "partial", partial(paired.sample, paired.log_parameters)),
        _row(paired, "two-way-bootstrap", two_way_bootstrap(paired.drawn, rng)),
        _row(paired, "within-family-slope", slope(paired, study)),
        _row(paired, "leave-one-family-out", _left_out(paired)),
        _row(paired, "family-bootstrap", _families(paired, study), few_families=True),
    ]


def _size_rows(paired: Paired, study: Study) -> list[dict[str, object]]:
    rows = [_row(paired, "pearson", correlation(paired.sample, "pearson"))]
    if paired.models == "dense":
        rows.append(_row(paired, "within-family-slope", slope(paired, study)))
    return rows


def slope(paired: Paired, study: Study) -> Association:
    """Within-family slope, mean of the directions, with its permutation p value.

    The interval's half-widths are averaged too: those of one direction, conservative.
    """
    found = [family_slope(x, y, paired.families) for x, y in paired.sample]
    if any(np.isnan(one.value) for one in found):
        return found[0]
    rng = generator("permutation", paired.effect, paired.halves, study.seed)
    p, how = permutation_p(paired.sample, paired.families, rng)
    return replace(
        found[0],
        value=float(np.mean([one.value for one in found])),
        low=float(np.mean([one.low for one in found])),
        high=float(np.mean([one.high for one in found])),
        p=p,
        interval=f"{found[0].interval or 'none'}; p {how}",
    )


def _left_out(paired: Paired) -> Association:
    return leave_one_out(paired.sample, paired.families)


def _families(paired: Paired, study: Study) -> Association:
    rng = generator("families", paired.effect, paired.halves, study.seed)
    return family_bootstrap(paired.sample, paired.families, study.draws, rng)


def _row(
    paired: Paired, method: str, found: Association, *, few_families: bool = False
) -> dict[str, object]:
    parts = (paired.effect, paired.against, paired.halves, method, paired.models)
    n_families = len(set(paired.families))
    values = asdict(found)
    return {
        "id": ".".join(parts),
        "effect": paired.effect,
        "against": paired.against,
        "halves": paired.halves,
        "method": method,
        "models": paired.models,
        "n": len(paired.families),
        "n_families": n_families,
        "estimate": found.value,
        "estimate_low": found.low,
        "estimate_high": found.high,
        "descriptive": few_families and n_families < MIN_FAMILIES,
        **{name: values[name] for name in ("interval", "p", "reason")},
    }
