"""Table ``cross``: every concept's questions under every concept's mask, one model."""

import pandas as pd

from paraspec.core.tables.across_models import CROSS
from paraspec.stats.record import Record
from paraspec.stats.study import Study


def cross_table(study: Study) -> pd.DataFrame:
    """Accuracy before and after, for each pair of concepts.

    A mask that is specific costs the diagonal (a concept under its own cross-fitted
    ``top`` mask) more than the rest of its row.
    """
    frames = [_pairs(r) for r in study.records if len(r.answers.cross)]
    if not frames:
        return pd.DataFrame(columns=CROSS.names)
    return pd.concat(frames, ignore_index=True)[CROSS.names]


def _pairs(record: Record) -> pd.DataFrame:
    categories = record.measured.concepts["category"].dropna()
    rows = record.answers.cross.astype({"before": float, "after": float})
    rows = rows[rows["donor"].isin(categories.index)]  # knowledge only
    found = rows.groupby(["concept", "donor"], as_index=False).agg(
        n_items=("before", "size"), before=("before", "mean"), after=("after", "mean")
    )
    return found.assign(
        model=record.card.model,
        category=categories.reindex(found["concept"]).to_numpy(),
        donor_category=categories.reindex(found["donor"]).to_numpy(),
        drop=found["before"] - found["after"],
    )
