"""One row per model: the tables ``models`` and ``sizes``."""

import numpy as np
import pandas as pd

from paraspec.core.tables.across_models import MODELS, SIZES
from paraspec.stats.items import AFTER, CHANCE, FLOOR, PRIMARY_KINSHIP, N
from paraspec.stats.study import Record, Study

Row = dict[str, object]


def models_table(study: Study) -> pd.DataFrame:
    """Table ``models``: every model and checkpoint."""
    shared = _shared_known(study)
    rows = [
        _identity(record, study)
        | _knowledge(record, study)
        | _specialisation(record, study)
        | _efficiency(record, study, shared)
        | {"reason": _reason(record, study)}
        for record in study.records
    ]
    return pd.DataFrame(rows, columns=MODELS.names)


def sizes_table(models: pd.DataFrame) -> pd.DataFrame:
    """Table ``sizes``: models by parameters within family, no checkpoints."""
    kept = models[~models["checkpoint"]]
    order = ["family", "parameters_total", "steps", "model"]
    return kept.sort_values(order)[SIZES.names].reset_index(drop=True)


def table_row(record: Record, mask: str, kinship: str, at: str) -> pd.Series | None:
    """Row of a model's PSS table at its primary ratio, or its peak row."""
    pss = record.pss
    rows = pss[(pss["mask"] == mask) & (pss["kinship"] == kinship) & (pss["at"] == at)]
    if at == "ratio":
        rows = rows[np.isclose(rows["ratio"].astype(float), record.primary)]
    return rows.iloc[0] if len(rows) else None


def _identity(record: Record, study: Study) -> Row:
    card = record.card
    place = card.trajectory
    same = ("model", "family", "architecture", "n_experts", "d_model", "n_layers")
    row: Row = {name: getattr(card, name) for name in same}
    return row | {
        "parameters_total": card.parameters_total,
        "parameters_active": card.parameters_active,
        "steps": card.steps if card.trained_on_study else np.nan,
        "seed": card.seed if card.trained_on_study else np.nan,
        "checkpoint": record.checkpoint,
        "trajectory_of": place.of if place else "",
        "trajectory_step": place.step if place else np.nan,
        "in_primary": record in study.primary_models,
        "source": card.source,
        "primary_ratio": record.primary,
    }


def _knowledge(record: Record, study: Study) -> Row:
    values = study.accuracy(record)
    own = record.measured.own().sum(axis=-1)
    row: Row = {
        "n_concepts": study.n_concepts(record),
        "n_concept_items": int(own[N]),
        "chance": own[CHANCE] / own[N],
        "floor": own[FLOOR] / own[N],
        "never_seen": record.never_seen,
        "never_seen_gap": values[0] - record.never_seen,
        "general_accuracy": _general_accuracy(record),
    }
    for half in ("A", "B"):
        row[f"accuracy_{half.lower()}"] = study.accuracy(record, half=half)[0]
    return row | study.estimate(record, values).columns("accuracy")


def _general_accuracy(record: Record) -> float:
    totals = record.measured.totals(0)[1].sum(axis=-1)
    return float(totals[AFTER] / totals[N]) if totals[N] else np.nan


def _specialisation(record: Record, study: Study) -> Row:
    top = study.effects(record, "top")
    row = study.estimate(record, top.signed_floor).columns("signed_floor")
    for prefix, mask, at, quantity in (
        ("pss", "top", "ratio", "pss"),
        ("signed", "top", "ratio", "signed"),
        ("peak_pss", "top", "peak", "pss"),
        ("random_pss", "random", "ratio", "pss"),
        ("random_signed", "random", "ratio", "signed"),
        ("swap_signed", "swap", "ratio", "signed"),
    ):
        row |= _cells(record, mask, at, quantity, prefix)
    cell = record.measured.find("random", record.primary)
    return {
        **row,
        "pss_insample": _cells(record, "top-insample", "ratio", "pss", "x")["x"],
        "peak_ratio": _cells(record, "top", "peak", "ratio", "x")["x"],
        "random_draws": 0 if cell is None else record.measured.cells[cell].draws,
    }


def _cells(
    record: Record, mask: str, at: str, quantity: str, prefix: str
) -> dict[str, float]:
    """A quantity of the PSS table with its interval, under another name."""
    found = table_row(record, mask, PRIMARY_KINSHIP, at)
    row: dict[str, float] = {}
    for end in ("", "_low", "_high"):
        value = None if found is None else found.get(f"{quantity}{end}")
        row[f"{prefix}{end}"] = np.nan if value is None else float(value)
    return row


def _known(record: Record) -> set[str]:
    return set(record.efficiency.loc[record.efficiency["known"], "concept"])


COMPARED_SHARE = 0.5
"""Share of its concepts that a model must know to be compared on shared ones: a zoo has
models that know nothing, and no concept is known to those."""


def _compared(record: Record, study: Study) -> bool:
    return len(_known(record)) >= COMPARED_SHARE * study.n_concepts(record)


def _shared_known(study: Study) -> set[str]:
    """Concepts known to every compared model; checkpoints are not compared."""
    known = [_known(r) for r in study.models if _compared(r, study)]
    return set.intersection(*known) if known else set()


def _efficiency(record: Record, study: Study, shared: set[str]) -> Row:
    compared = shared if _compared(record, study) else set()
    row: Row = {"n_known": len(_known(record)), "n_known_shared": len(shared)}
    for mask in ("top", "random"):
        table = record.efficiency[record.efficiency["mask"] == mask]
        table = table[table["selector"] == study.selector]
        own = table[table["known"]]
        row |= {
            f"k50_{mask}": own["k50"].median(),
            f"k50_{mask}_censored": own["censored"].astype(float).mean(),
            f"k50_shared_{mask}": table.loc[
                table["concept"].isin(compared), "k50"
            ].median(),
        }
    return row


def _reason(record: Record, study: Study) -> str:
    found = []
    row = table_row(record, "top", PRIMARY_KINSHIP, "ratio")
    if row is None:
        found.append(f"no top mask at the primary ratio {record.primary:g}")
    elif row["reason"]:
        found.append(str(row["reason"]))
    if np.isnan(record.never_seen):
        found.append("no never-seen concepts")
    if table_row(record, "swap", PRIMARY_KINSHIP, "ratio") is None:
        found.append("no swap mask")
    if study.n_concepts(record) < 3:
        found.append("fewer than 3 concepts: no interval")
    return "; ".join(found)
