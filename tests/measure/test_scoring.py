"""Batched answers against the loop that anyone would write first."""

from contextlib import ExitStack

import pytest
import torch

from paraspec.data.study import prompt_table
from paraspec.measure.prompts import batches, tokenise
from paraspec.measure.scoring import Answer, answer
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
    return list(tokenise(table, "cloze", tokenizer).values())


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
def test_batched_answers_equal_the_plain_loop(kind, loaded, prompts):
    model = loaded(kind)
    keep = keeps_of(model.sites, len(prompts))
    assert len({len(o) for p in prompts for o in p.options}) > 1
    n_lengths = 0
    for rows in batches(prompts, 64):
        chosen = rows[:5]
        found = answer(
            model, [prompts[i] for i in chosen], [layer[chosen] for layer in keep]
        )
        for i, reply in zip(chosen, found, strict=True):
            expected = plain_loop(model, prompts[i], [layer[i] for layer in keep])
            assert reply.logprobs == pytest.approx(expected, abs=1e-4)
            assert reply.gold == prompts[i].gold
        n_lengths += 1
    assert n_lengths > 1


def test_options_of_one_token_and_of_many_share_a_batch(loaded, prompts):
    model = loaded("llama")
    one = prompts[0]
    mixed = type(one)(
        **vars(one) | {"options": ((5,), (6, 7, 8), (9, 10), (11,)), "gold": 1}
    )
    keep = keeps_of(model.sites, 1)
    (reply,) = answer(model, [mixed], keep)
    expected = plain_loop(model, mixed, [layer[0] for layer in keep])
    assert reply.logprobs == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral"])
def test_an_empty_mask_flips_nothing(kind, loaded, prompts):
    model = loaded(kind)
    for rows in batches(prompts, 64):
        chosen = [prompts[i] for i in rows]
        full = [torch.ones(len(rows), s.n, dtype=torch.bool) for s in model.sites]
        replies = answer(model, chosen, full)
        for prompt, reply in zip(chosen[:2], replies, strict=False):
            nothing = [torch.ones(s.n, dtype=torch.bool) for s in model.sites]
            plain = plain_loop(model, prompt, nothing)
            assert reply.predicted == plain.index(max(plain))
            assert reply.logprobs == pytest.approx(plain, abs=1e-4)


def test_answer_predicts_the_first_of_a_tie_and_measures_from_the_best_other():
    reply = Answer((-3.0, -1.0, -1.0, -2.0), gold=2)
    assert reply.predicted == 1
    assert reply.margin == 0.0
    assert Answer((-3.0, -1.0, -2.5, -2.0), gold=1).margin == 1.0
    assert Answer((-3.0, -1.0, -2.5, -2.0), gold=0).margin == -2.0
