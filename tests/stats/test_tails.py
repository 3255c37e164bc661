import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from paraspec.stats.association import correlation
from paraspec.stats.bootstrap import estimate, resamples
from paraspec.stats.tails import Drawn, Student, equivalence_p

RNG = np.random.default_rng(8)
SAMPLE = RNG.normal(0.05, 0.4, size=60)


def test_tost_of_a_mean_is_that_of_statsmodels():
    tails = Student(SAMPLE.mean(), SAMPLE.std(ddof=1) / np.sqrt(60), 59)
    p, *_ = DescrStatsW(SAMPLE).ttost_mean(-0.15, 0.15)
    assert equivalence_p(tails, 0.15) == pytest.approx(p)


def test_bootstrap_tost_agrees_with_the_analytic_one():
    draws = resamples(60, 20_000, np.random.default_rng(1)) @ SAMPLE / 60
    found = estimate(draws, 60)
    p, *_ = DescrStatsW(SAMPLE).ttost_mean(-0.12, 0.12)
    assert equivalence_p(found.tails, 0.12) == pytest.approx(p, abs=0.02)


def test_equivalence_is_the_ninety_percent_interval_within_the_margin():
    values = np.sort(RNG.normal(size=999))
    low, high = np.quantile(values, [0.05, 0.95])
    tails = Drawn(values)
    assert equivalence_p(tails, max(-low, high) + 0.05) < 0.05
    assert equivalence_p(tails, max(-low, high) - 0.05) > 0.05


def test_a_correlation_is_judged_on_fishers_scale():
    x = RNG.normal(size=40)
    y = 0.1 * x + RNG.normal(size=40)
    found = correlation([(x, y)], "pearson")
    z, bound = np.arctanh(found.value), np.arctanh(0.3)
    normal = RNG.normal(z, 1 / np.sqrt(37), size=400_000)
    expected = max((normal <= -bound).mean(), (normal >= bound).mean())
    assert equivalence_p(found.tails, 0.3) == pytest.approx(expected, abs=0.004)
    assert found.tails.below(found.low) == pytest.approx(0.025)
    assert found.tails.above(found.high) == pytest.approx(0.025)


def test_no_interval_has_no_tails():
    assert estimate(np.array([0.5, 0.4, 0.6]), 2).tails is None
    assert correlation([(SAMPLE[:3], SAMPLE[3:6])], "pearson").tails is None
