"""Rows of the first table, and the small plot of each effect."""

import re

import numpy as np
import pandas as pd
import pytest

from paraspec.report import verdicts
from paraspec.report.catalogue import CATALOGUE


def claim(**changes):
    row = {
        "id": "a",
        "claim": "A claim.",
        "source": "paper, abstract",
        "statistic": "pearson of pss on accuracy",
        "direction": "positive",
        "estimate": 0.5,
        "estimate_low": 0.25,
        "estimate_high": 0.75,
        "smallest_effect": 0.5,
        "margin": 0.25,
        "control": "the same under the random mask",
        "control_estimate": 0.1,
        "control_estimate_low": np.nan,
        "control_estimate_high": np.nan,
        "control_passed": "yes",
        "verdict": "partly",
        "reason": "it excludes 0",
        "figure": "sizes",
    }
    return pd.Series(row | changes)


def x_of(text, pattern):
    return [float(value) for value in re.search(pattern, text).groups()]


def drawn(row):
    """Zero, smallest effect, ends of the band and of the interval, and the point."""
    text = verdicts.forest(row)
    band = x_of(text, r'class="band" x="([\d.]+)".*?width="([\d.]+)"')
    return {
        "zero": x_of(text, r'class="zero" d="M([\d.]+)')[0],
        "unit": x_of(text, r'class="unit" d="M([\d.]+)')[0],
        "band": [band[0], band[0] + band[1]],
        "interval": x_of(text, r'class="interval" d="M([\d.]+) 9H([\d.]+)'),
        "point": x_of(text, r'circle cx="([\d.]+)"')[0],
    }


def test_the_plot_is_in_units_of_the_smallest_effect():
    found = drawn(claim())
    unit = found["unit"] - found["zero"]
    ends = [(end - found["zero"]) / unit for end in found["interval"]]
    assert ends == pytest.approx([0.5, 1.5], abs=0.01)
    assert found["point"] == found["unit"]
    band = [(end - found["zero"]) / unit for end in found["band"]]
    assert band == pytest.approx([-0.5, 0.5], abs=0.01)


def test_a_negative_claim_is_turned_round():
    ends = {"estimate": -0.5, "estimate_low": -0.75, "estimate_high": -0.25}
    turned = drawn(claim(direction="negative", **ends))
    assert turned == drawn(claim())


def test_what_leaves_the_plot_ends_in_an_arrow():
    inside, outside = verdicts.forest(claim()), verdicts.forest(claim(estimate_high=9))
    assert inside.count("L") == 0
    assert outside.count("L") == 2


def test_without_an_interval_there_is_no_plot():
    assert verdicts.forest(claim(estimate_low=np.nan)) == ""


def row_of(**changes):
    (group,) = verdicts.groups(pd.DataFrame([claim(**changes)]))
    return group.rows[0]


def test_a_control_is_survived_only_by_an_effect_that_is_there():
    assert "survives" in row_of()["passed"]
    assert "survives" not in row_of(verdict="not testable")["passed"]
    assert "passed" in row_of(verdict="not testable")["passed"]
    assert "failed" in row_of(control_passed="no")["passed"]
    assert row_of(control="-", control_passed="-")["passed"] == ""


def test_a_figure_has_the_number_that_it_has_on_the_page():
    assert row_of()["figure_number"] == list(CATALOGUE).index("sizes") + 1
    assert row_of(figure="pie")["figure"] == ""


def test_the_papers_claims_stand_first():
    frame = pd.DataFrame([claim(id="b", source="ours, on size"), claim()])
    assert [group.rows[0]["id"] for group in verdicts.groups(frame)] == ["a", "b"]


def test_the_first_claim_is_the_primary_endpoint():
    frame = pd.DataFrame([claim(id="a"), claim(id="b")])
    (group,) = verdicts.groups(frame)
    assert [row["primary"] for row in group.rows] == [True, False]


def test_every_claim_of_the_study_names_a_figure_of_the_report(claims):
    named = claims["figure"][claims["figure"] != ""]
    assert set(named) <= set(CATALOGUE)
