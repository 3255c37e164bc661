from itertools import permutations, product

import numpy as np
import pytest
import statsmodels.formula.api as smf

from paraspec.stats import permutation
from paraspec.stats.permutation import permutation_p

RNG = np.random.default_rng(4)
FAMILIES = ["a", "a", "a", "b", "b", "b", "lonely"]
X, Y, W = RNG.normal(size=(3, 7))


def slope(x, y):
    frame = {"x": x, "y": y, "family": FAMILIES}
    return smf.ols("y ~ x + C(family)", frame).fit().params["x"]


def test_the_exact_p_value_is_that_of_refitting_every_permutation():
    orders = list(permutations(range(3)))
    null = []
    for first, second in product(orders, orders):
        order = [*first, *(3 + np.array(second)), 6]
        null.append(slope(X, Y[order]))
    expected = np.mean(np.abs(null) >= abs(slope(X, Y)) - 1e-9)
    p, how = permutation_p([(X, Y)], FAMILIES, np.random.default_rng(0))
    assert p == pytest.approx(expected)
    assert how == "exact, 36 permutations"


def test_drawn_permutations_agree_with_enumerated_ones(monkeypatch):
    rng = np.random.default_rng(0)
    exact, _ = permutation_p([(X, Y), (W, Y)], FAMILIES, rng)
    monkeypatch.setattr(permutation, "EXACT_LIMIT", 1)
    drawn, how = permutation_p([(X, Y), (W, Y)], FAMILIES, rng)
    assert drawn == pytest.approx(exact, abs=0.02)
    assert how == "20000 of 36 permutations"


def test_no_family_to_permute_is_nan():
    rng = np.random.default_rng(0)
    assert np.isnan(permutation_p([(X, Y)], list("abcdefg"), rng)[0])
    assert np.isnan(permutation_p([(np.ones(7), Y)], FAMILIES, rng)[0])
