"""Chosen value vectors as the only parameters, on every layout of a down projection."""

import pytest
import torch

from paraspec.causal.columns import (
    snapshot,
    tensor_name,
    trainable,
    untouched_equal,
    update_norm,
)
from paraspec.core.errors import UserError

KINDS = ("llama", "gpt2", "gpt_neox", "mixtral", "gpt_oss", "qwen2_moe")
IDS = torch.arange(1, 13).view(2, 6)


def every_third(sites):
    return [torch.arange(site.n) % 3 == 1 for site in sites]


def vector(site, weight, number):
    """One value vector of a weight, by the layout in words."""
    if site.routed:
        weight, number = weight[number // site.d_ff], number % site.d_ff
    return weight[number] if site.layout == "rows" else weight[:, number]


def loss_of(model):
    return model(input_ids=IDS, labels=IDS, use_cache=False).loss


@pytest.mark.parametrize("kind", KINDS)
def test_decay_and_gradients_reach_the_chosen_vectors_only(kind, loaded):
    found = loaded(kind)
    model, sites, chosen = found.model, found.sites, every_third(found.sites)
    before, was = snapshot(model), [type(site.module) for site in sites]
    unlike = loss_of(model).item()
    with trainable(sites, chosen) as changes:
        assert [tuple(c.shape) for c in changes] == [(int(m.sum()), 16) for m in chosen]
        needing = [p for p in model.parameters() if p.requires_grad]
        assert {id(p) for p in needing} == {id(c) for c in changes}
        assert loss_of(model).item() == unlike  # bit-equal before the first step
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.5)
        for _ in range(3):
            loss_of(model).backward()
            optimiser.step()
            optimiser.zero_grad()
        inside = loss_of(model).item()
    assert loss_of(model).item() == inside < unlike
    assert untouched_equal(before, model, sites, chosen)
    assert [type(site.module) for site in sites] == was
    assert set(model.state_dict()) == set(before)
    assert not any(p.requires_grad for p in model.parameters())
    for site, mask in zip(sites, chosen, strict=True):
        old = before[f"{site.name}.{tensor_name(site)}"]
        for number in range(site.n):
            same = torch.equal(
                vector(site, old, number), vector(site, site.weight, number)
            )
            # An expert that no token came to may have learnt nothing.
            assert same if not mask[number] else (site.routed or not same)
    if any(site.routed for site in sites):
        assert update_norm(before, model) > 0


@pytest.mark.parametrize("kind", ("llama", "gpt2", "mixtral"))
def test_gradients_are_those_of_the_whole_weight_at_the_chosen(kind, loaded):
    found = loaded(kind)
    chosen = every_third(found.sites)
    with trainable(found.sites, chosen) as changes:
        loss_of(found.model).backward()
        grads = [change.grad.clone() for change in changes]
    for site in found.sites:
        site.weight.requires_grad_(True)
    loss_of(found.model).backward()
    for site, mask, grad in zip(found.sites, chosen, grads, strict=True):
        numbers = mask.nonzero().squeeze(1).tolist()
        whole = torch.stack([vector(site, site.weight.grad, n) for n in numbers])
        torch.testing.assert_close(grad, whole, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ("llama", "mixtral"))
def test_an_exception_leaves_every_bit(kind, loaded):
    found = loaded(kind)
    before = snapshot(found.model)
    with (
        pytest.raises(ZeroDivisionError),
        trainable(found.sites, every_third(found.sites)) as changes,
    ):
        for change in changes:
            change.data += 1
        raise ZeroDivisionError
    nothing = [torch.zeros(site.n, dtype=torch.bool) for site in found.sites]
    assert untouched_equal(before, found.model, found.sites, nothing)
    assert update_norm(before, found.model) == 0


def test_a_layer_without_chosen_vectors_is_left_alone(loaded):
    found = loaded("llama")
    chosen = [torch.arange(24) < 5, torch.zeros(24, dtype=torch.bool)]
    with trainable(found.sites, chosen) as changes:
        assert len(changes) == 1
        assert type(found.sites[1].weight) is torch.nn.Parameter


def test_in_bfloat16_small_steps_add_up_in_float32(loaded):
    found = loaded("llama", dtype="bfloat16")
    before, chosen = snapshot(found.model), every_third(found.sites)
    with trainable(found.sites, chosen) as changes:
        assert all(change.dtype == torch.float32 for change in changes)
        for _ in range(100):  # each of them less than half a unit in the last place
            for change in changes:
                change.data += 1e-4
        assert found.sites[0].weight.dtype == torch.bfloat16
    assert untouched_equal(before, found.model, found.sites, chosen)
    for site, mask in zip(found.sites, chosen, strict=True):
        old = before[f"{site.name}.weight"].float()[:, mask]
        expected = (old + 0.01).bfloat16()
        torch.testing.assert_close(site.weight[:, mask], expected, rtol=0.01, atol=0)
        assert not torch.equal(site.weight[:, mask], old.bfloat16())


@pytest.mark.parametrize("where", ["vector", "elsewhere", "name"])
def test_a_bit_that_changed_elsewhere_is_seen(where, loaded):
    found = loaded("gpt2")
    before, chosen = snapshot(found.model), every_third(found.sites)
    with torch.no_grad():
        if where == "vector":  # -0 equals 0, but not in its bits
            before["transformer.h.1.mlp.c_proj.weight"][0, 0] = 0.0
            found.sites[1].weight[0, 0] = -0.0
        elif where == "elsewhere":
            found.model.transformer.ln_f.bias[3] += 1e-6
        else:
            del before["transformer.ln_f.bias"]
    assert not untouched_equal(before, found.model, found.sites, chosen)


def test_nan_equals_itself_and_chosen_vectors_may_change(loaded):
    found = loaded("llama")
    chosen = every_third(found.sites)
    with torch.no_grad():
        found.sites[0].weight[:, 0] = torch.nan
        before = snapshot(found.model)
        found.sites[0].weight[2, 1] = 5.0
        found.sites[1].weight[0, 4] = torch.nan
    assert untouched_equal(before, found.model, found.sites, chosen)


def test_update_norm_counts_tied_weights_once(loaded):
    found = loaded("llama", tie_word_embeddings=True)
    before = snapshot(found.model)
    assert found.model.lm_head.weight is found.model.model.embed_tokens.weight
    with torch.no_grad():
        found.model.lm_head.weight[0, 0] += 3
        found.sites[1].weight[0, 0] += 4
    assert update_norm(before, found.model) == pytest.approx(5, rel=1e-6)


def test_a_weight_of_two_layers_is_refused(loaded):
    found = loaded("llama")
    found.sites[1].module.weight = found.sites[0].module.weight
    refused = pytest.raises(UserError, match="also that of an earlier layer")
    with refused, trainable(found.sites, every_third(found.sites)):
        pass
