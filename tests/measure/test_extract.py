"""Running means against means taken by hand over every prompt."""

import pytest
import torch

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.data.sets import set_table
from paraspec.data.study import prompt_table
from paraspec.measure.activation_files import load_activations, save_activations
from paraspec.measure.extract import extract, membership
from paraspec.measure.prompts import tokenise
from paraspec.models.taps import recorded


@pytest.fixture(scope="module")
def concepts(made_up):
    return made_up(1)[:6]


@pytest.fixture(scope="module")
def sets(concepts):
    return set_table(concepts, [], 4, 0)


@pytest.fixture(scope="module")
def prompts(concepts, tokenizer):
    return tokenise(prompt_table(concepts, 0), Asking(), tokenizer)


def run(model, prompts, sets, batch_rows=64):
    asked = list(prompts.values())
    return extract(model, asked, membership(sets), batch_rows, lambda n: None)


def by_hand(model, prompts, items):
    """Mean |coefficient| over the counted tokens of some items, per layer."""
    total, n = [0, 0], 0
    for item in items:
        prompt = prompts[item]
        counted = torch.tensor([prompt.counted], dtype=torch.float32)
        with torch.inference_mode(), recorded(model.sites, counted) as sums:
            model.model(input_ids=torch.tensor([prompt.prefix]))
        total = [
            t + layer[0] for t, layer in zip(total, sums.coefficients, strict=True)
        ]
        n += sum(prompt.counted)
    return [t / n for t in total]


@pytest.mark.parametrize("kind", ["llama", "mixtral"])
def test_related_and_unrelated_are_means_over_the_right_questions(
    kind, loaded, prompts, sets, concepts
):
    model = loaded(kind)
    found = run(model, prompts, sets)
    assert found.concepts == tuple(c.concept for c in concepts)
    assert found.sizes == tuple(site.n for site in model.sites)
    for line in (0, 4):
        concept = concepts[line]
        kept_out = set(sets.loc[sets["concept"] == concept.concept, "item"])
        unrelated = by_hand(model, prompts, [i for i in prompts if i not in kept_out])
        halves = [
            by_hand(model, prompts, [q.item for q in concept.questions if q.half == h])
            for h in "AB"
        ]
        for layer in range(2):
            torch.testing.assert_close(
                found.unrelated[layer][line], unrelated[layer], atol=1e-5, rtol=1e-4
            )
            for half in range(2):
                torch.testing.assert_close(
                    found.related[layer][line, half],
                    halves[half][layer],
                    atol=1e-5,
                    rtol=1e-4,
                )
        assert not torch.allclose(found.related[0][line, 0], found.related[0][line, 1])


def test_adding_a_concept_changes_no_mean_of_another(
    loaded, prompts, sets, concepts, made_up, tokenizer
):
    model = loaded("llama")
    dog = made_up(1, ("dog",))[:1]
    more = set_table(concepts, dog, 4, 0)
    both = prompts | tokenise(prompt_table(dog, 0), Asking(), tokenizer)
    alone, name = run(model, prompts, sets), dog[0].concept
    found = extract(
        model, list(both.values()), membership(more, {name}), 64, lambda n: None
    )
    assert found.concepts == (*alone.concepts, name)
    for a, b in zip(alone.unrelated, found.unrelated, strict=True):
        torch.testing.assert_close(a, b[:-1], atol=1e-6, rtol=1e-5)
    kept_out = set(more.loc[more["concept"] == name, "item"])
    expected = by_hand(model, prompts, [i for i in prompts if i not in kept_out])
    for layer in range(2):
        torch.testing.assert_close(
            found.unrelated[layer][-1], expected[layer], atol=1e-5, rtol=1e-4
        )


def test_routing_weights_of_a_mixture_sum_to_one_and_are_one_where_dense(
    loaded, prompts, sets
):
    mixture = run(loaded("mixtral"), prompts, sets).routing
    for layer in mixture:
        assert layer.shape[1:] == (2, 4)
        torch.testing.assert_close(layer.sum(-1), torch.ones(layer.shape[:2]))
        assert not torch.allclose(layer[:, 0], layer[:, 1])
    for layer in run(loaded("llama"), prompts, sets).routing:
        torch.testing.assert_close(layer, torch.ones(*layer.shape))


def test_batch_size_changes_nothing_but_rounding(loaded, prompts, sets):
    model = loaded("llama")
    one, other = run(model, prompts, sets, 64), run(model, prompts, sets, 3)
    pairs = zip(
        one.related + one.unrelated, other.related + other.unrelated, strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_coefficients_that_are_not_finite_are_an_error(loaded, prompts, sets):
    model = loaded("llama")
    model.model.model.layers[0].mlp.up_proj.weight[0, 0] = float("nan")
    with pytest.raises(UserError, match="not finite"):
        run(model, prompts, sets)


def test_a_concept_without_unrelated_questions_is_an_error(loaded, prompts, concepts):
    everything = set_table(concepts, [], 50, 0)
    with pytest.raises(UserError, match="no unrelated"):
        run(loaded("llama"), prompts, everything)


def test_activations_come_back_from_their_file(loaded, prompts, sets, tmp_path):
    found = run(loaded("llama"), prompts, sets)
    save_activations(found, tmp_path / "activations.safetensors")
    back = load_activations(tmp_path / "activations.safetensors")
    assert back.concepts == found.concepts
    pairs = zip(
        found.related + found.unrelated + found.routing,
        back.related + back.unrelated + back.routing,
        strict=True,
    )
    for a, b in pairs:
        assert torch.equal(a, b)
    half = tmp_path / "half.safetensors"
    save_activations(found, half, torch.float16)
    for a, b in zip(found.related, load_activations(half).related, strict=True):
        assert b.dtype == torch.bfloat16
        torch.testing.assert_close(a, b.float(), rtol=2**-8, atol=0)
    with pytest.raises(UserError, match="no such file"):
        load_activations(tmp_path / "other.safetensors")
