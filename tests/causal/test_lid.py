"""Local intrinsic dimension: known dimensions, brute force, and the layer's choice."""

import math

import numpy as np
import pytest
import torch

from paraspec.causal.lid import _area, best_layer, hidden_states, lid, pooled
from paraspec.core.config import Asking, AskingConfig
from paraspec.core.errors import UserError
from paraspec.data.study import prompt_table
from paraspec.measure.prompts import tokenise


def gaussian(n, dim, within=64, seed=0):
    """Points of a Gaussian of ``dim`` dimensions, turned into ``within``."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(within, dim)))
    return rng.normal(size=(n, dim)) @ turn.T


@pytest.mark.parametrize("dim", [2, 5, 10])
def test_gaussians_have_their_dimension_within_five_percent(dim):
    reference = gaussian(20_000, dim)
    found = pooled(lid(reference[:500], reference, k=10))
    assert found == pytest.approx(dim, rel=0.05)


def test_the_plain_mean_is_too_large_by_the_known_factor():
    reference = gaussian(8_000, 3, within=8)
    for k in (4, 10):
        mean = lid(reference[:1500], reference, k).mean()
        assert mean / 3 == pytest.approx((k - 1) / (k - 2), rel=0.08)


def test_each_estimate_by_the_formula():
    points, reference = gaussian(5, 4, seed=1), gaussian(30, 4, seed=2)
    k = 6
    for x, found in zip(points, lid(points, torch.tensor(reference), k), strict=True):
        t = sorted(math.dist(x, y) for y in reference)[:k]
        inverse = sum(math.log(t[-1] / tj) for tj in t[:-1]) / (k - 1)
        assert found == pytest.approx(1 / inverse)


def test_a_point_is_no_neighbour_of_itself_or_of_its_duplicates():
    points = gaussian(12, 3)
    alone = [lid(points[[i]], np.delete(points, i, axis=0), 5)[0] for i in range(12)]
    assert lid(points, points, 5) == pytest.approx(alone)
    assert lid(points, np.concatenate([points, points[:1]]), 5)[0] == alone[0]
    noisy = (points + 1e-7).astype(np.float32)  # the same text in another batch
    assert lid(points, noisy, 5) == pytest.approx(alone, rel=1e-4)


def test_too_few_neighbours_give_no_estimate():
    points = gaussian(6, 3)
    assert np.isfinite(lid(points, points, 5)).all()
    assert np.isnan(lid(points, points, 6)).all()
    assert np.isnan(lid(points, points, 7)).all()
    twins = np.concatenate([points[:1], points])  # these two have a neighbour less
    assert np.isnan(lid(twins, twins, 6)).tolist() == [True] * 2 + [False] * 5
    assert np.isfinite(lid(twins, twins, 5)).all()
    assert np.isnan(lid(np.eye(4), np.eye(4), 3)).all()  # all equally far
    with pytest.raises(UserError, match="neighbours"):
        lid(points, points, 1)


def test_scale_rotation_and_order_change_nothing():
    points = gaussian(40, 3, within=8)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))
    found = lid(points, points, 8)
    assert lid(1e4 * points @ turn, 1e4 * points @ turn, 8) == pytest.approx(found)
    assert lid(points[::-1], points, 8) == pytest.approx(found[::-1])


def test_nothing_known_pools_to_nothing():
    assert math.isnan(pooled(np.array([np.nan])))


# Layers.


@pytest.fixture(scope="module")
def layers():
    """Five layers; in the fourth wrong answers fill more dimensions than right ones."""
    right, wrong = gaussian(60, 2, within=16), gaussian(60, 9, within=16, seed=1)
    told = np.concatenate([right, wrong])
    blind = [gaussian(120, 4, within=16, seed=s) for s in range(2, 6)]
    correct = np.arange(120) < 60
    return torch.tensor(np.stack([*blind[:3], told, blind[3]])), correct


def test_the_layer_is_that_in_which_wrong_answers_have_larger_lid(layers):
    states, correct = layers
    assert best_layer(states, correct, 10) == 3
    assert best_layer(states.flip(0), correct, 10) == 1
    order = np.random.default_rng(0).permutation(120)
    assert best_layer(states[:, order], correct[order], 10) == 3
    assert best_layer(states, ~correct, 10) != 3


def test_prompts_without_an_estimate_go_with_their_labels():
    lids = np.array([np.nan, 3.0, np.nan, 1.0, 2.0])
    wrong = np.array([False, True, True, False, False])
    assert _area(lids, wrong) == 1
    assert math.isnan(_area(lids, np.isnan(lids)))


@pytest.mark.parametrize("correct", [True, False])
def test_where_nothing_can_be_told_apart_it_is_the_middle_one(layers, correct):
    states, _ = layers
    same = np.full(120, correct)
    assert best_layer(states, same, 10) == 2
    assert best_layer(states[:4], same, 10) == 1
    assert best_layer(states, np.arange(120) < 60, 200) == 2  # too few neighbours


def test_equally_good_layers_are_settled_towards_the_middle(layers):
    states, correct = layers
    told, blind = states[3], states[0]
    assert best_layer(torch.stack([told, blind, blind, told, told]), correct, 10) == 3
    assert best_layer(torch.stack([told, told, blind, told, told]), correct, 10) == 1


# Hidden states.


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox", "mixtral"])
def test_hidden_states_are_those_of_the_last_token(kind, loaded, made_up, tokenizer):
    model = loaded(kind)
    table = prompt_table(made_up(1)[:2], seed=0)
    prompts = list(tokenise(table, Asking("cloze", AskingConfig()), tokenizer).values())
    found = hidden_states(model, prompts, batch_rows=3)
    n_layers, width = model.model.config.num_hidden_layers, 16
    assert found.shape == (n_layers, len(prompts), width)
    for i, prompt in enumerate(prompts):
        out = model.model(
            input_ids=torch.tensor([prompt.prefix]), output_hidden_states=True
        )
        alone = torch.stack([h[0, -1] for h in out.hidden_states[1:]])
        torch.testing.assert_close(found[:, i], alone, atol=1e-4, rtol=1e-4)
        logits = model.model.get_output_embeddings()(found[-1, i])
        torch.testing.assert_close(logits, out.logits[0, -1], atol=1e-3, rtol=1e-3)
