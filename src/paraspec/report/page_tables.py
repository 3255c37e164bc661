"""The page's tables: study tables turned into cells of text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from paraspec.core.tables.across_models import CONTROLS
from paraspec.report import numbers
from paraspec.report.inputs import StudyTables
from paraspec.report.provenance import RuleCost

ALL = "(all)"
MASKS = {
    "top": "top",
    "top-insample": "top, in-sample",
    "random": "random",
    "swap": "swap",
}
"""Mask kind to its column's head."""


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
    name: str,
    caption: str,
    frame: pd.DataFrame,
    columns: dict[str, Write],
    empty: str = "No rows.",
) -> PageTable:
    """Write each row of ``frame`` with the columns' writers."""
    rows = [
        [write(row) for write in columns.values()]
        for _, row in frame.reset_index(drop=True).iterrows()
    ]
    return PageTable(name, caption, list(columns), rows, empty)


def models_table(tables: StudyTables) -> PageTable:
    """What each model is and knows, with the positive control."""
    return page_table(
        "models",
        "Models by accuracy. Positive control: accuracy on the study's concepts "
        "against concepts that the model never met in training; a gap near zero would "
        "mean that the questions can be answered without the facts. Concept-blind: a "
        "predictor that knows only how often each answer is right. Small type: 95 % "
        "percentile intervals from resampling concepts.",
        tables.final[::-1],
        {
            "model": words("model"),
            "family": words("family"),
            "parameters": _parameters,
            "steps": figure("steps", numbers.count),
            "seed": figure("seed", numbers.count),
            "concepts": figure("n_concepts", numbers.count),
            "questions": figure("n_concept_items", numbers.count),
            "accuracy": estimate("accuracy"),
            "never seen": figure("never_seen"),
            "gap": figure("never_seen_gap"),
            "concept-blind": figure("floor"),
            "chance": figure("chance"),
            "primary": flag("in_primary"),
        },
    )


def specialisation_table(tables: StudyTables) -> PageTable:
    """PSS, signed effects and efficiency of each model."""
    return page_table(
        "specialisation",
        "Specialisation at each model's pre-registered mask ratio, general questions "
        "from the same category; models by accuracy. Peak: the ratio chosen on the "
        "other half of the questions. k50: median over the model's known concepts.",
        tables.final[::-1],
        {
            "model": words("model"),
            "mask ratio": figure("primary_ratio", numbers.percent),
            "PSS": estimate("pss"),
            "PSS, random": estimate("random_pss"),
            "PSS, in-sample": figure("pss_insample"),
            "signed": estimate("signed"),
            "signed, floor-corrected": estimate("signed_floor"),
            "signed, random": estimate("random_signed"),
            "PSS at peak": estimate("peak_pss"),
            "peak ratio": figure("peak_ratio", numbers.percent),
            "k50, top": figure("k50_top"),
            "k50, random": figure("k50_random"),
        },
    )


def _parameters(row: pd.Series) -> Cell:
    total, active = row["parameters_total"], row["parameters_active"]
    small = f"{numbers.parameters(active)} active" if active != total else ""
    return Cell(numbers.parameters(total), small)


def controls_table(tables: StudyTables) -> PageTable:
    """One row per model: every mask's signed effect, and what the top mask adds."""
    order = [ALL, *tables.final["model"][::-1]]
    rows = tables.controls[tables.controls["model"].isin(order)]
    wide = _wide(rows, order)
    columns: dict[str, Write] = {
        "model": lambda row: Cell(
            "mean of models" if row["model"] == ALL else str(row["model"]),
            numeric=False,
        ),
        "concepts": figure("top n_concepts", numbers.count),
    }
    columns |= {name: estimate(f"{mask} signed") for mask, name in MASKS.items()}
    columns |= {
        "top minus random": estimate("random top_minus"),
        "top minus swap": estimate("swap top_minus"),
        "general accuracy, change under top": estimate("top general_change"),
        "same, under random": estimate("random general_change"),
        "log-odds, top (GEE)": estimate("top log_odds"),
        "active vectors hit, top": figure("top active_share", numbers.percent),
        "active vectors hit, random": figure("random active_share", numbers.percent),
    }
    return page_table("controls", _controls_caption(rows), wide, columns)


def _wide(rows: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """One row per model, columns ``<mask> <column>``, NaN for what is missing."""
    names = [column.name for column in CONTROLS.columns if column.kind == "number"]
    parts = []
    for mask in MASKS:
        mine = rows[rows["mask"] == mask].set_index("model")[["n_concepts", *names]]
        parts.append(mine.add_prefix(f"{mask} "))
    wide = pd.concat(parts, axis=1)
    return wide.reindex([m for m in order if m in wide.index]).reset_index(
        names="model"
    )


def _controls_caption(rows: pd.DataFrame) -> str:
    random = rows[(rows["mask"] == "random") & (rows["model"] != ALL)]
    holds, strong = int(random["contains_zero"].sum()), random["pss_above_015"].sum()
    top = rows[(rows["mask"] == "top") & (rows["model"] != ALL)]
    draws = numbers.count(random["draws"].max()) if len(random) else "no"
    return (
        "Controls at the pre-registered ratio: signed effect of each mask, and how far "
        f"the top mask exceeds it (paired). Random: {draws} draws; its interval holds "
        f"zero in {holds} of {numbers.counted(len(random), 'model')}. PSS exceeds 0.15 "
        f"in {int(top['pss_above_015'].sum())} of them under the top mask and in "
        f"{int(strong)} under random masks. Log-odds: item-level GEE clustered by "
        "concept."
    )


def tiers_table(tables: StudyTables) -> PageTable:
    """Means over models by exposure, tier, category and origin."""
    key = ["group", "level"]
    rows = tables.tiers[tables.tiers["model"] == ALL]
    top, random = (rows[rows["mask"] == mask] for mask in ("top", "random"))
    ends = [f"signed{end}" for end in ("", "_low", "_high")]
    other = random[[*key, *ends]].rename(columns={e: f"random {e}" for e in ends})
    frame = top.merge(other, on=key, how="left")
    order = {name: place for place, name in enumerate(dict.fromkeys(frame["group"]))}
    frame = frame.sort_values("group", key=lambda g: g.map(order), kind="stable")
    return page_table(
        "tiers",
        "Effects by exposure, tier, category and origin of the relation: means over "
        "the primary models; intervals from resampling models and concepts. PSS "
        "misleads across levels: equal damage gives a larger PSS where less was known.",
        frame,
        {
            "group": words("group"),
            "level": words("level"),
            "concepts": figure("n_concepts", numbers.count),
            "accuracy": estimate("accuracy"),
            "signed": estimate("signed"),
            "signed, random": estimate("random signed"),
            "PSS": estimate("pss"),
        },
    )


EFFECTS = {
    "pss": "PSS",
    "signed": "signed",
    "signed_floor": "signed, floor-corrected",
    "random_pss": "PSS, random mask",
    "random_signed_floor": "signed, floor-corrected, random mask",
}


def correlations_table(tables: StudyTables) -> PageTable:
    """Every correlation with how its interval was made."""
    return page_table(
        "correlations",
        "Effects against accuracy and size across models. Halves: accuracy and effect "
        "from the same or from disjoint questions. Descriptive rows rest on fewer than "
        "8 families and carry no inference.",
        tables.correlations,
        {
            "effect": lambda row: Cell(
                EFFECTS.get(str(row["effect"]), str(row["effect"])), numeric=False
            ),
            "against": _spaced("against"),
            "method": _spaced("method"),
            "halves": words("halves"),
            "models": words("models"),
            "n": lambda row: Cell(
                numbers.count(row["n"]),
                numbers.counted(int(row["n_families"]), "family"),
            ),
            "estimate": estimate("estimate"),
            "p": figure("p", numbers.p_value),
            "interval": _how,
        },
    )


def _spaced(column: str) -> Write:
    """Cell of an identifier, written as words."""
    return lambda row: Cell(
        str(row[column]).replace("_", " ").replace("-", " "), numeric=False
    )


def _how(row: pd.Series) -> Cell:
    """How an interval was made, and what keeps it from inference."""
    remarks = ["descriptive"] if row["descriptive"] else []
    remarks += [str(row["reason"])] if row["reason"] else []
    return Cell(str(row["interval"]), "; ".join(remarks), numeric=False)


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
    inside = verify["within"].astype(bool)
    shown = verify[(verify["table"] == "claims") | ~inside]
    within = int(inside.sum())
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
        "No comparison was made: there are no reference tables, or `paraspec verify` "
        "has not run."
        if verify.empty
        else caption,
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
        "jobs, which may have run side by side. Peak: largest resident memory of a "
        "job.",
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
