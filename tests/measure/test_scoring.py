"""Batched answers against the loop that anyone would write first."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.data.study import prompt_table
from paraspec.measure import method
from paraspec.measure.method import Method, answer_all, packing_holds
from paraspec.measure.prompts import tokenise
from paraspec.measure.scoring import Answer, Masks, answer, answer_batch, can_pack
from paraspec.models.weights import zeroed

KINDS = (
    "llama",
    "gpt2",
    "gpt_neox",
    "qwen2",
    "mixtral",
    "bloom",
    "opt",
    "falcon",
    "gemma3_text",
    "phi3",
)


@pytest.fixture(scope="session")
def prompts(made_up, tokenizer):
    table = prompt_table(made_up(1)[:4], seed=0)
    return list(tokenise(table, Asking(), tokenizer).values())


def keeps_of(sites, n, share=0.7):
    rng = torch.Generator().manual_seed(3)
    return [torch.rand(n, site.n, generator=rng) < share for site in sites]


def zeroing_hook(kept):
    return lambda module, args: (args[0] * kept, *args[1:])


def plain_loop(loaded, prompt, keep):
    """One option at a time, whole sequence, no cache; hooks written out here."""
    scores = []
    for option in prompt.options:
        ids = torch.tensor([[*prompt.prefix, *option]])
        with ExitStack() as stack, torch.inference_mode():
            if loaded.sites[0].routed:
                stack.enter_context(zeroed(loaded.sites, keep))
            else:
                for site, kept in zip(loaded.sites, keep, strict=True):
                    hook = site.module.register_forward_pre_hook(zeroing_hook(kept))
                    stack.callback(hook.remove)
            logits = loaded.model(input_ids=ids, use_cache=False).logits[0]
        logprobs = logits.log_softmax(-1)
        start = len(prompt.prefix)
        scores.append(
            sum(float(logprobs[start + i - 1, t]) for i, t in enumerate(option))
        )
    return scores


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [True, False])
def test_batched_answers_equal_the_plain_loop(kind, packed, loaded, prompts):
    model = loaded(kind)
    if packed and not can_pack(model.model):
        pytest.skip("takes no positions: asked plainly")
    chosen = [*prompts[:5], *prompts[-5:]]
    keep = keeps_of(model.sites, len(chosen))
    assert len({len(p.prefix) for p in chosen}) > 1
    assert len({len(o) for p in chosen for o in p.options}) > 1
    found = answer(model, chosen, Masks(keep), packed=packed)
    for i, reply in enumerate(found):
        expected = plain_loop(model, chosen[i], [layer[i] for layer in keep])
        assert reply.logprobs == pytest.approx(expected, abs=1e-4)
        assert reply.gold == chosen[i].gold


@pytest.mark.parametrize("kind", KINDS)
def test_the_probe_packs_exactly_where_packing_is_right(kind, loaded, prompts):
    model = loaded(kind)
    packs = packing_holds(model, prompts)
    assert packs == (kind not in ("bloom",))


def test_a_model_that_ignores_the_mask_is_asked_plainly(loaded, prompts, caplog):
    caplog.set_level("INFO")
    model = loaded("llama")
    forward = model.model.forward

    def deaf(*args, position_ids=None, attention_mask=None, **rest):
        return forward(*args, **rest)

    model.model.forward = deaf
    assert not packing_holds(model, prompts)
    assert "packing differs" in caplog.text


@pytest.mark.parametrize("packed", [True, False])
def test_options_of_one_token_and_of_many_share_a_batch(packed, loaded, prompts):
    model = loaded("llama")
    one = prompts[0]
    mixed = replace(one, options=((5,), (6, 7, 8), (9, 10), (11,)), gold=1, scale=())
    keep = keeps_of(model.sites, 1)
    (reply,) = answer(model, [mixed], Masks(keep), packed=packed)
    expected = plain_loop(model, mixed, [layer[0] for layer in keep])
    assert reply.logprobs == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral"])
def test_an_empty_mask_flips_nothing(kind, loaded, prompts):
    model = loaded(kind)
    full = [torch.ones(len(prompts), s.n, dtype=torch.bool) for s in model.sites]
    replies = answer(model, prompts, Masks(full), packed=True)
    unmasked = answer(model, prompts, Masks([]), packed=True)
    assert replies == unmasked
    nothing = [torch.ones(s.n, dtype=torch.bool) for s in model.sites]
    for prompt, reply in zip(prompts[:6], replies, strict=False):
        plain = plain_loop(model, prompt, nothing)
        assert reply.predicted == plain.index(max(plain))
        assert reply.logprobs == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral", "gemma3_text"])
def test_a_shared_beginning_is_computed_once_per_mask(kind, loaded, prompts):
    model = loaded(kind)
    start = tuple(range(40, 60))
    shot = [replace(p, prefix=start + p.prefix, shared=len(start)) for p in prompts[:6]]
    same = torch.tensor([4, 4, 0, 0, 4, 2])
    rows = {4: 0, 0: 1, 2: 2}
    keep = [layer[[rows[int(i)] for i in same]] for layer in keeps_of(model.sites, 3)]
    seen = []
    hook = model.model.register_forward_pre_hook(
        lambda _m, _a, given: seen.append(tuple(given["input_ids"].shape)),
        with_kwargs=True,
    )
    found = answer(model, shot, Masks(keep, same), packed=True)
    hook.remove()
    assert seen[0] == (3, 20) and seen[1][0] == 6
    for i, reply in enumerate(found):
        expected = plain_loop(model, shot[i], [layer[i] for layer in keep])
        assert reply.logprobs == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3_text", "cohere"])
def test_logits_are_chosen_before_the_head_of_a_spread_model_too(kind, loaded, prompts):
    model = loaded(kind)
    shapes = []
    hook = model.model.get_output_embeddings().register_forward_hook(
        lambda _m, _a, logits: shapes.append(logits.shape)
    )
    expected = answer(model, prompts, Masks([]), packed=True)
    found = answer(replace(model, spread=True), prompts, Masks([]), packed=True)
    hook.remove()
    assert found == expected
    assert shapes[1].numel() == shapes[0].numel(), "no logits beside those read"


def test_memory_that_runs_out_halves_the_batch_and_loses_nothing(
    loaded, prompts, monkeypatch, caplog
):
    caplog.set_level("INFO")
    model = loaded("llama")
    sizes = []

    def small(loaded, batch, masks):
        sizes.append(len(batch.prompts))
        if len(batch.prompts) > 10:
            raise torch.OutOfMemoryError
        return answer_batch(loaded, batch, masks)

    monkeypatch.setattr(method, "answer_batch", small)
    source = Full(len(prompts))
    found = answer_all(model, prompts, source, 32, Method(packed=True), lambda n: None)
    assert sizes[:3] == [32, 16, 8] and set(sizes[2:-1]) == {8}
    assert "out of memory with 32 rows: going on with 16" in caplog.text
    whole = answer(model, prompts, Masks([]), packed=True)
    for one, other in zip(found, whole, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)

    def never(*_args, **_more):
        raise RuntimeError("can't allocate memory")

    monkeypatch.setattr(method, "answer_batch", never)
    with pytest.raises(UserError, match="single prompt"):
        answer_all(model, prompts, source, 4, Method(packed=True), lambda n: None)


@pytest.mark.parametrize(
    "fault", [UserError("w", "quantised", "Mask by hook"), torch.OutOfMemoryError()]
)
def test_a_trial_takes_the_hook_where_weights_cannot_be_written(
    fault, loaded, prompts, monkeypatch, caplog
):
    caplog.set_level("INFO")
    model = loaded("llama")

    def fails(*_args):
        raise fault

    monkeypatch.setattr(method, "zeroed", fails)
    source = Two(model.sites, len(prompts))
    by_hook, by_trial = (
        answer_all(
            *(model, prompts, source, 32),
            Method(packed=True, masking=masking),
            lambda n: None,
        )
        for masking in ("hook", "auto")
    )
    assert by_trial == by_hook
    assert "masking by hook" in caplog.text


class Two:
    """Two masks, dealt out in turn."""

    def __init__(self, sites, n):
        self.keep = keeps_of(sites, 2)
        self.same = torch.arange(n) % 2

    def masks(self, rows):
        same = self.same[list(rows)]
        return Masks([layer[same] for layer in self.keep], same)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral"])
@pytest.mark.parametrize("written", [0, 3])
def test_masking_by_weight_by_hook_or_as_tried_gives_the_same_answers(
    kind, written, loaded, prompts, caplog
):
    caplog.set_level("INFO")
    model = loaded(kind)
    source = Two(model.sites, len(prompts))
    before = [site.weight.clone() for site in model.sites]
    found = {
        masking: answer_all(
            *(model, prompts, source, 16),
            Method(packed=True, masking=masking, max_new_tokens=written),
            lambda n: None,
        )
        for masking in ("hook", "weight", "auto")
    }
    assert "masking by" in caplog.text
    unmasked = answer(model, prompts, Masks([]), packed=True)
    for i, reply in enumerate(found["hook"]):
        assert reply.logprobs != pytest.approx(unmasked[i].logprobs, abs=1e-4)
        for other in ("weight", "auto"):
            assert found[other][i].logprobs == pytest.approx(reply.logprobs, abs=1e-4)
            assert found[other][i].generated == reply.generated
    for site, weight in zip(model.sites, before, strict=True):
        assert torch.equal(site.weight, weight)


class Full:
    """Masks that keep everything."""

    def __init__(self, n):
        self.same = torch.zeros(n)

    def masks(self, rows):
        return Masks([])


def test_answer_predicts_the_first_of_a_tie_and_measures_from_the_best_other():
    reply = Answer((-3.0, -1.0, -1.0, -2.0), gold=2)
    assert reply.predicted == 1
    assert reply.margin == 0.0
    assert Answer((-3.0, -1.0, -2.5, -2.0), gold=1).margin == 1.0
    assert Answer((-3.0, -1.0, -2.5, -2.0), gold=0).margin == -2.0
