"""Tables of the causal experiments: arms side by side, and contrasts."""

import pandas as pd

from paraspec.core.tables.causal import ALL_SEEDS
from paraspec.report import numbers
from paraspec.report.arms import NAMES, WORDS, arms_of
from paraspec.report.inputs import StudyTables
from paraspec.report.page_tables.cells import (
    Cell,
    PageTable,
    Write,
    figure,
    flag,
    model,
    page_table,
    words,
)


def contrasts_table(tables: StudyTables) -> PageTable:
    """The specific arm minus every other: a row per metric, a column per arm."""
    rows = tables.contrasts
    columns = {f"minus {arm}": _cell(arm) for arm in arms_of(rows, "other")}
    return page_table(
        "contrasts",
        "Training the concepts' own value vectors (PV) minus each other arm, paired by "
        "concept and seed; intervals from resampling concepts and seeds at once. p: "
        "Holm-corrected over the contrasts of a metric. Arms that train as many "
        f"vectors: {_equal(rows)}.",
        _wide(rows, "other", "difference"),
        {"metric": _metric, "model": model} | columns,
        "Nothing was trained on the concepts' own value vectors.",
    )


def arms_table(tables: StudyTables) -> PageTable:
    """Every arm's metrics over seeds."""
    rows = tables.causal[tables.causal["seed"] == ALL_SEEDS]
    columns = {arm: _cell(arm) for arm in arms_of(rows)}
    return page_table(
        "arms",
        "Every arm, mean over seeds; intervals from resampling concepts and seeds at "
        "once, of the untrained model concepts alone.",
        _wide(rows, "arm", "value"),
        {"metric": _metric, "model": model} | columns,
        fold="Numbers of every arm",
    )


def runs_table(tables: StudyTables) -> PageTable:
    """What training was: a row per model and arm, over seeds."""
    columns = {"arm": words("arm"), "model": model, "facts": words("facts")}
    return page_table(
        "runs",
        "What was trained. Update: Euclidean norm of the change of all parameters, "
        "mean over seeds; RV-norm trains RV's vectors at a learning rate that makes "
        "its update as long as PV's. Loss: nats per token in the last tenth of steps. "
        "Untouched: whether every other number of the model was bit-equal afterwards.",
        _over_seeds(tables.runs),
        columns
        | {
            "value vectors": figure("k", numbers.count),
            "parameters": figure("trained", numbers.count),
            "learning rate": figure("learning_rate", "{:.2g}".format),
            "update": figure("update_norm"),
            "loss": figure("last_loss"),
            "seeds": figure("seeds", numbers.count),
            "untouched": flag("untouched_equal"),
            "fault": words("reason"),
        },
        fold="Runs of every arm",
    )


def _over_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per model and arm, in the order of the arms."""
    found = []
    for (name, arm), rows in runs.groupby(["model", "arm"], sort=False):
        faults = [reason for reason in dict.fromkeys(rows["reason"]) if reason]
        about = {"model": name, "arm": NAMES[str(arm)], "facts": rows["facts"].iloc[0]}
        numbers_of = rows[["update_norm", "last_loss", "learning_rate"]].mean()
        same = {column: int(rows[column].max()) for column in ("k", "trained")}
        found.append(
            {
                **(about | numbers_of.to_dict() | same),
                "seeds": int((rows["reason"] == "").sum()),
                "untouched_equal": bool(rows["untouched_equal"].all()),
                "reason": "; ".join(faults),
            }
        )
    return pd.DataFrame(found)


def _wide(rows: pd.DataFrame, arm: str, value: str) -> pd.DataFrame:
    """One row per model and metric, each arm's cell in the arm's column."""
    order = {metric: place for place, metric in enumerate(WORDS)}
    written = [_estimate(row, value) for _, row in rows.iterrows()]
    cells = rows.assign(cell=pd.Series(written, index=rows.index, dtype=object))
    wide = cells.pivot(index=["model", "metric"], columns=arm, values="cell")
    wide = wide.reset_index()
    return wide.sort_values("metric", key=lambda m: m.map(order), kind="stable")


def _estimate(row: pd.Series, value: str) -> Cell:
    """A value with its interval and p value, or with the reason why there is none."""
    number = float(row[value])
    ends = numbers.interval(row[f"{value}_low"], row[f"{value}_high"])
    small = [ends, _p(row)] if ends else [str(row["reason"])]
    return Cell(
        numbers.number(number), "; ".join(part for part in small if part), value=number
    )


def _p(row: pd.Series) -> str:
    if "p_holm" not in row or pd.isna(row["p_holm"]):
        return ""
    text = numbers.p_value(float(row["p_holm"]))
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _cell(arm: str) -> Write:
    """Cell of an arm; missing where a model has no such arm."""

    def write(row: pd.Series) -> Cell:
        found = row[arm]
        return found if isinstance(found, Cell) else Cell(numbers.MISSING)

    return write


def _metric(row: pd.Series) -> Cell:
    return Cell(WORDS[str(row["metric"])], numeric=False)


def _equal(rows: pd.DataFrame) -> str:
    return numbers.listed(arms_of(rows[rows["equal_k"]], "other")) or "none"
