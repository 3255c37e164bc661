"""Which mask is on while which item is answered."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from paraspec.measure.extract import HALVES
from paraspec.measure.plan import (
    Grid,
    masks_of,
    swap_donors,
)
from paraspec.measure.ranked import UNRANKED
from paraspec.measure.score import Asked, n_distinct, rows_of

ratios = st.lists(
    st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.5]), min_size=1, unique=True
).map(lambda r: tuple(sorted(r)))


@st.composite
def grids(draw):
    own = tuple(r for r in draw(ratios) if r > 0)
    general = tuple(r for r in own if draw(st.booleans()))
    return Grid(own, general, (0.1, 0.9), 0.1, draw(st.integers(1, 3)))


ASKED = [
    *(Asked(f"c.r{i}", "concept", "own", HALVES[i % 2]) for i in range(4)),
    *(Asked(f"g{i}", "general", "same-category", HALVES[i // 2 % 2]) for i in range(6)),
]


def rows(grid, donor="mate", sizes=(20, 40)):
    return rows_of(masks_of("c", donor, grid), ASKED, sizes)


@given(grids(), st.sampled_from([None, "mate"]))
def test_a_mask_is_never_selected_on_the_half_it_is_evaluated_on(grid, donor):
    for row in rows(grid, donor):
        halves = row.mask.ranking.halves
        assert row.asked.half in row.mask.halves
        if row.mask.kind == "none":
            assert row.mask.ranking == UNRANKED
        elif row.mask.kind == "top-insample":
            assert halves == "AB"
        else:
            assert halves == ("B" if row.asked.half == "A" else "A")


@given(grids(), st.sampled_from([None, "mate"]))
def test_each_item_is_answered_once_per_mask_draw_and_ratio(grid, donor):
    found = rows(grid, donor)
    key = Counter(
        (r.mask.kind, r.mask.ablation, r.mask.draw, r.mask.ratio, r.asked.item)
        for r in found
    )
    assert set(key.values()) <= {1}
    own = Counter(k[:4] for k in key if k[4].startswith("c."))
    assert set(own.values()) == {4}
    general = Counter(k[:4] for k in key if k[4].startswith("g"))
    assert set(general.values()) == {6}
    expected = set(grid.general_ratios)
    seen = {k[3] for k in general if k[:3] == ("top", "zero", 0)}
    assert seen == expected
    draws = {k[2] for k in own if k[0] == "random" and k[1] == "zero"}
    wanted = set(range(1, grid.draws)) | ({0} if grid.ratios else set())
    assert draws == wanted


def test_the_whole_list_of_masks_of_a_small_grid():
    grid = Grid((0.05, 0.1), (0.1,), (0.5,), 0.1, 2)
    found = [
        (m.kind, m.ablation, m.ratio, tuple(m.ranking), m.halves, m.general)
        for m in masks_of("c", "d", grid)
    ]
    own = [("c", "B", None), "A"], [("c", "A", None), "B"]
    drawn = (
        [[("c", "B", i), "A"] for i in (0, 1)],
        [[("c", "A", i), "B"] for i in (0, 1)],
    )
    assert found == [
        ("none", "-", 0.0, ("-", "-", None), "AB", True),
        *(("top", "zero", 0.05, *where, False) for where in own),
        *(("random", "zero", 0.05, *where[0], False) for where in drawn),
        *(("top", "zero", 0.1, *where, True) for where in own),
        *(("random", "zero", 0.1, *where[0], True) for where in drawn),
        *(("random", "zero", 0.1, *where[1], True) for where in drawn),
        ("top-insample", "zero", 0.1, ("c", "AB", None), "AB", True),
        ("swap", "zero", 0.1, ("d", "B", None), "A", True),
        ("swap", "zero", 0.1, ("d", "A", None), "B", True),
        *(("top", "keep", 0.5, *where, False) for where in own),
        *(("random", "keep", 0.5, *where[0], False) for where in drawn),
    ]


def test_masks_that_select_nothing_are_left_out_but_the_empty_one_stays():
    grid = Grid((0.01, 0.1), (0.01,), (), 0.1, 1)
    found = {(r.mask.kind, r.mask.ratio) for r in rows(grid, None, sizes=(20, 40))}
    assert found == {
        ("none", 0.0),
        ("top", 0.1),
        ("random", 0.1),
        ("top-insample", 0.1),
    }
    assert {r.applied.k for r in rows(grid, None) if r.mask.kind == "none"} == {(0, 0)}
    some = rows(grid, None, sizes=(20, 50))
    assert {r.applied.k for r in some if r.mask.ratio == 0.01} == {(0, 1)}


def test_ratios_that_select_equally_many_are_answered_once():
    twice = Grid((0.1, 0.11), (), (), 0.1, 1)
    once = Grid((0.1,), (), (), 0.1, 1)
    assert len(rows(twice, None)) > len(rows(once, None))
    assert n_distinct(rows(twice, None)) == n_distinct(rows(once, None))


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        st.sampled_from(["country", "city"]),
        max_size=12,
    ),
    st.integers(0, 5),
)
def test_swap_donors_are_others_of_the_same_category(categories, seed):
    donors = swap_donors(categories, seed)
    more = categories | {"new": "x", "newer": "y"}
    with_added = swap_donors(more, seed, added={"new", "newer"})
    assert {c: with_added.get(c) for c in categories} == {
        c: donors.get(c) for c in categories
    }
    assert donors == swap_donors(dict(reversed(categories.items())), seed)
    for concept, category in categories.items():
        mates = [c for c, k in categories.items() if k == category and c != concept]
        assert (concept in donors) == bool(mates)
        if mates:
            assert donors[concept] in mates
