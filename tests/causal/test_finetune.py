"""Real fine-tuning of tiny models: what changes, what does not, and what goes wrong."""

import copy
import math
from dataclasses import replace

import pytest
import torch
from tests.models.test_train import SENTENCES, row

from paraspec.causal import finetune as module
from paraspec.causal.columns import snapshot, tensor_name, trainable, untouched_equal
from paraspec.causal.finetune import Diverged, Recipe, finetune, restored
from paraspec.core.errors import UserError
from paraspec.models.load import LoadedModel, quiet_transformers
from paraspec.models.sites import value_vector_sites
from paraspec.models.train import encode, next_token_loss, sentence_order
from paraspec.models.zoo import fresh_model

ARCHITECTURES = ("llama", "gpt2", "gpt_neox", "mixtral")
RECIPE = Recipe(steps=20, batch=8, learning_rate=0.05, seed=3)


@pytest.fixture
def fresh(tokenizer):
    torch.set_num_threads(1)
    quiet_transformers()

    def make(architecture="llama"):
        model = fresh_model(row(architecture), len(tokenizer)).eval()
        return LoadedModel(model, tokenizer, value_vector_sites(model))

    return make


def half(sites):
    return [torch.arange(site.n) % 2 == 0 for site in sites]


def nothing(sites):
    return [torch.zeros(site.n, dtype=torch.bool) for site in sites]


CLIPPED = 0.02
"""So low that steps are clipped, which the models' own gradients would not be."""


def ignored(step, loss):
    pass


def weights(loaded):
    return [site.weight.clone() for site in loaded.sites]


def loss_of_all(loaded):
    with torch.no_grad():
        return next_token_loss(loaded.model, encode(SENTENCES, loaded.tokenizer), 0)


def by_hand(loaded, chosen, recipe):
    """Train without the Trainer; return losses, tokens and the weights."""
    ids = encode(SENTENCES, loaded.tokenizer)
    lengths = (ids != 0).sum(1)
    order = sentence_order([1] * 24, recipe.batch, recipe.seed)
    rise = math.ceil(recipe.steps / 10)
    losses, tokens = [], 0
    with trainable(loaded.sites, chosen) as changes:
        optimiser = torch.optim.AdamW(changes, recipe.learning_rate, weight_decay=0)
        for step in range(recipe.steps):
            fall = math.pi * (step - rise) / (recipe.steps - rise)
            share = step / rise if step < rise else (1 + math.cos(fall)) / 2
            optimiser.param_groups[0]["lr"] = share * recipe.learning_rate
            some = torch.from_numpy(next(order))
            batch = ids[some, : lengths[some].max()]
            loss = next_token_loss(loaded.model, batch, 0)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(changes, CLIPPED)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            tokens += int((lengths[some] - 1).sum())
    return losses, tokens, weights(loaded)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_chosen_vectors_learn_as_by_hand_and_nothing_else_moves(
    architecture, fresh, monkeypatch
):
    monkeypatch.setattr(module, "LARGEST_GRADIENT", CLIPPED)
    loaded, seen = fresh(architecture), []
    chosen, before = half(loaded.sites), snapshot(loaded.model)
    unlike = loss_of_all(loaded)
    tuned = finetune(
        loaded, SENTENCES, chosen, RECIPE, None, lambda *step: seen.append(step)
    )
    assert loss_of_all(loaded) < unlike - 0.05
    assert tuned.untouched_equal
    assert untouched_equal(before, loaded.model, loaded.sites, chosen)
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())
    found = weights(loaded)
    change = 0.0
    for site, mask, new in zip(loaded.sites, chosen, found, strict=True):
        old = before[f"{site.name}.{tensor_name(site)}"]
        axis = -2 if site.layout == "rows" else -1
        moved = (new != old).any(dim=-1 if site.layout == "rows" else -2).flatten()
        assert not moved[~mask].any()
        assert moved[mask].all() or site.routed  # no token may come to an expert
        assert moved[mask].float().mean() > 0.9
        assert new.shape[axis] == site.d_ff
        change += float((new.double() - old.double()).square().sum())
    assert tuned.update_norm == pytest.approx(math.sqrt(change), rel=1e-5)
    assert tuned.trained == sum(int(mask.sum()) * 16 for mask in chosen)

    losses, tokens, expected = by_hand(restored(loaded, before), chosen, RECIPE)
    assert seen == [(i + 1, pytest.approx(v, rel=1e-5)) for i, v in enumerate(losses)]
    assert tuned.n_tokens == tokens
    assert tuned.first_loss == pytest.approx(losses[0])
    assert tuned.last_loss == pytest.approx(sum(losses[-2:]) / 2, rel=1e-5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_weight_decay_cannot_touch_other_vectors(fresh, monkeypatch):
    monkeypatch.setattr(module, "WEIGHT_DECAY", 0.5)
    decayed = fresh()
    chosen = half(decayed.sites)
    assert finetune(decayed, SENTENCES, chosen, RECIPE, None, ignored).untouched_equal
    monkeypatch.setattr(module, "WEIGHT_DECAY", 0.0)
    plain = fresh()
    finetune(plain, SENTENCES, chosen, RECIPE, None, ignored)
    for one, other in zip(decayed.sites, plain.sites, strict=True):
        assert not torch.equal(one.weight, other.weight)  # the decay was at work


def test_last_loss_is_a_mean_over_the_last_tenth(fresh):
    loaded, seen = fresh(), []
    recipe = Recipe(steps=30, batch=4, learning_rate=0.01, seed=0)
    chosen = half(loaded.sites)
    tuned = finetune(
        loaded, SENTENCES, chosen, recipe, None, lambda _, loss: seen.append(loss)
    )
    assert tuned.last_loss == pytest.approx(sum(seen[-3:]) / 3)


def test_weights_are_put_back_and_a_seed_gives_the_same_bits(fresh):
    loaded = fresh()
    before, chosen = snapshot(loaded.model), half(loaded.sites)
    tuned = finetune(loaded, SENTENCES, chosen, RECIPE, None, ignored)
    first = weights(loaded)
    assert restored(loaded, before) is loaded
    assert untouched_equal(before, loaded.model, loaded.sites, nothing(loaded.sites))
    assert finetune(loaded, SENTENCES, chosen, RECIPE, None, ignored) == tuned
    assert all(map(torch.equal, first, weights(loaded)))
    restored(loaded, before)
    other = Recipe(RECIPE.steps, RECIPE.batch, RECIPE.learning_rate, seed=4)
    finetune(loaded, SENTENCES, chosen, other, None, ignored)
    assert not any(map(torch.equal, first, weights(loaded)))


@pytest.mark.parametrize("architecture", ["llama", "mixtral"])
def test_a_diverging_arm_leaves_the_model_as_it_was(architecture, fresh):
    loaded = fresh(architecture)
    before, chosen = snapshot(loaded.model), half(loaded.sites)
    recipe = Recipe(steps=12, batch=8, learning_rate=1e38, seed=3)
    with pytest.raises(Diverged) as error:
        finetune(loaded, SENTENCES, chosen, recipe, None, ignored)
    assert 1 < error.value.step < 12
    assert not loaded.model.training
    assert untouched_equal(before, loaded.model, loaded.sites, nothing(loaded.sites))
    tuned = finetune(loaded, SENTENCES, chosen, RECIPE, None, ignored)
    assert tuned.last_loss < tuned.first_loss


def test_a_last_step_that_breaks_the_weights_diverges_too(fresh):
    loaded = fresh()
    before, chosen = snapshot(loaded.model), half(loaded.sites)
    # Of two steps the first one warms up from a rate of 0.
    recipe = Recipe(steps=2, batch=8, learning_rate=1e300, seed=3)
    seen = []
    with pytest.raises(Diverged) as error:
        finetune(loaded, SENTENCES, chosen, recipe, None, lambda *s: seen.append(s))
    assert error.value.step == len(seen) == 2
    assert all(math.isfinite(loss) for _, loss in seen)
    assert untouched_equal(before, loaded.model, loaded.sites, nothing(loaded.sites))


def with_dropout(model):
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.3


def test_dropout_is_at_work_while_training_only(fresh):
    dropping, plain = fresh("gpt2"), fresh("gpt2")
    with_dropout(dropping.model)
    first, last = (
        finetune(loaded, SENTENCES, half(loaded.sites), RECIPE, None, ignored)
        for loaded in (dropping, plain)
    )
    assert first.first_loss != pytest.approx(last.first_loss, rel=1e-6)
    assert loss_of_all(dropping) == loss_of_all(dropping)


@pytest.mark.parametrize("architecture", ["gpt2", "mixtral"])
def test_training_goes_on_from_a_checkpoint_to_the_same_bits(
    architecture, fresh, tmp_path
):
    whole, broken = fresh(architecture), fresh(architecture)
    with_dropout(whole.model)
    with_dropout(broken.model)
    chosen = half(whole.sites)
    tuned = finetune(whole, SENTENCES, chosen, RECIPE, None, ignored)

    def stop(step, loss):
        if step == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(broken, SENTENCES, chosen, RECIPE, tmp_path, stop)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-5"]
    (tmp_path / "checkpoint-9").mkdir()  # a half-written one
    steps = []
    again = finetune(
        broken, SENTENCES, chosen, RECIPE, tmp_path, lambda step, _: steps.append(step)
    )
    assert steps == list(range(6, 21))
    assert again == tuned
    assert all(map(torch.equal, weights(whole), weights(broken)))


def test_a_finished_run_is_taken_from_its_checkpoint(fresh, tmp_path):
    one, other, steps = fresh(), fresh(), []
    chosen = half(one.sites)
    tuned = finetune(one, SENTENCES, chosen, RECIPE, tmp_path, ignored)
    again = finetune(
        other, SENTENCES, chosen, RECIPE, tmp_path, lambda *step: steps.append(step)
    )
    assert (again, steps) == (tuned, [])
    assert all(map(torch.equal, weights(one), weights(other)))


def test_nothing_to_train_or_to_train_on_is_refused(fresh):
    loaded = fresh()
    with pytest.raises(UserError, match="0 value vectors"):
        finetune(loaded, SENTENCES, nothing(loaded.sites), RECIPE, None, ignored)
    with pytest.raises(UserError, match="0 sentences"):
        finetune(loaded, [], half(loaded.sites), RECIPE, None, ignored)


def test_training_says_nothing(fresh, capfd):
    loaded = fresh()
    finetune(loaded, SENTENCES, half(loaded.sites), RECIPE, None, ignored)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pad", [None, "eos"])
def test_a_tokenizer_needs_no_padding_token_of_its_own(fresh, pad):
    """Many published ones have none, or end-of-sequence, which is a target."""
    results = []
    for token in ("own", pad):
        loaded = fresh()
        tokenizer = copy.deepcopy(loaded.tokenizer)
        if token != "own":
            tokenizer.pad_token = tokenizer.eos_token if token else None
        loaded = replace(loaded, tokenizer=tokenizer)
        chosen = half(loaded.sites)
        tuned = finetune(loaded, SENTENCES, chosen, RECIPE, None, ignored)
        results.append((tuned, *weights(loaded)))
    assert results[0][0] == results[1][0]
    pairs = zip(results[0][1:], results[1][1:], strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
