"""The page's tables: study tables turned into cells of text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from paraspec.report import numbers
from paraspec.report.inputs import StudyTables
from paraspec.report.provenance import RuleCost

ALL = "(all)"
MASKS = {
    "top": "top, cross-fitted",
    "top-insample": "top, in-sample",
    "random": "random",
    "swap": "swap (another concept's)",
}


@dataclass(frozen=True)
class Cell:
    """One cell: its text, a smaller second line, and whether it is a number."""

    text: str
    small: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class PageTable:
    """A table of the page."""

    name: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]] = field(default_factory=list)
    empty: str = "No rows."


Write = Callable[[pd.Series], Cell]


def words(column: str) -> Write:
    """Cell of a text column."""
    return lambda row: Cell(str(row[column]), numeric=False)


def figure(column: str, write: Callable[[float], str] = numbers.number) -> Write:
    """Cell of a number column."""
    return lambda row: Cell(write(float(row[column])))


def estimate(column: str) -> Write:
    """Cell of an estimate, its interval below."""
    return lambda row: Cell(
        numbers.number(row[column]),
        numbers.interval(row[f"{column}_low"], row[f"{column}_high"]),
    )


def flag(column: str) -> Write:
    """Cell of a yes or no."""
    return lambda row: Cell("yes" if row[column] else "no", numeric=False)


def page_table(
    name: str, caption: str, frame: pd.DataFrame, columns: dict[str, Write]
) -> PageTable:
    """Write each row of ``frame`` with the columns' writers."""
    rows = [
        [write(row) for write in columns.values()]
        for _, row in frame.reset_index(drop=True).iterrows()
    ]
    return PageTable(name, caption, list(columns), rows)


def models_table(tables: StudyTables) -> PageTable:
    """Every model that is no checkpoint."""
    return page_table(
        "models",
        "Models by accuracy, at each model's pre-registered mask ratio. Small type: "
        "95 % percentile intervals from resampling concepts.",
        tables.final[::-1],
        {
            "model": words("model"),
            "family": words("family"),
            "parameters": _parameters,
            "steps": figure("steps", numbers.count),
            "seed": figure("seed", numbers.count),
            "mask ratio": figure("primary_ratio", numbers.percent),
            "accuracy": estimate("accuracy"),
            "PSS": estimate("pss"),
            "PSS, random": estimate("random_pss"),
            "signed": estimate("signed"),
            "signed, floor-corrected": estimate("signed_floor"),
            "signed, random": estimate("random_signed"),
            "PSS at peak": estimate("peak_pss"),
            "peak ratio": figure("peak_ratio", numbers.percent),
            "k50 top": figure("k50_top"),
            "k50 random": figure("k50_random"),
            "in correlation": flag("in_primary"),
        },
    )


def _parameters(row: pd.Series) -> Cell:
    total, active = row["parameters_total"], row["parameters_active"]
    small = f"{numbers.parameters(active)} active" if active != total else ""
    return Cell(numbers.parameters(total), small)


def positive_control_table(tables: StudyTables) -> PageTable:
    """What was trained against what was never seen."""
    return page_table(
        "positive-control",
        "Positive control: accuracy on the study's concepts and on concepts that the "
        "model never met in training. A gap near zero would mean that the questions can "
        "be answered without the facts.",
        tables.final[::-1],
        {
            "model": words("model"),
            "concepts": figure("n_concepts", numbers.count),
            "questions": figure("n_concept_items", numbers.count),
            "trained": estimate("accuracy"),
            "never seen": figure("never_seen"),
            "gap": figure("never_seen_gap"),
            "concept-blind": figure("floor"),
            "chance": figure("chance"),
        },
    )


def controls_table(tables: StudyTables) -> PageTable:
    """Every mask kind, the mean over models first."""
    shown = tables.controls[
        tables.controls["model"].isin([ALL, *tables.final["model"]])
    ]
    order = {name: place for place, name in enumerate([ALL, *tables.final["model"][::-1]])}
    shown = shown.assign(place=shown["model"].map(order))
    return page_table(
        "controls",
        "Controls at the pre-registered ratio: signed effect of each mask, and how far "
        "the top mask exceeds it (paired).",
        shown.sort_values("place", kind="stable"),
        {
            "model": lambda row: Cell(
                "mean of models" if row["model"] == ALL else row["model"], numeric=False
            ),
            "mask": lambda row: Cell(MASKS.get(row["mask"], row["mask"]), numeric=False),
            "draws": figure("draws", numbers.count),
            "models": figure("n_models", numbers.count),
            "concepts": figure("n_concepts", numbers.count),
            "signed": estimate("signed"),
            "top minus this": estimate("top_minus"),
            "change of general accuracy": estimate("general_change"),
            "PSS": figure("pss"),
            "interval holds 0": flag("contains_zero"),
        },
    )


def tiers_table(tables: StudyTables) -> PageTable:
    """Means over models by exposure, tier, category and origin."""
    frame = tables.tiers[tables.tiers["model"] == ALL]
    return page_table(
        "tiers",
        "Effects by exposure, tier, category and origin of the relation: means over the "
        "primary models; intervals from resampling models and concepts.",
        frame,
        {
            "group": words("group"),
            "level": words("level"),
            "mask": words("mask"),
            "concepts": figure("n_concepts", numbers.count),
            "accuracy": estimate("accuracy"),
            "signed": estimate("signed"),
            "PSS (misleading across levels)": estimate("pss"),
        },
    )


def correlations_table(tables: StudyTables) -> PageTable:
    """Every correlation with how its interval was made."""
    return page_table(
        "correlations",
        "Effects against accuracy and size across models. Halves: accuracy and effect "
        "from the same or from disjoint questions. Descriptive rows rest on fewer than "
        "8 families and carry no inference.",
        tables.correlations,
        {
            "effect": words("effect"),
            "against": words("against"),
            "halves": words("halves"),
            "method": words("method"),
            "models": words("models"),
            "n": figure("n", numbers.count),
            "families": figure("n_families", numbers.count),
            "estimate": estimate("estimate"),
            "p": figure("p", numbers.p_value),
            "interval": words("interval"),
            "descriptive": flag("descriptive"),
            "remark": words("reason"),
        },
    )


def sizes_table(tables: StudyTables) -> PageTable:
    """Models by size within family."""
    return page_table(
        "sizes",
        "Size within family. PSS and the signed effect at the pre-registered ratio.",
        tables.sizes,
        {
            "family": words("family"),
            "model": words("model"),
            "parameters": _parameters,
            "steps": figure("steps", numbers.count),
            "seed": figure("seed", numbers.count),
            "accuracy": estimate("accuracy"),
            "PSS": estimate("pss"),
            "signed": estimate("signed"),
            "signed, random": estimate("random_signed"),
        },
    )


def trajectory_table(tables: StudyTables) -> PageTable:
    """Checkpoints of the training run."""
    return page_table(
        "trajectory",
        "Along training, at the pre-registered ratio.",
        tables.trajectory,
        {
            "model": words("trajectory_of"),
            "step": figure("step", numbers.count),
            "accuracy": estimate("accuracy"),
            "signed": estimate("signed"),
            "signed, random": estimate("random_signed"),
            "PSS": estimate("pss"),
            "PSS, random": estimate("random_pss"),
        },
    )


def verify_table(verify: pd.DataFrame) -> PageTable:
    """Verdicts, and whatever lies outside its tolerance."""
    shown = verify[(verify["table"] == "claims") | ~verify["within"]]
    within = int(verify["within"].sum())
    caption = (
        f"Against the published reference tables: {numbers.count(within)} of "
        f"{numbers.counted(len(verify), 'value')} within their tolerance. Listed are "
        "the verdicts and every value outside."
    )
    return page_table(
        "verify",
        caption,
        shown,
        {
            "table": words("table"),
            "row": words("key"),
            "column": words("column"),
            "this run": words("fresh"),
            "reference": words("reference"),
            "difference": figure("difference"),
            "tolerance": figure("tolerance"),
            "within": flag("within"),
            "remark": words("reason"),
        },
    )


def costs_table(costs: Sequence[RuleCost]) -> PageTable:
    """Time and memory of every rule, with their total."""
    rows = [
        [
            Cell(cost.rule, numeric=False),
            Cell(numbers.count(cost.jobs)),
            Cell(numbers.duration(cost.seconds)),
            Cell(numbers.duration(cost.longest)),
            Cell(numbers.memory(cost.peak_mib)),
        ]
        for cost in costs
    ]
    if costs:
        rows.append(_total(costs))
    return PageTable(
        "costs",
        "Time and memory per rule, from Snakemake's benchmark files. Total: sum over "
        "jobs, which may have run side by side. Peak: largest resident memory of a job.",
        ["rule", "jobs", "total time", "longest job", "peak memory"],
        rows,
        empty="No benchmark files: the steps were run without Snakemake.",
    )


def _total(costs: Sequence[RuleCost]) -> list[Cell]:
    peaks = [cost.peak_mib for cost in costs if cost.peak_mib == cost.peak_mib]
    return [
        Cell("all rules", numeric=False),
        Cell(numbers.count(sum(cost.jobs for cost in costs))),
        Cell(numbers.duration(sum(cost.seconds for cost in costs))),
        Cell(numbers.duration(max(cost.longest for cost in costs))),
        Cell(numbers.memory(max(peaks, default=float("nan")))),
    ]
