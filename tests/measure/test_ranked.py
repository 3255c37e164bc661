"""Rankings by the names that masks give them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paraspec.measure.extract import HALVES, Activations
from paraspec.measure.ranked import UNRANKED, RankingKey, Rankings
from paraspec.measure.rankings import places, random_places


@pytest.fixture
def rankings():
    """Two concepts, one layer of four value vectors, numbers to do by hand."""
    related = torch.tensor(
        [[[1.0, 5.0, 2.0, 0.0], [9.0, 1.0, 2.0, 0.0]], [[0.0] * 4, [1.0] * 4]]
    )
    unrelated = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0] * 4])
    routing = (torch.ones(2, 2, 1),)
    return Rankings("m", Activations(("c", "d"), (related,), (unrelated,), routing))


def test_rankings_are_by_related_minus_unrelated_of_the_named_halves(rankings):
    def top(concept, halves):
        return rankings.stacked([RankingKey(concept, halves)])[0][0]

    assert top("c", "A").tolist() == [1, 0, 2, 3]  # 1 5 1 -1
    assert top("c", "B").tolist() == [0, 1, 2, 3]  # 9 1 1 -1
    assert top("c", "AB").tolist() == [0, 1, 2, 3]  # 5 3 1 -1
    assert torch.equal(top("d", "B"), places(torch.ones(4)))


def test_random_rankings_are_named_by_model_concept_layer_and_draw(rankings):
    for half in HALVES:
        found = rankings.stacked([RankingKey("c", half, "random", 3)])[0][0]
        assert torch.equal(found, random_places(4, "m", "c", 0, "3"))


def test_equal_random_rankings_of_both_halves_stand_once_where_dense(rankings):
    keys = [RankingKey("c", half, "random", 1) for half in HALVES]
    assert rankings.shared(keys[0]) == rankings.shared(keys[1])
    (alike,) = rankings.stacked([rankings.shared(keys[0]), *keys])
    assert torch.equal(alike[0], alike[1]) and torch.equal(alike[0], alike[2])
    assert rankings.shared(RankingKey("c", "A")) == RankingKey("c", "A")


def test_the_active_share_of_a_dense_layer_is_that_of_its_value_vectors(rankings):
    assert rankings.active_share(RankingKey("c", "A"), (1,), "c", "B") == 0.25


@given(st.integers(0, 12), st.integers(0, 2**31), st.sampled_from(HALVES))
@settings(deadline=None)
def test_random_masks_of_a_mixture_hit_the_active_share_of_the_top_mask(k, seed, half):
    rng = torch.Generator().manual_seed(seed)
    related = torch.rand(1, 2, 12, generator=rng)  # 3 experts of 4 value vectors
    routing = torch.rand(1, 2, 3, generator=rng)
    found = Rankings(
        "m", Activations(("c",), (related,), (torch.zeros(1, 12),), (routing,))
    )
    top, drawn = RankingKey("c", half), RankingKey("c", half, "random")
    lines = found.stacked([top, drawn])[0]
    per_expert = [(line < k).view(3, 4).sum(1).tolist() for line in lines]
    assert per_expert[0] == per_expert[1]
    assert sorted(found.stacked([drawn])[0][0].tolist()) == list(range(12))
    share = found.active_share(top, (k,), "c", half)
    assert share == found.active_share(drawn, (k,), "c", half)
    weight = routing[0, HALVES.index(half)] / routing[0, HALVES.index(half)].sum()
    by_hand = sum(w * n / 4 for w, n in zip(weight, per_expert[0], strict=True))
    assert share == pytest.approx(float(by_hand), abs=1e-6)


def test_random_masks_of_a_mixture_differ_by_draw():
    related = torch.rand(1, 2, 40, generator=torch.Generator().manual_seed(1))
    even = torch.full((1, 2, 4), 0.25)
    found = Rankings(
        "m", Activations(("c",), (related,), (torch.zeros(1, 40),), (even,))
    )
    one, other = (
        found.stacked([RankingKey("c", "A", "random", draw)])[0][0] for draw in (0, 1)
    )
    assert not torch.equal(one, other)
    assert not torch.equal(one, found.stacked([RankingKey("c", "A")])[0][0])


def test_rankings_made_together_are_those_made_alone(rankings):
    keys = [
        RankingKey("c", "A"),
        UNRANKED,
        RankingKey("d", "B", "random", 2),
        RankingKey("c", "AB"),
        RankingKey("c", "A", "random"),
    ]
    (together,) = rankings.stacked(keys)
    for line, key in zip(together, keys, strict=True):
        assert torch.equal(line, rankings.stacked([key])[0][0])
    assert together[1].tolist() == [0, 1, 2, 3]
