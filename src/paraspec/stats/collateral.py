"""Table ``collateral_damage``: what masks do to neutral text and to answering."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paraspec.core.definitions import ALL, UNPARSED
from paraspec.core.tables.across_models import COLLATERAL_DAMAGE
from paraspec.stats.bootstrap import FloatArray, weighted_mean
from paraspec.stats.controls import kinds_of
from paraspec.stats.groups import over_models
from paraspec.stats.items import MaskKind
from paraspec.stats.record import UNMASKED, Record
from paraspec.stats.study import Study

MEANS = (
    *("loss_before", "loss", "unparsed_before", "unparsed"),
    *("entropy_before", "entropy"),
)
"""Columns that are plain means over models."""

NO_TEXT = "no neutral text was read under it"

Row = dict[str, object]


@dataclass(frozen=True)
class Loss:
    """Loss on neutral text, nats per token."""

    before: FloatArray
    after: FloatArray
    """Axes: the sample and then the draws of concepts whose masks were on."""

    @property
    def change(self) -> FloatArray:
        """Masked minus unmasked."""
        return self.after - self.before


def neutral_loss(study: Study, record: Record, kind: MaskKind) -> Loss | None:
    """Loss under a mask at the primary ratio; None where no text was read.

    Notes
    -----
    Mean over concepts (whose masks were on) of the mean over halves and draws, weighted
    by tokens. The sentences are the same for all, so that the interval is over
    concepts, given these sentences.
    """
    losses = record.neutral_losses
    if kind not in losses:
        return None
    concepts = list(study.concepts)
    before, after = (losses[k].reindex(concepts) for k in (UNMASKED, kind))
    both = (before.notna() & after.notna()).to_numpy()
    put = (np.where(both, column, np.nan)[None] for column in (before, after))
    return Loss(*(weighted_mean(values, study.weights) for values in put))


def collateral_table(study: Study) -> pd.DataFrame:
    """Every mask's damage in each model, and its mean over the primary models."""
    rows = []
    for kind in kinds_of(study):
        found = [_damage(study, r, kind) for r in study.records if kind in r.kinds]
        rows += [one.row for one in found]
        names = {r.card.model for r in study.primary_models}
        primary = [one for one in found if one.row["model"] in names]
        if primary:
            rows.append(_pooled(study, kind, primary))
    return pd.DataFrame(rows, columns=COLLATERAL_DAMAGE.names)


def entropy(counts: FloatArray) -> float:
    """Shannon entropy of a distribution given as counts, bits; NaN without any.

    >>> entropy(np.array([5.0, 5.0, 0.0]))
    1.0
    """
    total = counts.sum()
    if not total > 0:
        return np.nan
    share = counts[counts > 0] / total
    return float(-(share * np.log2(share)).sum())


def _choices(record: Record, kind: MaskKind) -> dict[str, float]:
    """Share of unreadable answers, and entropy of the positions of the others."""
    counts = record.answers.choices.get(kind, {})
    unread, total = counts.get(UNPARSED, 0), sum(counts.values())
    read = np.array([n for at, n in counts.items() if at != UNPARSED], dtype=np.float64)
    return {
        "unparsed": unread / total if total else np.nan,
        "entropy": entropy(read),
    }


@dataclass(frozen=True)
class _Damage:
    """A row of the table, and the loss behind it."""

    row: Row
    loss: Loss | None


def _damage(study: Study, record: Record, kind: MaskKind) -> _Damage:
    loss = neutral_loss(study, record, kind)
    row: Row = {"model": record.card.model, **kind._asdict()}
    row |= _choices(record, kind)
    before = _choices(record, UNMASKED)
    row |= {f"{name}_before": value for name, value in before.items()}
    row |= {"n_models": 1, "n_concepts": study.n_concepts(record)}
    if loss is None:
        return _Damage(row | {"reason": NO_TEXT}, None)
    change = study.estimate(record, loss.change)
    row |= change.columns("loss_change")
    row |= {
        "loss_before": float(loss.before[0]),
        "loss": float(loss.after[0]),
        "perplexity_ratio": float(np.exp(change.value)),
        "reason": "too few concepts for an interval" if np.isnan(change.low) else "",
    }
    return _Damage(row, loss)


def _pooled(study: Study, kind: MaskKind, found: list[_Damage]) -> Row:
    """Means over the models that read neutral text, or over all if none did."""
    read = [one for one in found if one.loss is not None] or found
    losses = [one.loss.change for one in read if one.loss is not None]
    rows = pd.DataFrame([one.row for one in read])
    row: Row = {name: rows[name].mean() for name in MEANS if name in rows}
    row |= {"model": ALL, **kind._asdict()}
    row |= {"n_models": len(read), "n_concepts": len(study.concepts)}
    if not losses:
        return row | {"reason": NO_TEXT}
    change = over_models(losses, study.seed)
    few = "too few models for an interval" if np.isnan(change.low) else ""
    row |= change.columns("loss_change")
    return row | {"perplexity_ratio": float(np.exp(change.value)), "reason": few}
