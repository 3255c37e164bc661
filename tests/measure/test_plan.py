"""Which mask is on while which item is answered."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from paraspec.core.config import ControlsConfig
from paraspec.core.definitions import CONTROL_MASKS, SELECTORS
from paraspec.measure.extract import HALVES
from paraspec.measure.plan import (
    NO_DONORS,
    Donors,
    Grid,
    masks_of,
    swap_donors,
)
from paraspec.measure.ranked import UNRANKED
from paraspec.measure.rankings import counts
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
    donors = Donors((donor,)) if donor else NO_DONORS
    masks = masks_of("c", donors, grid)
    return rows_of(masks, ASKED, lambda _, ratio: counts(ratio, sizes))


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
        for m in masks_of("c", Donors(("d",)), grid)
    ]
    by = "difference"
    own = [("c", "B", by, 0), "A"], [("c", "A", by, 0), "B"]
    drawn = [
        [[("c", half, "random", draw), on] for half, on in ("BA", "AB")]
        for draw in (0, 1)
    ]
    assert found == [
        ("none", "-", 0.0, ("-", "-", "-", 0), "AB", True),
        *(("top", "zero", 0.05, *where, False) for where in own),
        *(("random", "zero", 0.05, *where, False) for where in drawn[0]),
        *(("top", "zero", 0.1, *where, True) for where in own),
        *(("random", "zero", 0.1, *where, True) for where in drawn[0]),
        *(("random", "zero", 0.1, *where, True) for where in drawn[1]),
        ("top-insample", "zero", 0.1, ("c", "AB", by, 0), "AB", True),
        ("swap", "zero", 0.1, ("d", "B", by, 0), "A", True),
        ("swap", "zero", 0.1, ("d", "A", by, 0), "B", True),
        *(("top", "keep", 0.5, *where, False) for where in own),
        *(("random", "keep", 0.5, *where, False) for where in drawn[0]),
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
def test_swap_donors_are_others_of_the_same_and_of_other_categories(categories, seed):
    donors = swap_donors(categories, seed, draws=2)
    more = categories | {"new": "x", "newer": "y"}
    with_added = swap_donors(more, seed, {"new", "newer"}, draws=2)
    assert {c: with_added[c] for c in categories} == donors
    again = swap_donors(dict(reversed(categories.items())), seed, draws=2)
    assert donors == again
    one = swap_donors(categories, seed)
    for concept, category in categories.items():
        mates = {c for c, k in categories.items() if k == category and c != concept}
        strangers = {c for c, k in categories.items() if k != category}
        for drawn, pool in (
            (donors[concept].same, mates),
            (donors[concept].other, strangers),
        ):
            assert len(set(drawn)) == len(drawn) == min(2, len(pool))
            assert set(drawn) <= pool
        assert one[concept].same == donors[concept].same[:1]


def controlled(**changes):
    controls = ControlsConfig(draws=2, **changes)
    return Grid((0.05, 0.1), (0.05, 0.1), (), 0.1, 2, controls)


DONORS = Donors(("d", "e", "f"), ("x", "y"))


def test_control_models_get_every_control_at_the_primary_ratio_alone():
    plain = {m for m in masks_of("c", DONORS, controlled()) if m.ratio == 0.05}
    assert {m.kind for m in plain} == {"top", "random"}
    found = [m for m in masks_of("c", DONORS, controlled()) if m.ratio == 0.1]
    draws = Counter((m.kind, m.selector, m.ablation, m.halves) for m in found)
    for kind in CONTROL_MASKS:
        n = 2 if kind in ("swap", "swap-other", "matched", "shuffled") else 1
        by = "difference" if kind in ("swap", "swap-other") else kind
        assert draws.pop((kind, by, "zero", "A")) == n
        assert draws.pop((kind, by, "zero", "B")) == n
    for selector in SELECTORS:
        for half in HALVES:
            assert draws.pop(("top", selector, "zero", half)) == 1
    for replacement in ("mean", "unrelated-mean"):
        for half in HALVES:
            assert draws.pop(("top", "difference", replacement, half)) == 1
            assert draws.pop(("random", "random", replacement, half)) == 1
    assert {name[0] for name in draws} == {"random", "top-insample"}
    swaps = [(m.draw, m.donor) for m in found if m.kind == "swap" and m.halves == "A"]
    assert swaps == [(0, "d"), (1, "e")]


def test_which_controls_run_is_the_configuration():
    few = controlled(masks=("matched",), replacements=(), selectors=("difference",))
    kinds = {(m.kind, m.selector) for m in masks_of("c", DONORS, few)}
    assert kinds == {
        ("none", "-"),
        ("top", "difference"),
        ("random", "random"),
        ("top-insample", "difference"),
        ("swap", "difference"),
        ("matched", "matched"),
    }


def test_crossed_models_are_asked_under_every_other_concepts_mask():
    grid = Grid((0.1,), (0.1,), (), 0.1, 1, None, ("b", "c", "d"))
    found = [m for m in masks_of("c", DONORS, grid) if m.kind == "cross"]
    assert {(m.donor, m.ranking.concept) for m in found} == {("b", "b"), ("d", "d")}
    assert {m.concept for m in found} == {"c"} and not any(m.general for m in found)
