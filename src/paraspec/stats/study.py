"""All models of a study side by side, under the same resampled concepts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from paraspec.core.definitions import PAPER_SELECTOR
from paraspec.stats.bootstrap import Estimate, FloatArray, estimate
from paraspec.stats.effects import QUANTITIES, Effects, accuracy, effects
from paraspec.stats.items import PRIMARY_KINSHIP, MaskKind, N, aligned
from paraspec.stats.pss import concept_weights
from paraspec.stats.record import Record


@dataclass(frozen=True)
class Study:
    """Models on one concept axis, with the resampled concepts of every interval."""

    records: tuple[Record, ...]
    concepts: tuple[str, ...]
    weights: FloatArray
    """Axes: the sample and then the draws; concept."""
    selector: str
    seed: int

    @cached_property
    def models(self) -> tuple[Record, ...]:
        """All models but checkpoints, and those whose specialisation was set.

        A model trained by a mechanism differs from others on purpose: it stands in the
        table ``induced``, and in no statistic across models.
        """
        return tuple(r for r in self.records if not (r.checkpoint or r.card.mechanism))

    @cached_property
    def primary_models(self) -> tuple[Record, ...]:
        """Models of the primary analysis: those that are dense.

        In a mixture of experts a mask hits vectors that a token may never be routed
        to, so its effects are not those of as large a share of a dense layer.
        """
        return tuple(r for r in self.models if r.dense)

    @property
    def draws(self) -> int:
        """Bootstrap draws."""
        return len(self.weights) - 1

    def effects(
        self,
        record: Record,
        mask: str,
        *,
        selector: str = "",
        ablation: str = "zero",
        ratio: float | None = None,
        kinship: str = PRIMARY_KINSHIP,
        half: str = "",
        origin: str = "",
        only: FloatArray | None = None,
    ) -> Effects:
        """Effects of a mask in the sample and in every draw; NaN if not measured.

        Parameters
        ----------
        record
            The model.
        mask
            Mask kind.
        selector
            Ranking of a top mask; the study's by default.
        ablation
            What masked coefficients are set to.
        ratio
            Mask ratio; the model's primary one by default.
        kinship, half, origin
            Items to use; all of them where empty.
        only
            1 for concepts to use and 0 for others; all by default.
        """
        wanted = record.primary if ratio is None else ratio
        cell = record.measured.find(mask, wanted, selector or self.selector, ablation)
        if cell is None:
            return _undefined(len(self.weights))
        key = (record.card.model, cell, kinship, half, origin)
        if only is None and key in self._known:
            return self._known[key]
        totals = record.measured.totals(cell, kinship, half, origin)
        found = effects(self._drawn(totals, only), record.measured.overall)
        if only is None:
            self._known[key] = found
        return found

    @cached_property
    def _known(self) -> dict[tuple[object, ...], Effects]:
        """Effects that were asked for before: each serves several tables."""
        return {}

    def effects_of(
        self, record: Record, kind: MaskKind, kinship: str = PRIMARY_KINSHIP
    ) -> Effects:
        """:meth:`effects` of a mask that is named in full."""
        return self.effects(
            record,
            kind.mask,
            selector=kind.selector,
            ablation=kind.ablation,
            kinship=kinship,
        )

    def draw_effects(self, record: Record, kind: MaskKind) -> Effects:
        """Effects of each draw of a mask in the sample, at the primary ratio."""
        cell = record.find(kind)
        if cell is None:
            return _undefined(0)
        totals = record.measured.draw_totals(cell)
        return effects(totals, record.measured.overall)

    def accuracy(
        self,
        record: Record,
        *,
        half: str = "",
        origin: str = "",
        only: FloatArray | None = None,
    ) -> FloatArray:
        """Unmasked accuracy on concept items in the sample and in every draw."""
        own = record.measured.own(0, half, origin)
        return accuracy(self._drawn(own, only))

    def n_concepts(self, record: Record) -> int:
        """Concepts that the model was measured on."""
        return int((record.measured.own()[N] > 0).sum())

    def estimate(self, record: Record, values: FloatArray) -> Estimate:
        """Estimate of one model with its concept-bootstrap interval."""
        return estimate(values, self.n_concepts(record))

    def _drawn(self, sums: FloatArray, only: FloatArray | None = None) -> FloatArray:
        """Sums over concepts, in the sample and in every draw (last axis)."""
        used = sums if only is None else sums * only
        flat = used.reshape(-1, used.shape[-1]) @ self._columns
        return flat.reshape(*sums.shape[:-1], -1)

    @cached_property
    def _columns(self) -> FloatArray:
        """Transposed weights in memory order, without which the product is slow."""
        return np.ascontiguousarray(self.weights.T)


def study_of(
    records: Sequence[Record], draws: int, seed: int, selector: str = PAPER_SELECTOR
) -> Study:
    """Put models on one concept axis and draw the resampled concepts."""
    concepts = sorted({c for r in records for c in r.measured.concepts.index})
    put = tuple(replace(r, measured=aligned(r.measured, concepts)) for r in records)
    return Study(
        records=put,
        concepts=tuple(concepts),
        weights=concept_weights(len(concepts), draws, seed),
        selector=selector,
        seed=seed,
    )


def _undefined(n: int) -> Effects:
    return Effects(**{name: np.full(n, np.nan) for name in QUANTITIES})
