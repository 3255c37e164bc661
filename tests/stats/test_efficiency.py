import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraspec.core.table import checked
from paraspec.core.tables.per_model import EFFICIENCY
from paraspec.stats.efficiency import (
    NO_KEEP,
    NOT_POSITIVE,
    efficiency_table,
    k50,
    keep50,
    relative_area,
)
from paraspec.stats.items import summed

GRID = np.array([0.0, 0.1, 0.2, 0.5])


@pytest.mark.parametrize(
    ("margins", "at", "censored"),
    [
        ([4, 3, 1, 0], 0.15, False),  # 2 is halfway between 3 and 1
        ([4, 2, 1, 0], 0.1, False),  # exactly half at a grid point
        ([4, 4, 4, 3], 0.5, True),
        ([4, 1, 3, 0], 0.1, False),  # 1 and 3 pool to 2, reached at .1
        ([4, 6, 1, 0], 0.175, False),  # 4 and 6 pool to 5; half is 2
        ([4, -2, -3, -4], 0.1 / 3, False),
    ],
)
def test_k50_by_hand(margins, at, censored):
    found = k50(GRID, np.array(margins, float))
    assert found.at == pytest.approx(at)
    assert found.censored is censored


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=3), st.floats(0.1, 10))
def test_k50_lies_on_the_grid_and_ignores_units(rest, first):
    margins = np.array([first, *rest])
    found = k50(GRID, margins)
    assert 0 <= found.at <= 0.5
    assert k50(GRID, 4 * margins).at == pytest.approx(found.at)
    assert found.at == 0.5 if found.censored else found.at > 0


def test_keep50_by_hand():
    shares = np.array([0.1, 0.5, 1.0])
    assert keep50(shares, np.array([0.0, 1.0, 4.0])).at == pytest.approx(2 / 3)
    above = keep50(shares, np.array([3.0, 3.0, 4.0]))
    assert (above.at, above.censored) == (pytest.approx(0.1), True)


def test_area_is_one_where_nothing_changes():
    assert relative_area(GRID, np.full(4, 3.0), 3.0) == pytest.approx(1)
    halves = np.array([2.0, 1.0, 1.0, 1.0])
    assert relative_area(GRID, halves, 2.0) == pytest.approx((0.075 + 0.2) / 0.5)


@pytest.fixture(scope="module")
def table(items):
    return efficiency_table(summed(items), summed(items, ablation="keep"))


def test_one_row_per_concept_and_mask(items, table):
    assert len(table) == 2 * items["concept"].nunique()
    assert len(checked(table, EFFICIENCY)) == len(table)


def test_a_concept_equals_a_computation_from_its_items(items, table):
    concept = table.iloc[4]["concept"]
    rows = items[(items["concept"] == concept) & (items["set"] == "concept")]
    plain = rows[rows["mask"] == "none"]
    top = rows[(rows["mask"] == "top") & (rows["ablation"] == "zero")]
    curve = top.groupby("ratio")["margin"].mean()
    margins = np.array([plain["margin"].mean(), *curve])
    ratios = np.array([0.0, *curve.index])
    row = table[(table["concept"] == concept) & (table["mask"] == "top")].iloc[0]
    half = margins[0] / 2
    place = int(np.argmax(margins <= half))
    share = (margins[place - 1] - half) / (margins[place - 1] - margins[place])
    expected = ratios[place - 1] + share * (ratios[place] - ratios[place - 1])
    assert row["k50"] == pytest.approx(expected)
    assert row["accuracy"] == pytest.approx(plain["correct"].mean())
    assert row["known"] == (plain["correct"].mean() >= 0.7)
    area = np.trapezoid(margins / margins[0], ratios) / ratios[-1]
    assert row["knockout_auc"] == pytest.approx(area)


def test_the_top_mask_halves_the_margin_sooner_than_the_random_one(table):
    wide = table[table["known"]].pivot_table(
        index="concept", columns="mask", values="k50"
    )
    assert (wide["top"] < wide["random"]).all()
    assert table.loc[table["mask"] == "random", "censored"].all()


def test_a_margin_that_is_not_positive_is_nan_and_a_reason(items):
    table = efficiency_table(summed(items.assign(margin=-1.0)), None)
    assert table[["k50", "knockout_auc", "keep50", "keep_auc"]].isna().all(axis=None)
    assert (table["reason"] == NOT_POSITIVE).all()
    assert not table["censored"].any()


def test_without_keep_rows_only_those_columns_are_nan(items):
    table = efficiency_table(summed(items), None)
    positive = table[table["margin"] > 0]
    assert positive["k50"].notna().all()
    assert (positive["reason"] == NO_KEEP).all()


def test_areas_use_the_ratios_that_both_masks_share(items):
    few = items[~((items["mask"] == "random") & (items["ratio"] > 0.1))]
    table = efficiency_table(summed(few), None)
    full = efficiency_table(summed(items), None)
    top = table["mask"] == "top"
    assert (table.loc[top, "k50"].dropna() == full.loc[top, "k50"].dropna()).all()
    assert (table.loc[top, "knockout_auc"] > full.loc[top, "knockout_auc"]).all()
