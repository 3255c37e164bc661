"""Table ``non_knowledge``: controls that are asked like concepts but are no knowledge.

A mask found for number agreement or for an answer format should not be as specific as
one found for a concept, or specificity is no property of knowledge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.definitions import ALL
from paraspec.core.seeds import generator
from paraspec.core.tables.across_models import NON_KNOWLEDGE
from paraspec.stats.bootstrap import Estimate, FloatArray, estimate, resamples
from paraspec.stats.groups import over_models
from paraspec.stats.record import Record
from paraspec.stats.study import Study

MASKS = ("top", "random")
KINSHIP = "other-category"
"""General items of these controls are all of other categories."""

Row = dict[str, object]


@dataclass(frozen=True)
class Effect:
    """A mask's effect on one control in one model; axes: the sample, then the draws."""

    before: FloatArray
    after: FloatArray
    general_before: FloatArray
    general_after: FloatArray
    n_items: int

    @property
    def drop(self) -> FloatArray:
        """Accuracy lost on the control's own items."""
        return self.before - self.after

    @property
    def general_change(self) -> FloatArray:
        """General accuracy, masked minus unmasked."""
        return self.general_after - self.general_before

    @property
    def signed(self) -> FloatArray:
        """Signed difference-in-differences."""
        return self.drop + self.general_change


def effect(study: Study, record: Record, concept: str, mask: str) -> Effect | None:
    """Effect of a mask at the primary ratio; None where it was not measured.

    Notes
    -----
    There are too few such controls to resample them, so that the draws resample items,
    within each set; the same items are drawn in every model.
    """
    rows = record.answers.non_knowledge
    rows = rows[(rows["concept"] == concept) & (rows["mask"] == mask)]
    own, general = (rows[rows["set"] == kind] for kind in ("concept", "general"))
    if own.empty or general.empty:
        return None
    drawn = [_accuracies(study, concept, part) for part in (own, general)]
    return Effect(*drawn[0], *drawn[1], n_items=len(own))


def controls_of(study: Study) -> list[str]:
    """Names of the controls that some model was asked."""
    frames = (r.answers.non_knowledge["concept"] for r in study.records)
    return sorted({str(name) for frame in frames for name in frame.unique()})


def mean_signed(study: Study, record: Record, mask: str = "top") -> FloatArray | None:
    """Mean over the controls of the signed effect; None without any."""
    found = [effect(study, record, concept, mask) for concept in controls_of(study)]
    values = [one.signed for one in found if one is not None]
    return np.mean(values, axis=0) if values else None


def non_knowledge_table(study: Study) -> pd.DataFrame:
    """Each control under the top and the random mask, and its mean over models."""
    rows = []
    for concept in controls_of(study):
        for mask in MASKS:
            found = [(r, effect(study, r, concept, mask)) for r in study.records]
            there = [(r, one) for r, one in found if one is not None]
            rows += [_row(r, concept, mask, one) for r, one in there]
            primary = [one for r, one in there if r in study.primary_models]
            if primary:
                rows.append(_pooled(study, concept, mask, primary))
    return pd.DataFrame(rows, columns=NON_KNOWLEDGE.names)


def _accuracies(
    study: Study, concept: str, rows: pd.DataFrame
) -> tuple[FloatArray, FloatArray]:
    """Accuracy before and after, in the sample and in every draw of items."""
    rng = generator("item-bootstrap", concept, rows["set"].iloc[0], study.seed)
    weights = resamples(len(rows), study.draws, rng) / len(rows)
    items = rows.sort_values("item")[["before", "after"]].to_numpy(np.float64)
    before, after = (weights @ items).T
    return before, after


def _row(record: Record, concept: str, mask: str, found: Effect) -> Row:
    signed = estimate(found.signed, found.n_items)
    return _cells(record.card.model, concept, mask, signed, [found])


def _pooled(study: Study, concept: str, mask: str, found: Sequence[Effect]) -> Row:
    signed = over_models([one.signed for one in found], study.seed)
    return _cells(ALL, concept, mask, signed, found)


def _cells(
    model: str, concept: str, mask: str, signed: Estimate, found: Sequence[Effect]
) -> Row:
    row: Row = {"model": model, "concept": concept, "mask": mask}
    for name in ("before", "after", "drop", "general_change"):
        row[name] = float(np.mean([getattr(one, name)[0] for one in found]))
    few = "too few items or models for an interval"
    return row | {
        "n_items": max(one.n_items for one in found),
        "n_models": len(found),
        "reason": few if np.isnan(signed.low) else "",
        **signed.columns("signed"),
    }
