import numpy as np
import pytest

from paraspec.core.errors import UserError
from paraspec.stats.items import AFTER, BEFORE, MARGIN_BEFORE, N, aligned, summed


def test_the_unmasked_cell_comes_first_and_is_its_own_baseline(items):
    measured = summed(items)
    assert measured.cells[0].mask == "none"
    assert measured.cells[0].ratio == 0
    sums = measured.sums[0]
    np.testing.assert_array_equal(sums[..., BEFORE, :], sums[..., AFTER, :])


def test_masked_answers_are_paired_with_unmasked_ones_to_the_same_items(items):
    measured = summed(items)
    plain = items[items["mask"] == "none"].set_index(["concept", "item"])
    rows = items[
        (items["mask"] == "top")
        & (items["ablation"] == "zero")
        & (items["set"] == "concept")
    ]
    rows = rows[np.isclose(rows["ratio"], 0.1)]
    before = plain.loc[list(zip(rows["concept"], rows["item"], strict=True))]
    own = measured.own(measured.find("top", 0.1))
    assert own[BEFORE].sum() == before["correct"].sum()
    assert own[MARGIN_BEFORE].sum() == pytest.approx(before["margin"].sum())
    assert own[N].sum() == len(rows)


def test_sums_do_not_depend_on_the_order_of_rows(items):
    shuffled = items.sample(frac=1, random_state=0)
    first, second = summed(items), summed(shuffled)
    assert first.cells == second.cells
    assert list(first.concepts.index) == list(second.concepts.index)
    np.testing.assert_allclose(first.sums, second.sums)


def test_sums_do_not_depend_on_the_order_of_categories(items):
    odd = items.assign(
        concept=items["concept"].cat.reorder_categories(
            list(items["concept"].cat.categories[::-1])
        )
    )
    np.testing.assert_allclose(summed(items).sums, summed(odd).sums)


def test_draws_are_counted_and_pooled(items):
    measured = summed(items)
    cell = measured.find("random", 0.1)
    assert measured.cells[cell].draws == 4
    assert measured.own(cell)[N].sum() == 4 * measured.own()[N].sum()


def test_keep_rows_stay_apart(items):
    kept = summed(items, ablation="keep")
    assert {cell.ratio for cell in kept.cells} == {0.0, 0.25, 0.5, 0.75}
    assert summed(items).find("top", 0.25) is None


def test_general_items_of_both_kinships_make_all(items):
    measured = summed(items)
    cell = measured.find("top", 0.1)
    parts = [
        measured.totals(cell, kin)[1] for kin in ("same-category", "other-category")
    ]
    np.testing.assert_allclose(measured.totals(cell, "all")[1], sum(parts))


def test_a_concept_without_general_items_counts_in_neither_set(items):
    name = items["concept"].iloc[0]
    lone = items[(items["concept"] != name) | (items["set"] == "concept")]
    measured = summed(lone)
    index = list(measured.concepts.index).index(name)
    totals = measured.totals(measured.find("top", 0.1))
    assert not totals[..., index].any()
    assert (totals[:, N].sum(axis=0) > 0).sum() == len(measured.concepts) - 1


def test_origin_splits_the_sums(items):
    derived = {item for item in items["item"].unique() if item.endswith(".r0")}
    measured = summed(items, derived)
    assert measured.has_origins
    own = measured.own(0, origin="country-derived")
    assert own[N].sum() == items["concept"].nunique()
    both = own + measured.own(0, origin="own")
    np.testing.assert_allclose(both, measured.own())


def test_alignment_adds_empty_concepts_and_keeps_totals(items):
    measured = summed(items)
    concepts = ["aaa", *measured.concepts.index[::-1]]
    put = aligned(measured, concepts)
    assert list(put.concepts.index) == concepts
    assert not put.own()[:, 0].any()
    np.testing.assert_allclose(put.own()[:, 1:], measured.own()[:, ::-1])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda f: f.assign(model=np.where(f["draw"] > 0, "a", "b")), "column model"),
        (lambda f: f.assign(scorer=np.where(f["draw"] > 0, "a", "b")), "column scorer"),
        (lambda f: f.iloc[:0], "nothing"),
        (lambda f: f[(f["mask"] != "none") | (f["half"] == "A")], "no unmasked answer"),
        (lambda f: f.assign(mask="none"), "answered twice"),
    ],
)
def test_bad_items_are_named(items, change, fault):
    with pytest.raises(UserError, match=fault):
        summed(change(items))
