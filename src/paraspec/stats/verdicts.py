"""Verdicts on pre-registered claims, from their intervals alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from paraspec.core.definitions import NONE
from paraspec.core.errors import UserError, similar
from paraspec.core.tables.judged import CLAIMS
from paraspec.stats.claims import Claim
from paraspec.stats.evidence import NO_EVIDENCE, Evidence
from paraspec.stats.multiple import corrected
from paraspec.stats.tails import equivalence_p

Verdict = Literal["replicated", "partly", "not", "not testable"]
Passed = Literal["yes", "no", "unknown", "-"]


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
    """Verdict on an interval, in the claim's direction (positive).

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
        return _with_control(f"the interval lies beyond {smallest_effect:g}", control)
    if low > 0:
        fault = f"it excludes 0 but not effects below {smallest_effect:g}"
        return Judgement("partly", fault)
    return Judgement("not testable", "the interval is too wide to tell")


def judge_absence(
    low: float,
    high: float,
    smallest_effect: float,
    margin: float,
    control: Passed = "yes",
) -> Judgement:
    """Verdict on a claim that there is no effect in a direction (positive).

    Notes
    -----
    Checked in this order: *replicated* - the interval does not reach beyond the margin
    and the control is passed (without it *partly*); *partly* - it does, but excludes
    effects of the smallest size of interest; *not* - it lies beyond the margin: there
    is an effect that counts; *not testable* - anything else. One-sided: an effect in
    the other direction is no evidence against such a claim.

    >>> judge_absence(-0.3, 0.01, smallest_effect=0.05, margin=0.02).verdict
    'replicated'
    >>> judge_absence(0.03, 0.08, smallest_effect=0.05, margin=0.02).verdict
    'not'
    """
    if np.isnan(low) or np.isnan(high):
        return Judgement("not testable", "no interval")
    if high <= margin:
        words = f"the interval does not reach beyond the margin of {margin:g}"
        return _with_control(words, control)
    if low > margin:
        return Judgement("not", f"the interval lies beyond the margin of {margin:g}")
    if high <= smallest_effect:
        words = f"it excludes {smallest_effect:g} but not the margin of {margin:g}"
        return Judgement("partly", words)
    return Judgement("not testable", "the interval is too wide to tell")


JUDGES = {"effect": judge, "absence": judge_absence}


def _with_control(words: str, control: Passed) -> Judgement:
    if control == "yes":
        return Judgement("replicated", words)
    lacks = "fails its control" if control == "no" else "has no computed control"
    return Judgement("partly", f"{words}, but the effect {lacks}")


def claims_table(
    claims: tuple[Claim, ...], evidence: Mapping[str, Evidence], path: Path
) -> pd.DataFrame:
    """Table ``claims``: a verdict for each claim.

    Raises
    ------
    UserError
        Where a claim names a statistic that does not exist.

    Notes
    -----
    The first claim is the study's primary endpoint; the p values of the others are
    corrected together (Holm): that of the statistic, or of a claim of absence the one
    of equivalence. Verdicts rest on intervals alone.
    """
    for claim in claims:
        _check_names(claim, evidence, path)
    frame = pd.DataFrame([_row(claim, evidence) for claim in claims])
    absent = [claim.asserts == "absence" for claim in claims]
    p = np.where(absent, frame["p_equivalence"], frame["p"])
    frame["p_holm"] = [*p[:1], *corrected(p[1:], "holm")]
    return frame[CLAIMS.names]


def _check_names(claim: Claim, evidence: Mapping[str, Evidence], path: Path) -> None:
    control = claim.control.statistic if claim.control else None
    for key, name in (("statistic", claim.statistic), ("control.statistic", control)):
        if name is not None and name not in evidence:
            near = similar(name, evidence) or list(evidence)[:3]
            raise UserError(
                f"{path}, claim {claim.id}, {key}",
                f"there is no statistic {name!r}",
                "Use an id of correlations.csv or estimates.csv, e.g. "
                f"{', '.join(near)}",
            )


def _row(claim: Claim, evidence: Mapping[str, Evidence]) -> dict[str, object]:
    found = evidence.get(claim.statistic or "", NO_EVIDENCE)
    control = claim.control
    checked = evidence[control.statistic] if control else NO_EVIDENCE
    passed = _passed(claim, checked)
    verdict = _verdict(claim, found, passed)
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
        "p_equivalence": _equivalence(claim, found),
        "control": control.name if control else NONE,
        "control_estimate": checked.value,
        "control_estimate_low": checked.low,
        "control_estimate_high": checked.high,
        "control_passed": passed,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "figure": claim.figure,
    }


def _equivalence(claim: Claim, found: Evidence) -> float:
    """P value of the hypothesis that the effect reaches the claim's margin."""
    if found.tails is None or claim.margin is None:
        return np.nan
    if claim.asserts == "effect":
        return equivalence_p(found.tails, claim.margin)
    if claim.direction == "positive":
        return found.tails.above(claim.margin)
    return found.tails.below(-claim.margin)


def _verdict(claim: Claim, found: Evidence, passed: Passed) -> Judgement:
    if claim.not_testable:
        return Judgement("not testable", claim.not_testable)
    if claim.applies_to != "any" and found.kinds != {claim.applies_to}:
        on = f"this was computed on {' and '.join(sorted(found.kinds)) or 'no'} models"
        reason = f"speaks of {claim.applies_to} models; {on}"
        return Judgement("not testable", reason)
    if np.isnan(found.low):
        reason = f"{found.reason or 'no interval'} (n = {found.n} {found.n_unit})"
        return Judgement("not testable", reason)
    low, high = _towards(claim, found)
    judge_it = JUDGES[claim.asserts]
    judged = judge_it(low, high, claim.smallest_effect or 0, claim.margin or 0, passed)
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
