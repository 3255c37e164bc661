import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from paraspec.stats.mixed import (
    NO_FREEDOM,
    ONE_FAMILY,
    SINGULAR,
    mixed_model,
)

RNG = np.random.default_rng(3)
FAMILIES = np.repeat(list("abcdef"), 5)
FIXED = RNG.normal(size=(30, 2)) * [0.2, 3.0] + [0.7, 17.0]
Y = FIXED @ [0.4, 0.01] + np.repeat(RNG.normal(scale=0.2, size=6), 5)
Y = Y + RNG.normal(scale=0.05, size=30)


def test_slopes_and_errors_are_those_of_the_formula():
    frame = pd.DataFrame({"y": Y, "a": FIXED[:, 0], "n": FIXED[:, 1], "f": FAMILIES})
    fit = smf.mixedlm("y ~ a + n", frame, groups="f").fit(method="nm", maxiter=2000)
    found = mixed_model(Y, FIXED, list(FAMILIES))
    for one, name in zip(found, ("a", "n"), strict=True):
        assert one.value == pytest.approx(fit.params[name], rel=1e-3)
        assert one.low == pytest.approx(fit.conf_int().loc[name, 0], rel=1e-2)
        assert one.p == pytest.approx(fit.pvalues[name], rel=0.05, abs=1e-9)
        assert one.reason == ""


def test_families_that_do_not_differ_are_a_singular_fit():
    y = FIXED @ [0.4, 0.01] + RNG.normal(scale=0.2, size=30)
    y -= np.repeat(y.reshape(6, 5).mean(axis=1), 5)
    found = mixed_model(y, FIXED - FIXED.mean(axis=0), list(FAMILIES))
    assert [one.reason for one in found] == [SINGULAR] * 2
    assert np.isnan([one.value for one in found]).all()


@pytest.mark.parametrize(
    ("y", "fixed", "families", "reason"),
    [
        (Y, FIXED, ["a"] * 30, ONE_FAMILY),
        (Y[:2], FIXED[:2], ["a", "b"], "fewer than 3 models"),
        (Y[:3], FIXED[:3], ["a", "b", "b"], NO_FREEDOM),
        (Y * np.nan, FIXED, list(FAMILIES), "undefined for a model"),
        (Y * 0, FIXED, list(FAMILIES), "no variance"),
    ],
)
def test_undefined_is_a_reason_for_every_predictor(y, fixed, families, reason):
    found = mixed_model(y, fixed, families)
    assert [one.reason for one in found] == [reason] * 2
