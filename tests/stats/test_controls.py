"""Rows of every control, by another way: pandas on the items."""

import numpy as np
import pytest

from paraspec.core.definitions import ALL, CONTROL_MASKS, REPLACEMENTS, SELECTORS
from paraspec.stats.study import study_of

MODEL = "llama-128"
AT = 0.1
KEYS = ["model", "mask", "selector", "ablation"]


@pytest.fixture(scope="module")
def controls(found):
    return found["controls"].set_index(KEYS).sort_index()


def signed(items, mask, selector, ablation, draws=None, value="correct"):
    """Signed difference-in-differences of same-category items."""
    rows = items[(items["kinship"] != "other-category")]
    plain = rows[rows["mask"] == "none"].set_index(["concept", "item"])[value]
    rows = rows[(rows["mask"] == mask) & (rows["selector"] == selector)]
    rows = rows[(rows["ablation"] == ablation) & np.isclose(rows["ratio"], AT)]
    rows = rows if draws is None else rows[rows["draw"].isin(draws)]
    before = plain.loc[list(zip(rows["concept"], rows["item"], strict=True))]
    drop = before.to_numpy(float) - rows[value].to_numpy(float)
    own = (rows["set"] == "concept").to_numpy()
    return drop[own].mean() - drop[~own].mean()


KINDS = [
    ("top", "difference", "zero"),
    ("random", "random", "zero"),
    ("matched", "matched", "zero"),
    ("swap", "difference", "zero"),
    ("shuffled", "shuffled", "zero"),
    ("top", "difference", "mean"),
    ("random", "random", "unrelated-mean"),
    ("top", "attribution", "zero"),
]


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
def test_a_row_is_the_effect_of_its_mask_selector_and_ablation(
    controls, items_of, kind
):
    items = items_of(MODEL)
    row = controls.loc[(MODEL, *kind)]
    assert row["signed"] == pytest.approx(signed(items, *kind))
    assert row["signed_margin"] == pytest.approx(signed(items, *kind, value="margin"))
    top = signed(items, "top", "difference", kind[2])
    assert row["top_minus"] == pytest.approx(top - row["signed"])


@pytest.mark.parametrize(
    ("mask", "draws"), [("random", 4), ("swap", 3), ("matched", 3)]
)
def test_the_spread_over_draws_is_that_of_single_draws(controls, items_of, mask, draws):
    selector = mask if mask != "swap" else "difference"
    each = [
        signed(items_of(MODEL), mask, selector, "zero", [draw]) for draw in range(draws)
    ]
    row = controls.loc[(MODEL, mask, selector, "zero")]
    assert row["draws"] == draws
    assert row["draw_sd"] == pytest.approx(np.std(each, ddof=1))
    assert np.isnan(controls.loc[(MODEL, "top", "difference", "zero"), "draw_sd"])


def test_every_kind_of_the_control_models_has_a_row(controls):
    masks = set(controls.loc[MODEL].index.get_level_values("mask"))
    assert masks == {"top", "top-insample", "random", *CONTROL_MASKS}
    top = controls.loc[(MODEL, "top")].index
    assert {(s, "zero") for s in SELECTORS} <= set(top)
    assert {("difference", a) for a in REPLACEMENTS} <= set(top)
    bare = set(controls.loc["gpt2-16"].index.get_level_values("mask"))
    assert bare == {"top", "top-insample", "random", "swap"}


def test_means_are_over_the_primary_models_that_have_the_mask(controls):
    kind = ("matched", "matched", "zero")
    names = ["gpt2-128", "llama-128", "llama-32", "neox-64"]
    each = [controls.loc[(name, *kind), "signed"] for name in names]
    row = controls.loc[(ALL, *kind)]
    assert row["n_models"] == 4
    assert row["signed"] == pytest.approx(np.mean(each))
    assert row["signed_low"] < row["signed"] < row["signed_high"]
    assert np.isfinite(row["log_odds"])
    assert controls.loc[(ALL, "top", "difference", "zero"), "n_models"] == 11


def test_made_up_specificity_is_found_beyond_its_controls(found):
    estimates = found["estimates"].set_index("id")
    for name in ("random", "swap", "swap-other", "matched", "shuffled"):
        assert estimates.loc[f"specificity.top-minus-{name}", "estimate_low"] > 0.02
    for name in ("cross-format-minus-random", "mean.top-minus-random"):
        assert estimates.loc[f"specificity.{name}", "estimate_low"] > 0.02
    assert estimates.loc["specificity.log-odds", "estimate_low"] > 0.2
    assert abs(estimates.loc["specificity.log-odds.random", "estimate"]) < 0.2
    half = estimates.loc["specificity.undifferenced", "estimate"]
    assert 0 < half < estimates.loc["specificity.top", "estimate"]


def test_the_selector_of_the_study_is_the_one_that_is_reported(study, items_of):
    other = study_of(study.records, 50, 0, "attribution")
    record = next(r for r in other.records if r.card.model == MODEL)
    found = other.effects(record, "top").signed[0]
    items = items_of(MODEL)
    assert found == pytest.approx(signed(items, "top", "attribution", "zero"))
    bare = next(r for r in other.records if r.card.model == "gpt2-16")
    assert np.isnan(other.effects(bare, "top").signed).all()
