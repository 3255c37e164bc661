"""Verdicts on pre-registered claims, from their intervals alone (decision 14)."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from paraspec.core.definitions import NONE
from paraspec.core.errors import UserError
from paraspec.core.tables.judged import CLAIMS
from paraspec.stats.claims import Claim

Verdict = Literal["replicated", "partly", "not", "not testable"]
Kind = Literal["zoo", "published"]
"""Whether the study trained its models on its concepts."""
Passed = Literal["yes", "no", "unknown", "-"]


@dataclass(frozen=True)
class Evidence:
    """A computed statistic: a row of ``correlations`` or ``estimates``."""

    value: float
    low: float
    high: float
    p: float
    n: int
    n_unit: str
    text: str
    reason: str


NO_EVIDENCE = Evidence(np.nan, np.nan, np.nan, np.nan, 0, "", "", "")


@dataclass(frozen=True)
class Judgement:
    """A verdict and why."""

    verdict: Verdict
    reason: str


def judge(
    low: float,
    high: float,
    smallest_effect: float,
    margin: float,
    control: Passed = "yes",
) -> Judgement:
    """Verdict on an interval, in the claim's direction (positive) (decision 14).

    Notes
    -----
    Checked in this order: *not* - the interval lies within the margin, or below 0;
    *replicated* - it lies beyond the smallest effect and the control is passed;
    *partly* - it lies above 0, but not beyond that effect or without the control;
    *not testable* - anything else. An interval within the margin is *not* even where
    it excludes 0: the effect is then shown to be smaller than what counts.

    >>> judge(0.2, 0.5, smallest_effect=0.1, margin=0.05).verdict
    'replicated'
    >>> judge(0.2, 0.5, smallest_effect=0.1, margin=0.05, control="no").verdict
    'partly'
    >>> judge(-0.2, 0.5, smallest_effect=0.1, margin=0.05).verdict
    'not testable'
    """
    if np.isnan(low) or np.isnan(high):
        return Judgement("not testable", "no interval")
    if high < 0:
        return Judgement("not", "the interval lies in the other direction")
    if -margin <= low and high <= margin:
        return Judgement("not", f"the interval lies within the margin of {margin:g}")
    if low > smallest_effect:
        return _with_control(smallest_effect, control)
    if low > 0:
        fault = f"it excludes 0 but not effects below {smallest_effect:g}"
        return Judgement("partly", fault)
    return Judgement("not testable", "the interval is too wide to tell")


def _with_control(smallest_effect: float, control: Passed) -> Judgement:
    beyond = f"the interval lies beyond {smallest_effect:g}"
    if control == "yes":
        return Judgement("replicated", beyond)
    lacks = "fails its control" if control == "no" else "has no computed control"
    return Judgement("partly", f"{beyond}, but the effect {lacks}")


def evidence_of(
    correlations: pd.DataFrame, estimates: pd.DataFrame
) -> dict[str, Evidence]:
    """Statistics that claims may name, by id."""
    models = correlations.assign(n_unit="models", statistic=_words(correlations))
    found = {}
    for frame in (models, estimates):
        for row in frame.to_dict("records"):
            found[str(row["id"])] = Evidence(
                float(row["estimate"]),
                float(row["estimate_low"]),
                float(row["estimate_high"]),
                float(row["p"]),
                int(row["n"]),
                str(row["n_unit"]),
                f"{row['statistic']} ({row['interval']})",
                str(row["reason"]),
            )
    return found


def _words(rows: pd.DataFrame) -> list[str]:
    return [
        f"{row.method} of {row.effect} on {row.against}, {row.halves} halves, "
        f"{row.models} models"
        for row in rows.itertuples()
    ]


def claims_table(
    claims: tuple[Claim, ...], evidence: Mapping[str, Evidence], kind: Kind, path: Path
) -> pd.DataFrame:
    """Table ``claims``: a verdict for each claim.

    Raises
    ------
    UserError
        Where a claim names a statistic that does not exist.
    """
    for claim in claims:
        _check_names(claim, evidence, path)
    rows = [_row(claim, evidence, kind) for claim in claims]
    return pd.DataFrame(rows, columns=CLAIMS.names)


def _check_names(claim: Claim, evidence: Mapping[str, Evidence], path: Path) -> None:
    control = claim.control.statistic if claim.control else None
    for key, name in (("statistic", claim.statistic), ("control.statistic", control)):
        if name is not None and name not in evidence:
            near = difflib.get_close_matches(name, evidence, n=3, cutoff=0.3)
            raise UserError(
                f"{path}, claim {claim.id}, {key}",
                f"there is no statistic {name!r}",
                f"Use an id of correlations.csv or estimates.csv, e.g. {near}",
            )


def _row(
    claim: Claim, evidence: Mapping[str, Evidence], kind: Kind
) -> dict[str, object]:
    found = evidence.get(claim.statistic or "", NO_EVIDENCE)
    control = claim.control
    checked = evidence[control.statistic] if control else NO_EVIDENCE
    passed = _passed(claim, checked)
    verdict = _verdict(claim, found, passed, kind)
    return {
        "id": claim.id,
        "claim": claim.claim,
        "source": claim.source,
        "statistic": found.text or NONE,
        "direction": claim.direction,
        "estimate": found.value,
        "estimate_low": found.low,
        "estimate_high": found.high,
        "p": found.p,
        "n": found.n,
        "n_unit": found.n_unit or NONE,
        "smallest_effect": claim.smallest_effect,
        "margin": claim.margin,
        "control": control.name if control else NONE,
        "control_estimate": checked.value,
        "control_estimate_low": checked.low,
        "control_estimate_high": checked.high,
        "control_passed": passed,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
    }


def _verdict(claim: Claim, found: Evidence, passed: Passed, kind: Kind) -> Judgement:
    if claim.not_testable:
        return Judgement("not testable", claim.not_testable)
    if claim.applies_to not in ("any", kind):
        reason = f"speaks of {claim.applies_to} models; this is a {kind} study"
        return Judgement("not testable", reason)
    if np.isnan(found.low):
        reason = f"{found.reason or 'no interval'} (n = {found.n} {found.n_unit})"
        return Judgement("not testable", reason)
    low, high = _towards(claim, found)
    judged = judge(low, high, claim.smallest_effect or 0, claim.margin or 0, passed)
    n = f"n = {found.n} {found.n_unit}"
    return Judgement(judged.verdict, f"{judged.reason} ({n})")


def _towards(claim: Claim, found: Evidence) -> tuple[float, float]:
    """Ends of an interval, mirrored so that the claim's direction is positive."""
    if claim.direction == "positive":
        return found.low, found.high
    return -found.high, -found.low


def _passed(claim: Claim, found: Evidence) -> Passed:
    if claim.control is None:
        return "-"
    low, _ = _towards(claim, found)
    if np.isnan(low):
        return "unknown"
    if claim.control.must == "exceed_zero":
        return "yes" if low > 0 else "no"
    return "no" if low > (claim.smallest_effect or 0) else "yes"
