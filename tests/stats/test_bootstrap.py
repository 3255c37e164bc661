import numpy as np
import pytest
from scipy import stats

from paraspec.stats.bootstrap import (
    estimate,
    resamples,
    weighted_mean,
    weighted_pearson,
)


def test_row_zero_is_the_sample_and_draws_keep_the_size():
    weights = resamples(7, 50, np.random.default_rng(1))
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 7).all()
    assert weights.shape == (51, 7)


def test_mean_of_weighted_draws_covers_like_the_normal_interval():
    rng = np.random.default_rng(2)
    sample = rng.normal(size=200)
    found = estimate(resamples(200, 4000, rng) @ sample / 200, 200)
    low, high = stats.norm.interval(0.95, sample.mean(), stats.sem(sample))
    assert found.value == pytest.approx(sample.mean())
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def test_p_value_is_twice_the_smaller_tail_with_the_sample_counted_in():
    drawn = np.array([0.5, *np.full(95, 1.0), *np.full(4, -1.0)])
    assert estimate(drawn, 10).p == pytest.approx(2 * 5 / 100)


@pytest.mark.parametrize(
    ("values", "n"),
    [
        ([0.5, 0.4, 0.6], 2),
        ([np.nan, 0.4, 0.6], 9),
        ([0.5, np.nan, *[0.4] * 9], 9),
        ([0.5], 9),
    ],
)
def test_no_interval_from_too_little(values, n):
    found = estimate(np.array(values), n)
    assert np.isnan([found.low, found.high, found.p]).all()


def test_a_few_undefined_draws_are_left_out():
    found = estimate(np.array([0.5, np.nan, *[0.4] * 99]), 9)
    assert (found.low, found.high) == (0.4, 0.4)


def test_weighted_pearson_is_that_of_repeated_rows():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 6))
    counts = np.array([2, 0, 1, 1, 0, 2])
    r = weighted_pearson(x[None], y[None], counts[None].astype(float))
    repeated = np.corrcoef(np.repeat(x, counts), np.repeat(y, counts))[0, 1]
    assert r[0] == pytest.approx(repeated)


def test_weighted_mean_of_nothing_is_undefined():
    assert np.isnan(weighted_mean(np.array([[np.nan]]), np.ones((1, 1)))[0])
    constant = np.ones((1, 3))
    assert np.isnan(weighted_pearson(constant, constant, constant)[0])
