"""Selectors, overlaps, collateral damage and the other tables beside the answers."""

import numpy as np
import pytest
from scipy.stats import entropy

from paraspec.core.definitions import ALL, SELECTORS
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.measured import COLLATERAL
from paraspec.core.tables.per_model import OVERLAP, PLANTED, SELECTION

MODEL = "llama-128"
CONTROLS = ["gpt2-128", "llama-128", "llama-32", "neox-64"]


@pytest.fixture(scope="module")
def table_of(folder):
    files = StudyFiles(folder)
    return lambda model, name, table: read_table(files.measure(model, name), table)


def known(rows):
    return rows[rows["concept"].str.startswith("concept-")]


def test_a_selectors_row_is_the_mean_over_concepts(found, table_of):
    rows = found["selectors"].set_index(["model", "selector"])
    selection = known(table_of(MODEL, "selection.csv", SELECTION))
    means = selection.groupby("selector")[["reliability", "gini", "chance"]].mean()
    controls = found["controls"].set_index(["model", "mask", "selector", "ablation"])
    for selector in SELECTORS:
        row = rows.loc[(MODEL, selector)]
        for name in ("reliability", "gini", "chance"):
            assert row[name] == pytest.approx(means.loc[selector, name], abs=1e-5)
        assert row["reliability_low"] < row["reliability"] < row["reliability_high"]
        mask = controls.loc[(MODEL, "top", selector, "zero")]
        assert row["signed"] == pytest.approx(mask["signed"])
        random = controls.loc[(MODEL, "random", "random", "zero"), "signed"]
        assert row["top_minus_random"] == pytest.approx(row["signed"] - random)


def test_recall_counts_planted_vectors_and_stands_with_the_planted_model(
    found, table_of
):
    rows = found["selectors"].set_index(["model", "selector"])
    planted = table_of(MODEL, "planted.csv", PLANTED)
    part = planted[planted["selector"] == "t-statistic"]
    found_vectors = (part["recall"] * part["n_planted"]).sum()
    expected = found_vectors / part["n_planted"].sum()
    assert rows.loc[(MODEL, "t-statistic"), "recall"] == pytest.approx(expected)
    assert rows.loc[(ALL, "t-statistic"), "recall"] == pytest.approx(expected)
    assert np.isfinite(rows.loc[(MODEL, "random"), "recall"])
    assert np.isnan(rows.loc[("gpt2-128", "t-statistic"), "recall"])


def test_means_are_over_the_models_that_have_the_selector(found):
    rows = found["selectors"].set_index(["model", "selector"])
    each = [rows.loc[(name, "global"), "signed"] for name in CONTROLS]
    assert rows.loc[(ALL, "global"), "signed"] == pytest.approx(np.mean(each))
    assert rows.loc[(ALL, "global"), "n_models"] == 4
    assert rows.loc[(ALL, "difference"), "n_models"] == 11
    assert ("gpt2-16", "global") not in rows.index


def test_overlaps_are_means_over_control_models(found, table_of):
    rows = found["overlaps"].set_index(["selector", "other"])
    each = [table_of(name, "overlap.csv", OVERLAP) for name in CONTROLS]
    pair = ("difference", "global")
    values = [one.set_index(["selector", "other"]).loc[pair, "jaccard"] for one in each]
    assert rows.loc[pair, "jaccard"] == pytest.approx(np.mean(values))
    assert len(rows) == len(SELECTORS) * (len(SELECTORS) - 1) / 2
    assert (rows["n_models"] == 4).all()


def test_neutral_loss_is_the_mean_over_concepts(found, table_of):
    key = ["model", "mask", "selector", "ablation"]
    row = (
        found["collateral_damage"]
        .set_index(key)
        .loc[(MODEL, "matched", "matched", "zero")]
    )
    rows = known(
        table_of(MODEL, "collateral.parquet", COLLATERAL).astype({"concept": "str"})
    )
    masked = rows[(rows["mask"] == "matched")].groupby("concept")["loss"].mean()
    plain = rows[rows["mask"] == "none"].groupby("concept")["loss"].mean()
    assert row["loss"] == pytest.approx(masked.mean())
    assert row["loss_change"] == pytest.approx((masked - plain).mean())
    assert row["perplexity_ratio"] == pytest.approx(np.exp(row["loss_change"]))
    assert row["loss_change_low"] < 0.05 < row["loss_change_high"]


def test_answers_are_described_by_the_entropy_of_their_positions(found, items_of):
    key = ["model", "mask", "selector", "ablation"]
    rows = found["collateral_damage"].set_index(key)
    items = items_of(MODEL)
    own = items[(items["set"] == "concept") & (items["ablation"] == "zero")]
    top = own[(own["mask"] == "top") & np.isclose(own["ratio"], 0.1)]
    top = top[top["selector"] == "difference"]
    row = rows.loc[(MODEL, "top", "difference", "zero")]
    counts = top["predicted"].value_counts()
    assert row["entropy"] == pytest.approx(entropy(counts, base=2))
    assert 1.9 < row["entropy_before"] <= 2
    assert row["unparsed"] == 0


def test_models_that_read_no_neutral_text_have_a_reason_and_are_not_in_the_mean(found):
    key = ["model", "mask", "selector", "ablation"]
    rows = found["collateral_damage"].set_index(key)
    kind = ("top", "difference", "zero")
    bare = rows.loc[("gpt2-16", *kind)]
    assert np.isnan(bare["loss"])
    assert bare["reason"] == "no neutral text was read under it"
    pooled = rows.loc[(ALL, *kind)]
    assert pooled["n_models"] == 4
    each = [rows.loc[(name, *kind), "loss_change"] for name in CONTROLS]
    assert pooled["loss_change"] == pytest.approx(np.mean(each))
    estimates = found["estimates"].set_index("id")
    assert estimates.loc["collateral.top", "estimate"] == pytest.approx(np.mean(each))
    assert abs(estimates.loc["collateral.top-minus-random", "estimate"]) < 0.01


def test_the_diagonal_of_the_cross_table_stands_out(found):
    rows = found["cross"]
    assert set(rows["model"]) == {"gpt2-128"}
    assert len(rows) == 18 * 18
    assert (rows["n_items"] == 10).all()
    own = rows["concept"] == rows["donor"]
    assert rows.loc[own, "drop"].mean() > rows.loc[~own, "drop"].mean() + 0.1
    top = found["controls"].set_index(["model", "mask", "selector", "ablation"])
    assert (top.loc[("gpt2-128", "top", "difference", "zero"), "n_concepts"]) == 18
    same = rows[rows["category"] == rows["donor_category"]]
    assert len(same) == 3 * 6 * 6
