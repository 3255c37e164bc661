"""Tables about the study itself: evidence, comparison with the reference, costs."""

import math
from collections.abc import Sequence

import pandas as pd

from paraspec.core.definitions import NONE
from paraspec.report import numbers
from paraspec.report.page_tables.cells import (
    Cell,
    PageTable,
    estimate,
    figure,
    flag,
    page_table,
    words,
)
from paraspec.report.provenance_record import RuleCost
from paraspec.report.verdicts import control_value


def evidence_table(claims: pd.DataFrame) -> PageTable:
    """What each verdict rests on."""
    return page_table(
        "evidence",
        "What each verdict rests on. Holm: p values of the secondary claims, corrected "
        "for their number. Equivalence: larger p of the two one-sided tests against "
        "the margin.",
        claims,
        {
            "claim": lambda row: Cell(
                str(row["id"]), numeric=False, link=f"#claim-{row['id']}"
            ),
            "source": words("source"),
            "statistic": lambda row: Cell(
                "" if row["statistic"] == NONE else str(row["statistic"]),
                numeric=False,
            ),
            "estimate": estimate("estimate"),
            "n": lambda row: Cell(
                numbers.count(row["n"]) if row["n"] else numbers.MISSING,
                "" if row["n_unit"] == NONE else str(row["n_unit"]),
                value=float(row["n"]),
            ),
            "smallest effect": figure("smallest_effect"),
            "margin": figure("margin"),
            "p": figure("p", numbers.p_value),
            "p, Holm": figure("p_holm", numbers.p_value),
            "p, equivalence": figure("p_equivalence", numbers.p_value),
            "control": lambda row: Cell(
                "" if row["control"] == NONE else str(row["control"]),
                control_value(row),
                numeric=False,
            ),
            "verdict": words("verdict"),
        },
        "No claims were registered.",
        fold="The evidence: statistic, n, p values and the control's estimate",
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
            Cell(numbers.duration(_known(cost.longest))),
            Cell(numbers.duration(cost.cpu_seconds)),
            Cell(numbers.memory(_known(cost.peak_mib))),
        ]
        for cost in costs
    ]
    if costs:
        rows.append(_total(costs))
    return PageTable(
        "costs",
        "Time and memory per rule, from Snakemake's benchmark files. Total: sum over "
        "jobs, which may have run side by side. CPU time is sampled. Peak: largest "
        "resident memory of a job.",
        ["rule", "jobs", "total time", "longest job", "CPU time", "peak memory"],
        rows,
        empty="No benchmark files: the steps were run without Snakemake.",
    )


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _total(costs: Sequence[RuleCost]) -> list[Cell]:
    longest = [cost.longest for cost in costs if cost.longest is not None]
    peaks = [cost.peak_mib for cost in costs if cost.peak_mib is not None]
    return [
        Cell("all rules", numeric=False),
        Cell(numbers.count(sum(cost.jobs for cost in costs))),
        Cell(numbers.duration(sum(cost.seconds for cost in costs))),
        Cell(numbers.duration(max(longest, default=math.nan))),
        Cell(numbers.duration(sum(cost.cpu_seconds for cost in costs))),
        Cell(numbers.memory(max(peaks, default=math.nan))),
    ]
