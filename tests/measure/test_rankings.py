import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paraspec.core.definitions import primary_ratio, vectors_at
from paraspec.measure.rankings import counts, difference, kept, places, random_places

values = st.lists(
    st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0]), min_size=1, max_size=30
)


@given(values)
def test_places_order_by_falling_value_and_ties_by_index(numbers):
    place = places(torch.tensor(numbers)).tolist()
    expected = sorted(range(len(numbers)), key=lambda i: (-numbers[i], i))
    assert [expected.index(i) for i in range(len(numbers))] == place


@given(values, st.floats(0, 1), st.floats(0, 1))
def test_masks_of_one_ranking_are_nested(numbers, one, two):
    ranking = places(torch.tensor(numbers))
    small, large = sorted(
        (vectors_at(one, len(numbers)), vectors_at(two, len(numbers)))
    )
    keep = kept(ranking.expand(2, -1), torch.tensor([small, large]))
    masked = ~keep
    assert masked.sum(1).tolist() == [small, large]
    assert not (masked[0] & ~masked[1]).any()


@given(st.integers(0, 1000), st.integers(1, 500))
def test_counts_round_halves_up(thousandths, n):
    exact = Fraction(thousandths, 1000) * n + Fraction(1, 2)
    assert vectors_at(thousandths / 1000, n) == math.floor(exact)


def test_counts_are_per_layer():
    assert counts(0.05, (10, 9, 100)) == (1, 0, 5)
    assert counts(0.005, (64, 100)) == (0, 1)


@pytest.mark.parametrize("ratio", ["0.005", "0.05", "0.1", "0.3", "0.7", "0.95"])
def test_exact_halves_of_the_study_s_ratios_round_up(ratio):
    for n in range(1, 2000):
        exact = math.floor(Fraction(ratio) * n + Fraction(1, 2))
        assert vectors_at(float(ratio), n) == exact, n


@settings(deadline=None)  # the first permutation starts torch's generator
@given(st.integers(1, 60), st.text(max_size=5), st.integers(0, 3))
def test_random_places_are_a_permutation_that_names_determine(n, concept, layer):
    found = random_places(n, "model", concept, layer, "0")
    assert sorted(found.tolist()) == list(range(n))
    assert torch.equal(found, random_places(n, "model", concept, layer, "0"))


def test_random_places_depend_on_every_name():
    names = ("model", "concept", 0, "0")
    base = random_places(200, *names)
    for i, other in enumerate(("model2", "concept2", 1, "1")):
        changed = [*names[:i], other, *names[i + 1 :]]
        assert not torch.equal(base, random_places(200, *changed))


def test_random_places_do_not_touch_the_global_generator():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    random_places(10, "a")
    assert torch.equal(torch.rand(1), expected)


def test_difference_is_computed_in_float32():
    related = torch.tensor([1.0, 2.0], dtype=torch.bfloat16)
    found = difference(related, torch.tensor([0.5, 2.001]))
    assert found.dtype == torch.float32
    assert found.tolist() == pytest.approx([0.5, -0.001], abs=1e-6)


def test_primary_ratio_is_larger_below_ten_million_parameters():
    assert primary_ratio(9_999_999) == 0.10
    assert primary_ratio(10_000_000) == 0.05
