import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from paraspec.stats.association import (
    FEW_FAMILIES,
    NO_FAMILY,
    NO_RESIDUAL,
    NO_VARIANCE,
    TOO_FEW,
    correlation,
    family_bootstrap,
    family_slope,
    leave_one_out,
    partial,
    two_way_bootstrap,
)

RNG = np.random.default_rng(11)
N = 13
X = RNG.normal(size=N)
Y = 0.7 * X + RNG.normal(size=N)
Z = X + RNG.normal(size=N)
FAMILIES = ["a"] * 4 + ["b"] * 4 + ["c"] * 3 + ["d"] * 2


def test_pearson_is_scipys_with_scipys_interval_and_p():
    found = correlation([(X, Y)], "pearson")
    theirs = stats.pearsonr(X, Y)
    low, high = theirs.confidence_interval()
    assert found.value == pytest.approx(theirs.statistic)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.p == pytest.approx(theirs.pvalue)


def test_spearman_is_scipys_with_a_wider_interval():
    found = correlation([(X, Y)], "spearman")
    theirs = stats.spearmanr(X, Y)
    assert found.value == pytest.approx(theirs.statistic)
    assert found.p == pytest.approx(theirs.pvalue)
    r = theirs.statistic
    half = 1.959964 * np.sqrt((1 + r**2 / 2) / (N - 3))
    assert found.high == pytest.approx(np.tanh(np.arctanh(r) + half))


def test_two_directions_average_in_fisher_z():
    found = correlation([(X, Y), (Z, Y)], "pearson")
    rs = [stats.pearsonr(x, Y).statistic for x in (X, Z)]
    assert found.value == pytest.approx(np.tanh(np.mean(np.arctanh(rs))))


def test_partial_equals_the_textbook_formula():
    found = partial([(X, Y)], Z)
    xy, xz, yz = (np.corrcoef(a, b)[0, 1] for a, b in ((X, Y), (X, Z), (Y, Z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert found.value == pytest.approx(expected)
    frame = pd.DataFrame({"x": X, "y": Y, "z": Z})
    fit = smf.ols("y ~ x + z", frame).fit()
    assert found.p == pytest.approx(fit.pvalues["x"])
    half = 1.959964 / np.sqrt(N - 4)
    assert found.low == pytest.approx(np.tanh(np.arctanh(expected) - half))


def test_family_slope_is_that_of_statsmodels_with_dummies():
    found = family_slope(X, Y, FAMILIES)
    frame = pd.DataFrame({"x": X, "y": Y, "family": FAMILIES})
    fit = smf.ols("y ~ x + C(family)", frame).fit()
    assert found.value == pytest.approx(fit.params["x"])
    assert found.low == pytest.approx(fit.conf_int().loc["x", 0])
    assert found.high == pytest.approx(fit.conf_int().loc["x", 1])


def test_families_of_one_model_do_not_move_the_slope():
    found = family_slope(X, Y, FAMILIES)
    more = family_slope(np.append(X, 50.0), np.append(Y, -9.0), [*FAMILIES, "lonely"])
    assert more.value == pytest.approx(found.value)
    assert more.low == pytest.approx(found.low)


def test_leave_one_out_is_the_range_of_correlations():
    found = leave_one_out([(X, Y)], FAMILIES)
    keep = [np.array([f != name for f in FAMILIES]) for name in "abcd"]
    rs = [np.corrcoef(X[k], Y[k])[0, 1] for k in keep]
    assert (found.low, found.high) == (pytest.approx(min(rs)), pytest.approx(max(rs)))
    assert found.value == pytest.approx(np.corrcoef(X, Y)[0, 1])


def test_family_bootstrap_is_that_of_a_loop():
    found = family_bootstrap([(X, Y)], FAMILIES, 300, np.random.default_rng(5))
    picks = np.random.default_rng(5).multinomial(4, [0.25] * 4, size=300)
    members = {name: np.flatnonzero(np.array(FAMILIES) == name) for name in "abcd"}
    rs = []
    for pick in picks:
        rows = np.concatenate(
            [np.repeat(members[n], c) for n, c in zip("abcd", pick, strict=True)]
        )
        rs.append(np.corrcoef(X[rows], Y[rows])[0, 1])
    low, high = np.quantile(rs, [0.025, 0.975])
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_two_way_bootstrap_covers_the_noise_of_both_sides():
    draws = 400
    rng = np.random.default_rng(6)
    x = X + np.vstack([np.zeros(N), rng.normal(scale=0.5, size=(draws, N))])
    y = Y + np.vstack([np.zeros(N), rng.normal(scale=0.5, size=(draws, N))])
    noisy = two_way_bootstrap([(x, y)], np.random.default_rng(7))
    still = [(np.tile(X, (draws + 1, 1)), np.tile(Y, (draws + 1, 1)))]
    clean = two_way_bootstrap(still, np.random.default_rng(7))
    assert noisy.value == clean.value == pytest.approx(np.corrcoef(X, Y)[0, 1])
    assert noisy.low < clean.low


FLAT = np.ones(N)
CASES = [
    (lambda: correlation([(X[:2], Y[:2])], "pearson"), TOO_FEW),
    (lambda: correlation([(X[:0], Y[:0])], "spearman"), TOO_FEW),
    (lambda: correlation([(X, FLAT)], "pearson"), NO_VARIANCE),
    (lambda: correlation([(X, Y * np.nan)], "pearson"), "undefined for a model"),
    (lambda: partial([(X, Y)], FLAT), NO_VARIANCE),
    (lambda: partial([(X, Y)], X), NO_RESIDUAL),
    (lambda: partial([(X[:3], Y[:3])], Z[:3]), "too few models"),
    (lambda: family_slope(X, Y, list("abcdefghijklm")), NO_FAMILY),
    (lambda: family_slope(FLAT, Y, FAMILIES), NO_FAMILY),
    (lambda: family_slope(X[:0], Y[:0], []), NO_FAMILY),
    (lambda: family_slope(X[:2], Y[:2], ["a", "a"]), "no degrees of freedom"),
    (lambda: leave_one_out([(X, Y)], ["a"] * N), "fewer than 2 families"),
    (
        lambda: family_bootstrap([(X, Y)], ["a"] * N, 9, np.random.default_rng(0)),
        FEW_FAMILIES,
    ),
    (
        lambda: two_way_bootstrap(
            [(np.ones((9, 2)), np.ones((9, 2)))], np.random.default_rng(0)
        ),
        TOO_FEW,
    ),
]


@pytest.mark.parametrize(("call", "reason"), CASES)
def test_undefined_is_nan_and_a_reason(call, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = call()
    assert np.isnan([found.low, found.high]).all()
    assert reason in found.reason


def test_three_models_have_a_correlation_without_an_interval():
    found = correlation([(X[:3], Y[:3])], "pearson")
    assert np.isfinite(found.value)
    assert np.isnan(found.low)
    assert "interval" in found.reason


def test_a_perfect_correlation_stays_finite():
    found = correlation([(X, 2 * X), (X, X)], "pearson")
    assert found.value == pytest.approx(1)
    assert found.low > 0.99
