"""Mechanisms that set specialisation: exact gradients, and nothing that remains."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM

from paraspec.core.definitions import ROUTING_BLOCKS
from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow
from paraspec.models.induced import blocks_of, dropped, own_vectors, routed
from paraspec.models.manifest import load_measured
from paraspec.models.sites import value_vector_sites
from paraspec.models.train import encode, next_token_loss
from paraspec.models.training_run import run
from paraspec.models.zoo import fresh_model

DENSE = ("llama", "gpt2", "gpt_neox", "qwen2")
D_FF = 2 * ROUTING_BLOCKS


def row(architecture="llama", **changes):
    values = {
        "model": "plain",
        "source": "zoo",
        "family": "f",
        "architecture": architecture,
        "d_model": 16,
        "n_layers": 2,
        "n_heads": 2,
        "d_ff": D_FF,
        "steps": 6,
        "batch": 8,
    }
    return ModelRow(**values | changes)


def induced_row(mechanism, strength, architecture="llama", **changes):
    same = {"mechanism": mechanism, "strength": strength, "baseline": "plain"}
    return row(architecture, model="induced", **same | changes)


@pytest.fixture(params=DENSE)
def batch(request, tokenizer):
    """A fresh model of each kind with random biases, and sentences to learn."""
    torch.manual_seed(0)
    model = fresh_model(row(request.param), len(tokenizer))
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    ids = encode([f"The a of place {i} is thing {i}." for i in range(4)], tokenizer)
    return model, ids


def learnt(model, ids, blocks=None, strength=0.0):
    """Loss and every gradient of one batch; without blocks those of the plain model."""
    model.zero_grad()
    pad = model.config.pad_token_id
    if blocks is None:
        loss = next_token_loss(model, ids, pad)
    else:
        with routed(model, np.array(blocks), strength) as on_batch:
            on_batch(np.arange(len(ids)))
            loss = next_token_loss(model, ids, pad)
    loss.backward()
    grads = {n: p.grad.clone() for n, p in model.named_parameters()}
    rows = [
        (site.weight.grad if site.layout == "rows" else site.weight.grad.T).clone()
        for site in value_vector_sites(model)
    ]
    return loss.item(), grads, rows


def test_routing_at_strength_0_is_the_plain_model(batch):
    plain, same = learnt(*batch), learnt(*batch, [3, 1, 0, 2], 0.0)
    assert plain[0] == same[0]
    for name, grad in plain[1].items():
        torch.testing.assert_close(same[1][name], grad, rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_routing_scales_the_gradient_of_other_blocks_value_vectors(strength, batch):
    plain, found = learnt(*batch), learnt(*batch, [3] * 4, strength)
    own = own_vectors(np.array([3]), D_FF)[0].bool()
    assert found[0] == plain[0]
    for rows, full in zip(found[2], plain[2], strict=True):
        assert (full != 0).any(dim=1).all()
        torch.testing.assert_close(rows[own], full[own])
        torch.testing.assert_close(rows[~own], full[~own] * (1 - strength))
    if strength == 1:
        assert all((rows[~own] == 0).all() for rows in found[2])


def test_routing_leaves_all_other_gradients_as_they_are(batch):
    """Coefficients, attention, embeddings, biases: only value vectors are routed."""
    model, ids = batch
    plain, found = learnt(model, ids), learnt(model, ids, [3, 1, 0, 2], 1.0)
    routed_ones = {f"{site.name}.weight" for site in value_vector_sites(model)}
    assert routed_ones < set(plain[1])
    for name, grad in plain[1].items():
        if name in routed_ones:
            assert not torch.allclose(found[1][name], grad)
        else:
            torch.testing.assert_close(found[1][name], grad)


def test_each_sentence_of_a_batch_has_its_own_block(batch):
    model, ids = batch
    blocks = [0, 1, 1, 4]
    *_, rows = learnt(model, ids, blocks, 1.0)
    taught = own_vectors(np.unique(blocks), D_FF).sum(0).bool()
    assert all((r[~taught] == 0).all() and (r[taught] != 0).any() for r in rows)


def test_dropout_drops_the_share_and_keeps_the_mean(batch):
    model, _ = batch
    site = value_vector_sites(model)[0]
    seen = []
    x = torch.ones(50, 20, D_FF)
    with dropped(model, 0.3, seed=0):
        watch = site.module.register_forward_pre_hook(
            lambda _m, inputs: seen.append(inputs[0])
        )
        site.module(x)
        site.module(x)
        watch.remove()
    first, second = seen
    assert (first == 0).float().mean() == pytest.approx(0.3, abs=0.02)
    assert first.mean() == pytest.approx(1, abs=0.02)
    assert first.max() == pytest.approx(1 / 0.7)
    assert not torch.equal(first, second)
    assert not site.module._forward_pre_hooks


def test_a_block_is_no_category_and_no_tier():
    cells = [(c, t) for c in ("city", "country", "element") for t in ("high", "low")]
    concepts = pd.DataFrame(
        [(f"{c}-{t}-{i}", c, t) for c, t in cells for i in range(16)],
        columns=["concept", "category", "tier"],
    )
    blocks = blocks_of(concepts, seed=0)
    assert blocks == blocks_of(concepts.sample(frac=1, random_state=1), seed=0)
    assert blocks != blocks_of(concepts, seed=1)
    assert set(Counter(blocks.values()).values()) == {6}
    placed = concepts.assign(block=concepts["concept"].map(blocks))
    assert (placed.groupby("block")["category"].value_counts() == 2).all()
    assert (placed.groupby("block")["tier"].value_counts() == 3).all()


@pytest.fixture
def files(study, tmp_path):
    (tmp_path / "data").symlink_to(study.root / "data")
    return StudyFiles(tmp_path)


@pytest.mark.parametrize("mechanism", ["routing", "dropout"])
@pytest.mark.parametrize("architecture", DENSE)
def test_nothing_of_a_mechanism_remains_in_the_folder(mechanism, architecture, files):
    run(induced_row(mechanism, 0.5, architecture), files.root, checkpoints=[])
    ids = torch.tensor([[1, 20, 30, 40]])
    loaded, manifest = load_measured(files, "induced", "float32")
    theirs = AutoModelForCausalLM.from_pretrained(files.model("induced"))
    assert torch.equal(loaded.model(ids).logits, theirs(ids).logits)
    assert {p.name for p in files.model("induced").iterdir()} == {
        *("config.json", "generation_config.json", "model.json", "model.safetensors"),
        *("tokenizer.json", "tokenizer_config.json", "training.csv"),
    }
    set_by = (manifest.mechanism, manifest.strength, manifest.baseline)
    assert set_by == (mechanism, 0.5, "plain")


def test_only_the_mechanism_differs_from_the_baseline(files):
    """Same first weights; of a mechanism too weak to matter nearly the same last."""
    recipes = [row(), induced_row("routing", 1e-6), induced_row("routing", 1.0)]
    first = [fresh_model(recipe, 320).state_dict() for recipe in recipes]
    assert all(torch.equal(first[0][n], first[1][n]) for n in first[0])
    last = []
    for recipe in recipes:
        run(recipe, files.root, checkpoints=[])
        loaded, _ = load_measured(files, recipe.model, "float32")
        last.append(loaded.model.state_dict())
    plain, *others = last
    weak, strong = (
        max((plain[n] - other[n]).abs().max().item() for n in plain) for other in others
    )
    assert weak < 1e-3 < strong
