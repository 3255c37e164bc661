"""What arms are compared by: each metric of a run, in the sample and in every draw."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from paraspec.core.definitions import PAPER_SELECTOR
from paraspec.core.seeds import generator
from paraspec.core.tables.causal import TEST_HALF
from paraspec.stats.bootstrap import FloatArray, resamples, weighted_mean
from paraspec.stats.causal_runs import ANSWERED, Run, Tuned
from paraspec.stats.effects import NO_ROWS, accuracy, effects, reason
from paraspec.stats.items import Measured, N
from paraspec.stats.pss import concept_weights

NO_ORIGINAL = "the original was not measured"
NO_QUESTIONS = "no questions"
NO_ANSWERS = "no free answer has it"

MASKED = {
    "pss": ("top", "pss"),
    "signed": ("top", "signed"),
    "signed_fixed": ("top-fixed", "signed"),
}
"""Metric to its mask kind and its quantity (see ``stats/effects.py``)."""


@dataclass(frozen=True)
class Value:
    """A metric of one run."""

    drawn: FloatArray
    """In the sample, then in every draw of the concepts."""
    n_concepts: int
    """Concepts behind it."""
    reason: str
    """Why it is NaN in the sample; empty otherwise."""

    @property
    def defined(self) -> bool:
        """Whether the sample has a value."""
        return bool(np.isfinite(self.drawn[0]))


class Drawn:
    """The metrics of a fine-tuned model's runs under the same resampled concepts.

    Parameters
    ----------
    tuned
        The model.
    draws, seed
        Of the bootstrap.
    """

    def __init__(self, tuned: Tuned, draws: int, seed: int) -> None:
        self.tuned = tuned
        self._draws = draws
        self._seed = seed

    def value(self, run: Run, metric: str) -> Value:
        """A metric of a run; NaN with the reason where it has none."""
        if run.reason:
            return self._none(run.reason)
        if metric in MASKED:
            return self._masked(run, *MASKED[metric])
        if metric in ANSWERED:
            return self._answered(run, metric)
        return self._forgotten(run) if metric == "forgotten" else self._accuracy(run)

    def over_seeds(self, columns: list[FloatArray]) -> FloatArray:
        """Mean over seeds in the sample, and with seeds resampled in every draw.

        Notes
        -----
        Every seed's run answers about the same concepts, so that seeds and concepts
        cross and are resampled at once (Owen 2007). Resampling concepts within each
        seed would count every concept as often as there are seeds.
        """
        table = np.column_stack(columns)
        rng = generator("seed-bootstrap", self._seed)
        return weighted_mean(table, resamples(len(columns), self._draws, rng))

    @cached_property
    def _chosen(self) -> FloatArray:
        """Axes: concept, draw."""
        return self._weights(len(self.tuned.chosen))

    @cached_property
    def _others(self) -> FloatArray:
        return self._weights(len(self.tuned.others))

    def _weights(self, n: int) -> FloatArray:
        if n == 0:
            return np.zeros((0, self._draws + 1))
        return np.ascontiguousarray(concept_weights(n, self._draws, self._seed).T)

    def _none(self, why: str) -> Value:
        return Value(np.full(self._draws + 1, np.nan), 0, why)

    def _accuracy(self, run: Run) -> Value:
        """On the test half of the chosen concepts' questions."""
        if run.chosen is None:
            return self._none(NO_QUESTIONS)
        sums = run.chosen.own(half=TEST_HALF)
        return _value(accuracy(sums @ self._chosen), sums[N], NO_QUESTIONS)

    def _forgotten(self, run: Run) -> Value:
        """Accuracy on other concepts that the original had and the run has not."""
        before = self.tuned.untrained
        if before is None or before.others is None:
            return self._none(NO_ORIGINAL)
        if run.others is None:
            return self._none(NO_QUESTIONS)
        sums = before.others.own(), run.others.own()
        had, has = (accuracy(each @ self._others) for each in sums)
        return _value(had - has, sums[1][N], NO_QUESTIONS)

    def _masked(self, run: Run, mask: str, quantity: str) -> Value:
        """Effect of a mask of the chosen concepts, by the study's own definition."""
        cell = None if run.chosen is None else _cell(run.chosen, mask)
        if run.chosen is None or cell is None:
            return self._none(f"no mask {mask} was measured")
        totals = run.chosen.totals(cell)
        found = effects(totals @ self._chosen, run.chosen.overall)
        return _value(found.map(quantity), totals[0, N], reason(found) or NO_ROWS)

    def _answered(self, run: Run, metric: str) -> Value:
        """Mean over free answers that have the value."""
        if run.answers is None:
            return self._none(NO_ANSWERS)
        counts, sums = run.answers[metric]
        drawn = np.stack([counts, sums]) @ self._chosen
        with np.errstate(invalid="ignore", divide="ignore"):
            return _value(drawn[1] / drawn[0], counts, NO_ANSWERS)


def _value(drawn: FloatArray, counts: FloatArray, why: str) -> Value:
    """Value with the number of concepts that anything was counted of."""
    known = "" if np.isfinite(drawn[0]) else why
    return Value(drawn, int((counts > 0).sum()), known)


def _cell(measured: Measured, mask: str) -> int | None:
    """Cell of a mask, at the one ratio that arms are measured at."""
    ratios = [c.ratio for c in measured.cells if (c.mask, c.ablation) == (mask, "zero")]
    return measured.find(mask, ratios[0], PAPER_SELECTOR) if ratios else None
