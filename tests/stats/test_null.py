import numpy as np
import pytest

from paraspec.stats.null import NO_DRAWS, random_mask_null

RNG = np.random.default_rng(2)
N = 12
X = np.linspace(0.4, 0.95, N)
NOISE = 0.05 - 0.04 * X + RNG.normal(scale=0.005, size=(5, N))
"""Effects of random masks that fall with accuracy, as PSS without any effect does."""
RANDOM = list(NOISE.T)


def found(y):
    return random_mask_null(X, y, RANDOM, 2000, np.random.default_rng(4))


def test_the_null_is_that_of_a_loop_over_masks():
    rng = np.random.default_rng(9)
    null = [
        np.corrcoef(X, [one[rng.integers(5)] for one in RANDOM])[0, 1]
        for _ in range(2000)
    ]
    low, high = np.quantile(null, [0.025, 0.975])
    mine = found(NOISE[0])
    assert (mine.low, mine.high) == pytest.approx((low, high), abs=0.03)
    assert "not of the estimate" in mine.interval


def test_one_more_random_mask_is_no_finding_and_a_rising_effect_is():
    assert found(0.05 - 0.04 * X + RNG.normal(scale=0.005, size=N)).p > 0.05
    rising = found(0.1 * X)
    assert rising.value == pytest.approx(1)
    assert rising.p < 0.002


def test_undefined_is_a_reason():
    few = random_mask_null(X, X, [*RANDOM[:-1], RANDOM[0][:0]], 9, RNG)
    assert few.reason == NO_DRAWS
    flat = random_mask_null(X, X * 0, RANDOM, 9, RNG)
    assert "variance" in flat.reason
    still = random_mask_null(X, X, [np.zeros(2)] * N, 9, RNG)
    assert np.isnan(still.p)
    assert still.reason
