"""One row per model: the tables ``models`` and ``sizes``."""

import numpy as np
import pandas as pd

from paraspec.core.definitions import PAPER_SELECTOR
from paraspec.core.tables.across_models import MODELS, SIZES
from paraspec.stats.items import AFTER, CHANCE, FLOOR, PRIMARY_KINSHIP, RANKED, N
from paraspec.stats.known import (
    compared,
    known_by_all,
    known_concepts,
    known_items,
    shared_concepts,
)
from paraspec.stats.record import Record
from paraspec.stats.study import Study

Row = dict[str, object]


def models_table(study: Study) -> pd.DataFrame:
    """Table ``models``: every model and checkpoint."""
    shared = shared_concepts(study)
    by_all = known_by_all(study)
    rows = [
        _identity(record, study)
        | _knowledge(record, study)
        | _specialisation(record, study)
        | known_items(record, study, by_all)
        | _selection(record, study)
        | _efficiency(record, study, shared)
        | {"reason": _reason(record, study)}
        for record in study.records
    ]
    return pd.DataFrame(rows, columns=MODELS.names)


def sizes_table(models: pd.DataFrame) -> pd.DataFrame:
    """Table ``sizes``: models by parameters within family.

    Without checkpoints, and without models whose specialisation was set.
    """
    kept = models[~models["checkpoint"] & (models["mechanism"] == "")]
    order = ["family", "parameters_total", "steps", "model"]
    return kept.sort_values(order)[SIZES.names].reset_index(drop=True)


def table_row(
    record: Record, mask: str, kinship: str, at: str, selector: str = PAPER_SELECTOR
) -> pd.Series | None:
    """Row of a model's PSS table at its primary ratio, or its peak row."""
    pss = record.pss
    rows = pss[(pss["mask"] == mask) & (pss["kinship"] == kinship) & (pss["at"] == at)]
    if mask in RANKED:
        rows = rows[rows["selector"] == selector]
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
        "mechanism": card.mechanism,
        "strength": card.strength,
        "in_primary": record in study.primary_models,
        "source": card.source,
        "released": "" if card.released is None else card.released.isoformat(),
        "mmlu": np.nan if card.mmlu is None else card.mmlu,
        "tokens": float(card.tokens_seen) if card.tokens_seen else np.nan,
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
    row: dict[str, float] = {"pss_chance": float(top.pss_chance[0])}
    for name in ("signed_floor", "signed_margin", "signed_known"):
        row |= study.estimate(record, top.map(name)).columns(name)
    for prefix, mask, at, quantity in (
        ("pss", "top", "ratio", "pss"),
        ("signed", "top", "ratio", "signed"),
        ("peak_pss", "top", "peak", "pss"),
        ("random_pss", "random", "ratio", "pss"),
        ("random_signed", "random", "ratio", "signed"),
        ("swap_signed", "swap", "ratio", "signed"),
    ):
        row |= _cells(study, record, mask, at, quantity, prefix)
    insample = _cells(study, record, "top-insample", "ratio", "pss", "x")
    cell = record.measured.find("random", record.primary)
    return {
        **row,
        "pss_insample": insample["x"],
        "peak_ratio": _cells(study, record, "top", "peak", "ratio", "x")["x"],
        "random_draws": 0 if cell is None else record.measured.cells[cell].draws,
    }


def _cells(
    study: Study, record: Record, mask: str, at: str, quantity: str, prefix: str
) -> dict[str, float]:
    """A quantity of the PSS table with its interval, under another name."""
    found = table_row(record, mask, PRIMARY_KINSHIP, at, study.selector)
    row: dict[str, float] = {}
    for end in ("", "_low", "_high"):
        value = None if found is None else found.get(f"{quantity}{end}")
        row[f"{prefix}{end}"] = np.nan if value is None else float(value)
    return row


def _selection(record: Record, study: Study) -> Row:
    """What the study's masks are made of."""
    rows = record.selections.get(study.selector)
    names = ("reliability", "selectivity")
    return {name: np.nan if rows is None else rows[name].mean() for name in names}


def _efficiency(record: Record, study: Study, shared: set[str]) -> Row:
    used = shared if compared(record, study) else set()
    row: Row = {"n_known": len(known_concepts(record)), "n_known_shared": len(shared)}
    for mask in ("top", "random"):
        table = record.efficiency[record.efficiency["mask"] == mask]
        table = table[table["selector"] == study.selector]
        own = table[table["known"]]
        row |= {
            f"k50_{mask}": own["k50"].median(),
            f"k50_{mask}_censored": own["censored"].astype(float).mean(),
            f"knockout_auc_{mask}": own["knockout_auc"].median(),
            f"k50_shared_{mask}": table.loc[
                table["concept"].isin(used), "k50"
            ].median(),
        }
    return row


def _reason(record: Record, study: Study) -> str:
    found = []
    row = table_row(record, "top", PRIMARY_KINSHIP, "ratio", study.selector)
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
