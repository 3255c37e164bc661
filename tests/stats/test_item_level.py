import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.special import logit
from tests.synthetic import Fake, concepts_table, items_table

from paraspec.stats.item_level import pooled_log_odds, specificity_log_odds
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


def test_the_pooled_model_is_that_of_single_items_with_model_effects():
    concepts = concepts_table(18)
    fakes = [
        Fake("strong", "a", 12_000, accuracy=0.8, damage=0.4),
        Fake("weak", "b", 12_000, accuracy=0.5, damage=0.2, collateral=0.1),
    ]
    frames, totals = [], []
    for fake in fakes:
        items = items_table(fake, concepts)
        measured = summed(items)
        totals.append(measured.totals(measured.find("top", 0.1)))
        rows = items[items["mask"].isin(["none", "top"])]
        rows = rows[
            (rows["ablation"] != "keep") & (rows["kinship"] != "other-category")
        ]
        frames.append(rows[rows["ratio"].isin([0.0, 0.1])])
    rows = pd.concat([frame.astype({"model": "str"}) for frame in frames])
    frame = pd.DataFrame(
        {
            "right": rows["correct"].astype(int),
            "masked": (rows["mask"] == "top").astype(int),
            "own": (rows["set"] == "concept").astype(int),
            "concept": rows["concept"].astype(str),
            "model": rows["model"],
        }
    )
    words = "right ~ C(model) * (masked + own) + masked:own"
    family = sm.families.Binomial()
    fit = smf.gee(words, "concept", frame, family=family).fit()
    found, n = pooled_log_odds(totals)
    assert n == 2
    assert found.value == pytest.approx(-fit.params["masked:own"], rel=1e-6)
    low, high = fit.conf_int().loc["masked:own"]
    assert (found.low, found.high) == pytest.approx((-high, -low), rel=1e-6)
    single = [specificity_log_odds(one).value for one in totals]
    assert min(single) < found.value < max(single)


def test_models_without_finite_log_odds_are_left_out_of_the_pool(totals):
    perfect = totals.copy()
    perfect[1, BEFORE] = perfect[1, N]
    found, n = pooled_log_odds([totals, perfect, totals * 0])
    assert n == 1
    assert found.value == pytest.approx(specificity_log_odds(totals).value)
    assert found.low == pytest.approx(specificity_log_odds(totals).low)
    assert pooled_log_odds([perfect])[1] == 0
    assert np.isnan(pooled_log_odds([totals[:, :, :5]])[0].value)


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
