"""Error rates at the study's real numbers; docs/measures.md has them from longer runs.

python -m benchmarks.error_rates
"""

import numpy as np
import pytest
from benchmarks.coverage import Population, coverage
from benchmarks.null_studies import verdicts
from benchmarks.simulated import Design

RUNS = 250
STUDIES = 12
SPECIFICITY = (
    *("specific-beyond-random", "specific-beyond-swap", "exceeds-swap-other"),
    *("exceeds-matched", "exceeds-shuffled", "transfers-across-formats"),
    *("survives-mean-ablation", "not-non-knowledge"),
)
"""Claims that a concept's vectors matter to it beyond a control."""


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    found = coverage(RUNS, Design(draws=200), Population())
    error = 3 * np.sqrt(0.95 * 0.05 / RUNS)  # .041; percentiles cost up to .03 more
    for share in (found.concepts, found.models, found.correlation):
        assert 0.95 - error - 0.03 < share < 0.95 + error


@pytest.fixture(scope="module")
def table():
    design = Design(n_models=8, n_concepts=27, n_controls=5, draws=150)
    return verdicts(STUDIES, design)


def test_no_specificity_is_found_where_there_is_none(table):
    rows = table[table["id"].isin(SPECIFICITY)]
    assert set(rows["id"]) == set(SPECIFICITY)
    assert not (rows["verdict"] == "replicated").any()
    # An interval wholly above 0 is due in a fortieth of the rows; those of one study
    # share its models, so that the band is that of the studies alone.
    above = (rows["estimate_low"] > 0).mean()
    assert above < 0.025 + 3 * np.sqrt(0.025 * 0.975 / STUDIES)


def test_no_claim_of_an_effect_is_believed_in_more_than_a_twentieth_of_studies(table):
    effects = table[table["id"] != "not-collateral"]
    replicated = (effects["verdict"] == "replicated").groupby(effects["study"]).any()
    assert replicated.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / STUDIES)


def test_masks_that_harm_alike_are_not_called_harmless_without_their_control(table):
    rows = table[table["id"] == "not-collateral"]
    assert (rows["estimate_high"] < 0.02).all()
    assert not (rows["verdict"] == "replicated").any()
