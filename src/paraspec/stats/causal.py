"""What fine-tuning chosen value vectors did: every arm's metrics, and contrasts.

Concepts and seeds are resampled at once, and in the same way for every arm: a contrast
compares the same concepts under the same seed numbers. The original was measured once
and is paired with every seed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from paraspec.core.tables.causal import (
    ALL_SEEDS,
    CAUSAL,
    CONTRASTS,
    METRICS,
    SPECIFIC_ARM,
    UNTRAINED_ARM,
)
from paraspec.stats.bootstrap import (
    MIN_UNITS,
    UNDEFINED,
    Estimate,
    FloatArray,
    estimate,
)
from paraspec.stats.causal_metrics import Drawn, Value
from paraspec.stats.causal_runs import Run, Tuned
from paraspec.stats.multiple import corrected

NO_COMMON_SEED = "no seed of all compared arms has a value"

Row = dict[str, object]


@dataclass(frozen=True)
class Mean:
    """A metric of an arm, or a difference of two."""

    value: Estimate
    n_concepts: int
    n_seeds: int
    reason: str
    drawn: FloatArray = field(compare=False)
    """In the sample, then in every draw; empty without a value."""

    def columns(self, name: str) -> Row:
        """Columns of a table: the value, what is behind it, and why there is none."""
        counts = {"n_concepts": self.n_concepts, "n_seeds": self.n_seeds}
        return {**self.value.columns(name), **counts, "reason": self.reason}


class Arms:
    """The arms of one fine-tuned model, side by side.

    Parameters
    ----------
    tuned
        The model.
    draws, seed
        Of the bootstrap.
    """

    def __init__(self, tuned: Tuned, draws: int, seed: int) -> None:
        self.tuned = tuned
        self._drawn = Drawn(tuned, draws, seed)
        self._runs: dict[str, dict[int, Run]] = {}
        for run in tuned.runs:
            self._runs.setdefault(run.arm, {})[run.seed] = run

    @property
    def names(self) -> tuple[str, ...]:
        """Arms in the order of their runs."""
        return tuple(self._runs)

    def single(self, run: Run, metric: str) -> Mean:
        """A metric of one run, with an interval over concepts."""
        found = self._drawn.value(run, metric)
        value = estimate(found.drawn, found.n_concepts)
        why = found.reason or _too_few(value, found.n_concepts)
        return Mean(value, found.n_concepts, int(found.defined), why, found.drawn)

    def mean(self, arm: str, metric: str) -> Mean:
        """A metric of an arm, with an interval over concepts and seeds."""
        if arm == UNTRAINED_ARM:
            return self.single(next(iter(self._runs[arm].values())), metric)
        return self._contrast(metric, (arm,))

    def minus(self, metric: str, arm: str, *others: str) -> Mean:
        """An arm minus another, or minus the best of several, paired.

        Notes
        -----
        The best (highest) is chosen anew in every draw, so that the interval contains
        the choice. Where others are alike, their best is a little too high and the
        difference too low: such a comparison errs against the arm.
        """
        return self._contrast(metric, (arm, *others))

    def equally_many(self, arm: str, other: str) -> bool:
        """Whether both arms train as many value vectors, under every seed of both."""
        mine, theirs = (self._runs[name] for name in (arm, other))
        return {r.k for r in mine.values()} == {r.k for r in theirs.values()}

    def _contrast(self, metric: str, arms: Sequence[str]) -> Mean:
        """The first arm minus the highest of the others, if any, mean over seeds."""
        absent = [arm for arm in arms if arm not in self._runs]
        if absent:
            return _nothing(f"there is no arm {', '.join(absent)}")
        values = {arm: self._values(arm, metric) for arm in arms}
        seeds = _common([_seeds(arm, values[arm]) for arm in arms])
        if not seeds:
            return _nothing(_why(values))
        chosen = [[_under(values[arm], s) for s in seeds] for arm in arms]
        means = [self._drawn.over_seeds([v.drawn for v in arm]) for arm in chosen]
        drawn = means[0] - np.max(means[1:], axis=0) if len(means) > 1 else means[0]
        n = min(value.n_concepts for arm in chosen for value in arm)
        value = estimate(drawn, min(n, len(seeds)))
        return Mean(value, n, len(seeds), _too_few(value, n, len(seeds)), drawn)

    def _values(self, arm: str, metric: str) -> dict[int, Value]:
        """Values of an arm by seed."""
        return {
            seed: self._drawn.value(run, metric)
            for seed, run in self._runs[arm].items()
        }


def causal_table(models: Iterable[Arms]) -> pd.DataFrame:
    """Table ``causal``: every metric of every run, and over an arm's seeds."""
    rows = [row for arms in models for row in _rows(arms)]
    return pd.DataFrame(rows, columns=CAUSAL.names)


def contrasts_table(models: Iterable[Arms]) -> pd.DataFrame:
    """Table ``causal_contrasts``: the specific arm minus every other.

    Notes
    -----
    P values are Holm-corrected over the contrasts of a model's metric. Without the
    specific arm there is nothing to compare.
    """
    rows = [row for arms in models for row in _contrast_rows(arms)]
    return pd.DataFrame(rows, columns=CONTRASTS.names)


def _rows(arms: Arms) -> Iterator[Row]:
    for name in arms.names:
        runs = [run for run in arms.tuned.runs if run.arm == name]
        for metric in METRICS:
            head = {"arm": name, "metric": metric, **_about(arms)}
            for run in runs:
                found = arms.single(run, metric)
                yield {**head, "seed": str(run.seed), **found.columns("value")}
            found = arms.mean(name, metric)
            yield {**head, "seed": ALL_SEEDS, **found.columns("value")}


def _about(arms: Arms) -> Row:
    return {"model": arms.tuned.model, "facts": arms.tuned.facts}


def _contrast_rows(arms: Arms) -> Iterator[Row]:
    if SPECIFIC_ARM not in arms.names:
        return
    others = [name for name in arms.names if name != SPECIFIC_ARM]
    for metric in METRICS:
        found = [arms.minus(metric, SPECIFIC_ARM, other) for other in others]
        holm = corrected([each.value.p for each in found], "holm")
        for other, each, p in zip(others, found, holm, strict=True):
            yield {
                **_about(arms),
                "metric": metric,
                "arm": SPECIFIC_ARM,
                "other": other,
                **each.columns("difference"),
                "p": each.value.p,
                "p_holm": p,
                "equal_k": arms.equally_many(SPECIFIC_ARM, other),
            }


def _seeds(arm: str, values: dict[int, Value]) -> set[int] | None:
    """Seeds with a value; None, any seed, of an original that has one."""
    known = {seed for seed, value in values.items() if value.defined}
    return None if arm == UNTRAINED_ARM and known else known


def _common(seeds: Sequence[set[int] | None]) -> list[int]:
    """Seeds that all have; a set of None has any."""
    named = [each for each in seeds if each is not None]
    return sorted(set.intersection(*named)) if named else []


def _under(values: dict[int, Value], seed: int) -> Value:
    """An arm's value under a seed; the original's only one under any."""
    return values[seed] if seed in values else next(iter(values.values()))


def _why(values: dict[str, dict[int, Value]]) -> str:
    """Why there is no common seed: the first arm without any value tells."""
    for arm, by_seed in values.items():
        if not any(value.defined for value in by_seed.values()):
            reasons = dict.fromkeys(value.reason for value in by_seed.values())
            return f"{arm}: {'; '.join(reasons)}"
    return NO_COMMON_SEED


def _nothing(why: str) -> Mean:
    return Mean(UNDEFINED, 0, 0, why, np.array([]))


def _too_few(value: Estimate, n_concepts: int, n_seeds: int | None = None) -> str:
    """Why a value has no interval; empty where it has one."""
    if not np.isnan(value.low):
        return ""
    if n_concepts < MIN_UNITS:
        return f"{_counted(n_concepts, 'concept')} too few for an interval"
    if n_seeds is not None and n_seeds < MIN_UNITS:
        return f"{_counted(n_seeds, 'seed')} too few for an interval"
    return "undefined in too many draws for an interval"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun} is" if n == 1 else f"{n} {noun}s are"
