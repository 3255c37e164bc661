import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraspec.stats.effects import (
    NO_GENERAL,
    NO_GENERAL_CHANCE,
    NO_ROWS,
    effects,
    reason,
)

EMPTY = [0.0] * 8


def sums(n, before, after, chance=0.25, floor=0.3, margins=(2.0, 1.0), kept=None):
    kept = min(before, after) if kept is None else kept
    bases = [chance * n, floor * n, margins[0] * n, margins[1] * n]
    return [n, before, after, *bases, kept]


def test_every_quantity_by_hand():
    # S: .8 to .3, G: .7 to .6; chance .25, floor .3 and .2; of what was right, 2 of 8
    # own items stay right and 11 of 14 general ones.
    own = sums(10, 8, 3, margins=(2.0, 0.5), kept=2)
    general = sums(20, 14, 12, floor=0.2, margins=(2.0, 1.5), kept=11)
    found = effects(np.array([own, general]), overall=0.75)
    assert found.pss == pytest.approx(abs(0.6 - 0.3) / 0.7)
    assert found.pss_overall == pytest.approx(0.3 / 0.75)
    assert found.pss_chance == pytest.approx((0.3 / 0.75) / (0.45 / 0.75))
    assert found.signed == pytest.approx(0.5 - 0.1)
    assert found.signed_chance == pytest.approx(0.4 / 0.75)
    assert found.signed_floor == pytest.approx(0.5 / 0.7 - 0.1 / 0.8)
    assert found.signed_margin == pytest.approx(1.5 - 0.5)
    assert found.signed_known == pytest.approx(6 / 8 - 3 / 14)
    assert found.general_change == pytest.approx(-0.1)
    assert reason(found) == ""


def test_accuracy_zero_is_undefined_with_a_reason():
    found = effects(np.array([sums(10, 5, 2), sums(10, 0, 0)]))
    assert np.isnan(found.pss)
    assert found.signed == pytest.approx(0.3)
    assert reason(found) == NO_GENERAL


def test_general_accuracy_at_chance_has_no_chance_corrected_pss():
    found = effects(np.array([sums(8, 4, 2), sums(8, 2, 2)]))
    assert np.isnan(found.pss_chance)
    assert np.isfinite(found.pss)
    assert reason(found) == NO_GENERAL_CHANCE


def test_no_items_is_undefined_with_a_reason():
    assert reason(effects(np.array([EMPTY, EMPTY]))) == NO_ROWS


counts = st.integers(1, 50).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n))
)


@given(counts, counts)
def test_bounds(own, general):
    found = effects(np.array([sums(*own), sums(*general)]))
    assert -2 <= found.signed <= 2
    if general[1]:
        assert 0 <= found.pss <= 1 / found.general_before
    else:
        assert np.isnan(found.pss)


@given(counts, counts)
def test_a_mask_that_does_nothing_has_no_signed_effect(own, general):
    still = [sums(n, before, before, margins=(1, 1)) for n, before, _ in (own, general)]
    found = effects(np.array(still))
    assert found.signed == 0
    assert found.signed_floor == 0
    assert found.signed_margin == 0
    assert found.general_change == 0


@given(counts)
def test_a_mask_that_does_nothing_has_no_pss_where_baselines_are_equal(own):
    n, before, _ = own
    still = sums(n, before, before)
    found = effects(np.array([still, still]))
    assert found.pss == 0 if before else np.isnan(found.pss)


@given(counts, counts, st.floats(0, 0.9))
def test_a_common_base_only_rescales_the_signed_effect(own, general, base):
    totals = [sums(*own, chance=base), sums(*general, chance=base)]
    found = effects(np.array(totals))
    assert found.signed_chance == pytest.approx(found.signed / (1 - base), abs=1e-9)
