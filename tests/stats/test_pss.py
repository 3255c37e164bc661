"""The PSS table against plain pandas on the items themselves."""

import time

import numpy as np
import pytest

from paraspec.core.table import checked
from paraspec.core.tables.per_model import PSS
from paraspec.stats.effects import NO_GENERAL
from paraspec.stats.items import KINSHIPS, summed
from paraspec.stats.pss import concept_weights, pss_table

SEED, DRAWS = 3, 120


@pytest.fixture(scope="module")
def table(items):
    return pss_table(summed(items), DRAWS, SEED)


def part(items, mask, ratio, kind, kinship="same-category", half=None):
    rows = items[(items["mask"] == mask) & items["ablation"].isin(["-", "zero"])]
    rows = rows[rows["selector"].isin(["-", "difference", mask])]
    rows = rows[np.isclose(rows["ratio"], ratio) & (rows["set"] == kind)]
    if kind == "general" and kinship != "all":
        rows = rows[rows["kinship"] == kinship]
    return rows if half is None else rows[rows["half"] == half]


def naive(items, mask, ratio, kinship="same-category", half=None):
    """PSS and signed effect, step by step."""
    mean = {
        (when, kind): part(items, *which, kind, kinship, half)["correct"].mean()
        for when, which in (("before", ("none", 0.0)), ("after", (mask, ratio)))
        for kind in ("concept", "general")
    }
    s0, g0 = mean["before", "concept"], mean["before", "general"]
    s1, g1 = mean["after", "concept"], mean["after", "general"]
    return abs(g1 - s1) / g0, (s0 - s1) - (g0 - g1)


def row_of(table, mask, ratio, kinship="same-category"):
    rows = table[(table["mask"] == mask) & (table["kinship"] == kinship)]
    rows = rows[(rows["at"] == "ratio") & np.isclose(rows["ratio"], ratio)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("kinship", KINSHIPS)
@pytest.mark.parametrize(
    ("mask", "ratio"),
    [
        ("top", 0.05),
        ("top", 0.2),
        ("random", 0.1),
        ("swap", 0.1),
        ("top-insample", 0.1),
    ],
)
def test_rows_equal_plain_means(items, table, mask, ratio, kinship):
    row = row_of(table, mask, ratio, kinship)
    pss, signed = naive(items, mask, ratio, kinship)
    assert row["pss"] == pytest.approx(pss)
    assert row["signed"] == pytest.approx(signed)
    general = part(items, mask, ratio, "general", kinship)
    assert row["n_general_items"] == len(general)
    assert row["n_concept_items"] == len(part(items, mask, ratio, "concept"))
    assert row["general_after"] == pytest.approx(general["correct"].mean())


def test_the_other_columns_equal_plain_means(items, table):
    row = row_of(table, "top", 0.1)
    plain = items[items["mask"] == "none"]
    overall = plain.drop_duplicates("item")["correct"].mean()
    after = [
        part(items, "top", 0.1, k)["correct"].mean() for k in ("concept", "general")
    ]
    assert row["overall_before"] == pytest.approx(overall)
    assert row["pss_overall"] == pytest.approx(abs(after[1] - after[0]) / overall)
    assert row["signed_floor"] == pytest.approx(row["signed"] / 0.7)
    margins = [
        part(items, *w, k)["margin"].mean()
        for k in ("concept", "general")
        for w in (("none", 0.0), ("top", 0.1))
    ]
    expected = (margins[0] - margins[1]) - (margins[2] - margins[3])
    assert row["signed_margin"] == pytest.approx(expected)


def test_rows_exist_only_where_both_sets_were_asked(table):
    top = table[(table["mask"] == "top") & (table["at"] == "ratio")]
    assert set(top["ratio"]) == {0.05, 0.1, 0.2}
    assert set(table["kinship"]) == set(KINSHIPS)
    assert "none" not in set(table["mask"])


def test_the_interval_is_that_of_a_loop_over_resampled_concepts(items, table):
    concepts = sorted(items["concept"].unique())
    weights = concept_weights(len(concepts), DRAWS, SEED)[1:]
    cells = {
        (mask, kind): part(items, mask, ratio, kind).groupby("concept", observed=True)
        for mask, ratio in (("none", 0.0), ("top", 0.1))
        for kind in ("concept", "general")
    }
    right = {k: g["correct"].sum().reindex(concepts) for k, g in cells.items()}
    asked = {k: g.size().reindex(concepts) for k, g in cells.items()}
    signed = []
    for weight in weights:
        picked = [
            c for c, w in zip(concepts, weight, strict=True) for _ in range(int(w))
        ]
        a = {k: right[k][picked].sum() / asked[k][picked].sum() for k in cells}
        own = a["none", "concept"] - a["top", "concept"]
        signed.append(own - (a["none", "general"] - a["top", "general"]))
    low, high = np.quantile(signed, [0.025, 0.975])
    row = row_of(table, "top", 0.1)
    assert row["signed_low"] == pytest.approx(low)
    assert row["signed_high"] == pytest.approx(high)


def test_the_peak_is_evaluated_on_the_half_that_did_not_choose_it(items, table):
    ratios = (0.05, 0.1, 0.2)
    by_half = {h: [naive(items, "top", r, half=h)[0] for r in ratios] for h in "AB"}
    chosen = {h: int(np.argmax(values)) for h, values in by_half.items()}
    expected = (by_half["B"][chosen["A"]] + by_half["A"][chosen["B"]]) / 2
    peaks = table[(table["at"] == "peak") & (table["kinship"] == "same-category")]
    row = peaks[peaks["mask"] == "top"].iloc[0]
    assert row["pss"] == pytest.approx(expected)
    assert row["ratio"] == pytest.approx(np.mean([ratios[c] for c in chosen.values()]))
    assert "swap" not in set(peaks["mask"])


def test_the_known_effect_lies_in_its_interval(table):
    row = row_of(table, "top", 0.1)
    expected = 0.8 * (0.4 - 0.05)
    assert row["signed_low"] < expected < row["signed_high"]
    random = row_of(table, "random", 0.1)
    assert abs(random["signed"]) < 0.03


def test_the_table_is_as_described(table):
    assert len(checked(table, PSS)) == len(table)


def test_seeds_are_names_not_places(items):
    again = pss_table(summed(items.sample(frac=1, random_state=1)), DRAWS, SEED)
    first = pss_table(summed(items), DRAWS, SEED)
    assert again["signed_low"].tolist() == pytest.approx(first["signed_low"].tolist())


def test_no_general_accuracy_is_nan_and_a_reason_never_a_crash(items):
    wrong = items.assign(correct=items["correct"] & (items["set"] == "concept"))
    table = pss_table(summed(wrong), DRAWS, SEED)
    grid = table[table["at"] == "ratio"]
    assert grid["pss"].isna().all()
    assert (grid["reason"] == NO_GENERAL).all()
    assert grid["signed"].notna().all()


def test_two_concepts_have_estimates_without_intervals(items):
    some = items[items["concept"].isin(sorted(items["concept"].unique())[:2])]
    table = pss_table(summed(some), DRAWS, SEED)
    assert table["signed"].notna().any()
    assert table["signed_low"].isna().all()


def test_two_thousand_draws_take_less_than_two_seconds(items):
    measured = summed(items)
    start = time.process_time()
    pss_table(measured, 2000, SEED)
    assert time.process_time() - start < 2
