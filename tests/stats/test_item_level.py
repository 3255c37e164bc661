import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.special import logit

from paraspec.stats.item_level import specificity_log_odds
from paraspec.stats.items import AFTER, BEFORE, N, summed


@pytest.fixture(scope="module")
def totals(items):
    measured = summed(items)
    return measured.totals(measured.find("top", 0.1))


def test_the_saturated_model_gives_the_pooled_log_odds(totals):
    pooled = totals.sum(axis=-1)
    own, general = logit(pooled[:, [BEFORE, AFTER]] / pooled[:, [N]])
    found = specificity_log_odds(totals)
    expected = (own[0] - own[1]) - (general[0] - general[1])
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    assert found.p < 0.001


def test_counts_give_the_interval_of_single_items(items, totals):
    rows = items[(items["mask"].isin(["none", "top"])) & (items["ablation"] != "keep")]
    rows = rows[np.isclose(rows["ratio"], 0.1) | (rows["mask"] == "none")]
    rows = rows[rows["kinship"] != "other-category"]
    frame = pd.DataFrame(
        {
            "right": rows["correct"].astype(int),
            "masked": (rows["mask"] == "top").astype(int),
            "own": (rows["set"] == "concept").astype(int),
            "concept": rows["concept"].astype(str),
        }
    )
    family = sm.families.Binomial()
    fit = smf.gee("right ~ masked * own", "concept", frame, family=family).fit()
    low, high = fit.conf_int().loc["masked:own"]
    found = specificity_log_odds(totals)
    assert found.low == pytest.approx(-high, rel=1e-6)
    assert found.high == pytest.approx(-low, rel=1e-6)


def test_no_finite_log_odds_or_few_concepts_is_nan(totals):
    perfect = totals.copy()
    perfect[1, BEFORE] = perfect[1, N]
    assert np.isnan(specificity_log_odds(perfect).value)
    assert np.isnan(specificity_log_odds(totals[:, :, :5]).value)
    assert np.isnan(specificity_log_odds(totals * 0).value)


def test_a_mask_that_does_nothing_has_no_interval(totals):
    still = totals.copy()
    still[:, AFTER] = still[:, BEFORE]
    found = specificity_log_odds(still)
    assert found.value == pytest.approx(0, abs=1e-9)
    assert np.isnan(found.low)
