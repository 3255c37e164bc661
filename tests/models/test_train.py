"""A real training of a tiny model, short enough to be repeated."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from paraspec.core.errors import UserError
from paraspec.core.model_table import ModelRow
from paraspec.models.train import (
    WARM_UP_STEPS,
    encode,
    learning_rate_at,
    next_token_loss,
    sentence_order,
    train,
)
from paraspec.models.zoo import fresh_model

ARCHITECTURES = ("llama", "gpt2", "gpt_neox", "qwen2", "mixtral")


def row(architecture="llama", **changes):
    values = {
        "model": "tiny",
        "source": "zoo",
        "family": "f",
        "architecture": architecture,
        "d_model": 16,
        "n_layers": 2,
        "n_heads": 2,
        "d_ff": 24,
        "n_experts": 4 if architecture == "mixtral" else 0,
        "steps": 30,
        "batch": 16,
        "learning_rate": 0.01,
    }
    return ModelRow(**values | changes)


SENTENCES = [f"The {w} of place {i} is thing {i}." for w in "ab" for i in range(12)]


def trained(recipe, tokenizer):
    torch.set_num_threads(1)
    model = fresh_model(recipe, len(tokenizer))
    curve = []
    train(model, encode(SENTENCES, tokenizer), [1] * 24, recipe, curve.append)
    return model, curve


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_thirty_steps_lower_the_loss_and_a_seed_gives_the_same_bits(
    architecture, tokenizer
):
    recipe = row(architecture)
    model, curve = trained(recipe, tokenizer)
    again, curve_again = trained(recipe, tokenizer)
    assert [p.step for p in curve] == list(range(1, 31))
    assert curve[-1].loss_nats < curve[0].loss_nats - 0.5
    assert curve == curve_again
    other = dict(again.named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, other[name]), name
    assert not model.training


def test_another_seed_or_name_gives_other_weights(tokenizer):
    base = fresh_model(row(), 320).get_input_embeddings().weight
    for changes in ({"seed": 1}, {"model": "other"}):
        changed = fresh_model(row(**changes), 320).get_input_embeddings().weight
        assert not torch.equal(base, changed)


def test_a_loss_that_is_not_finite_stops_with_the_model_and_step(tokenizer):
    with pytest.raises(UserError) as error:
        trained(row(learning_rate=1e36), tokenizer)
    assert "training tiny, step" in error.value.where
    assert "learning_rate" in error.value.remedy


def test_learning_rate_warms_up_then_falls_to_a_tenth():
    rates = [learning_rate_at(step, 400, 1.0) for step in range(401)]
    assert rates[0] == pytest.approx(1 / WARM_UP_STEPS)
    assert rates[WARM_UP_STEPS - 1] == rates[WARM_UP_STEPS] == 1.0
    assert rates[225] == pytest.approx(0.55)
    assert rates[400] == pytest.approx(0.1)
    assert all(a >= b for a, b in pairwise(rates[50:]))


def test_a_pass_holds_each_sentence_as_often_as_its_exposure():
    exposures = (8, 2, 1, 1)
    order = sentence_order(exposures, 5, seed=0)
    first = np.concatenate([next(order) for _ in range(12)])
    for n in range(5):  # 60 = 5 passes of 12
        part = Counter(first[12 * n : 12 * n + 12].tolist())
        assert [part[i] for i in range(4)] == list(exposures)
    assert len({tuple(first[12 * n : 12 * n + 12]) for n in range(5)}) > 1


def test_order_is_seeded_and_batches_may_exceed_a_pass():
    one, same, other = (sentence_order((1, 2), 7, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(next(one), next(same)) for _ in range(5))
    lines = [np.concatenate([next(g) for _ in range(20)]) for g in (one, other)]
    assert len(lines[0]) == 140
    assert not np.array_equal(*lines)


def test_sentences_end_in_eos_and_are_padded_on_the_right(tokenizer):
    ids = encode(["The a", "The a of place 1 is"], tokenizer)
    n = len(tokenizer("The a")["input_ids"])
    assert ids[0, :n].tolist() == tokenizer("The a")["input_ids"]
    assert ids[0, n] == tokenizer.eos_token_id
    assert (ids[0, n + 1 :] == tokenizer.pad_token_id).all()
    assert ids[1, -1] == tokenizer.eos_token_id
    assert ids[0, 0] == tokenizer.bos_token_id


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loss_is_the_cross_entropy_that_transformers_computes(architecture, tokenizer):
    model = fresh_model(row(architecture), len(tokenizer)).eval()
    ids = encode([*SENTENCES[:5], "The a"], tokenizer)
    labels = ids.masked_fill(ids == tokenizer.pad_token_id, -100)
    expected = model(input_ids=ids, labels=labels).loss
    if architecture == "mixtral":  # without its load-balancing term
        assert not model.config.output_router_logits
    found = next_token_loss(model, ids, tokenizer.pad_token_id)
    torch.testing.assert_close(found, expected)
