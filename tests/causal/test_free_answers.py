"""Free answers: where they end, what they are worth, and that sampling is honest."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraspec.causal import free_answers as module
from paraspec.causal.free_answers import (
    accepted,
    answer_tokens,
    contained,
    cut,
    free_answers,
    sampled,
    token_f1,
)
from paraspec.core.config import Asking, AskingConfig
from paraspec.data.study import prompt_table
from paraspec.measure.prompts import tokenise

KINDS = ["llama", "gpt2", "mixtral"]


@pytest.fixture(scope="module")
def table(made_up):
    return prompt_table(made_up(1)[:4], seed=0)


@pytest.fixture(scope="module")
def prompts(table, tokenizer):
    found = list(tokenise(table, Asking("cloze", AskingConfig()), tokenizer).values())
    chosen = [replace(p, prefix=p.prefix[: 13 - i]) for i, p in enumerate(found[::6])]
    assert len({len(p.prefix) for p in chosen}) > 3
    return chosen


# Where an answer ends.


@pytest.mark.parametrize(
    ("written", "text", "kept"),
    [
        (" Canberra.<eos>", "Canberra", " Canberra."),
        (" Canberra<eos>.<eos>", "Canberra", " Canberra<eos>"),
        (" Canberra", "Canberra", " Canberra"),
        (" Canberra. It is", "Canberra", " Canberra."),
        ("\n\n Canberra\nIt", "Canberra", "\n\n Canberra\n"),
        (" 8.4 eV.<eos>", "8.4 eV", " 8.4 eV."),
        (" 8.4. It", "8.4", " 8.4."),
        (" J. Thomson. B.\n It", "J. Thomson", " J. Thomson."),
        (" vitamin B.\n It", "vitamin B", " vitamin B."),
        (" .de!<eos>", ".de", " .de!"),
        (" St. John's. It", "St. John's", " St. John's."),
        (" J. J. Thomson", "J. J. Thomson", " J. J. Thomson"),
        (" Washington, D.C. in <eos>", "Washington, D.C. in", None),
        (" São Tomé?<eos>", "São Tomé", " São Tomé?"),
        ("<eos>", "", "<eos>"),
        (".<eos>", "", "."),
    ],
)
def test_an_answer_ends_at_its_line_sentence_or_token(written, text, kept, tokenizer):
    ids = tokenizer(written, add_special_tokens=False)["input_ids"]
    ends = (tokenizer.eos_token_id,)
    found, tokens = cut(ids, tokenizer, ends)
    assert found == text
    assert tokenizer.decode(tokens) == (written if kept is None else kept)


@given(st.text("aB.é \n!8", max_size=20), st.integers(0, 20))
def test_kept_tokens_are_a_beginning_that_holds_the_answer(tokenizer, text, eos_at):
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    ids.insert(min(eos_at, len(ids)), tokenizer.eos_token_id)
    found, kept = cut(ids, tokenizer, (tokenizer.eos_token_id,))
    assert len(kept) >= 1 and list(kept) == ids[: len(kept)]
    assert found in tokenizer.decode(kept, skip_special_tokens=True)
    assert found == found.strip() and "\n" not in found
    assert cut(kept, tokenizer, (tokenizer.eos_token_id,)) == (found, kept)


# Greedy answers.


@pytest.mark.parametrize("kind", KINDS)
def test_answers_do_not_depend_on_the_batch(kind, loaded, prompts):
    model = loaded(kind)
    alone = [free_answers(model, [p], 6, 1)[0] for p in prompts]
    assert free_answers(model, prompts, 6, 3) == alone
    assert len(set(alone)) > 1


def test_the_models_own_generation_settings_change_nothing(loaded, prompts):
    model = loaded("llama")
    asked = free_answers(model, prompts, 8, 8), _texts(model, prompts)
    own = model.model.generation_config
    own.repetition_penalty = 9.0
    own.top_k, own.top_p, own.temperature, own.do_sample = 1, 0.1, 0.1, True
    assert (free_answers(model, prompts, 8, 8), _texts(model, prompts)) == asked
    assert model.model.generation_config is own


def _texts(model, prompts, seed=0):
    return [[s.text for s in of] for of in sampled(model, prompts, 3, 1.0, seed, 8, 9)]


# Sampled answers.


def test_equal_calls_give_equal_samples_and_touch_no_other_draw(loaded, prompts):
    model = loaded("llama")
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    first = sampled(model, prompts, 4, 1.0, 0, 5, 8)
    assert torch.equal(torch.rand(3), wanted)
    assert sampled(model, prompts, 4, 1.0, 0, 5, 8) == first
    assert [len(of) for of in first] == [4] * len(prompts)
    assert _texts(model, prompts) != _texts(model, prompts, seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_logprobs_are_those_of_the_kept_tokens_at_temperature_one(
    kind, loaded, prompts, monkeypatch
):
    model = loaded(kind)
    kept = []

    def spied(*args):
        kept.append(cut(*args))
        return kept[-1]

    monkeypatch.setattr(module, "cut", spied)
    one_by_one = [sampled(model, [p], 5, 1.7, 0, 6, 5)[0] for p in prompts]
    samples = [sample for of in one_by_one for sample in of]
    assert len(samples) == len(kept) == 5 * len(prompts)
    for i, (sample, (text, tokens)) in enumerate(zip(samples, kept, strict=True)):
        prefix = prompts[i // 5].prefix
        ids = torch.tensor([[*prefix, *tokens]])
        logits = model.model(input_ids=ids).logits[0, len(prefix) - 1 : -1]
        each = logits.log_softmax(-1)[torch.arange(len(tokens)), list(tokens)]
        assert sample.logprob == pytest.approx(float(each.sum()), abs=2e-3)
        assert (sample.text, sample.n_tokens) == (text, len(tokens))


def test_samples_follow_the_whole_distribution(loaded, prompts):
    model, prompt = loaded("llama"), prompts[0]
    n = 4000
    logits = model.model(input_ids=torch.tensor([prompt.prefix])).logits[0, -1]
    drawn = sampled(model, [prompt], n, 2.0, 0, 1, n)[0]
    expected = Counter()
    for token, p in enumerate((logits / 2).softmax(-1).tolist()):
        expected[cut([token], model.tokenizer, (2,))[0]] += p
    counts = Counter(sample.text for sample in drawn)
    assert len(counts) > 60  # a cut at the 50 likeliest tokens would show
    wanted = np.array([expected[text] * n for text in expected])
    seen = np.array([counts[text] for text in expected])
    z = (seen - wanted) / np.sqrt(wanted)
    assert abs(z).max() < 5 and 0.7 < (z**2).mean() < 1.3


# What an answer is worth.


@pytest.mark.parametrize(
    ("text", "answers", "found"),
    [
        ("It is Sao Tome now", ["São Tomé"], True),
        ("Rome, of course", ["Paris", "rome"], True),
        ("Romeo", ["Rome"], False),
        ("Guinea-Bissau", ["Guinea"], False),
        ("-200 °C", ["200 °C"], False),
        ("18.4", ["8.4"], False),
        ("8.4", ["8"], False),
        ("4", ["8.4"], False),
        ("+980", ["+98"], False),
        ("+98.", ["+98"], True),
        ("", ["Rome"], False),
    ],
)
def test_an_accepted_answer_counts_as_whole_words(text, answers, found):
    assert contained(text, answers) is found


@pytest.mark.parametrize(
    ("text", "answers", "f1"),
    [
        ("The New York", ["new york"], 1.0),
        ("New York City", ["York", "New York"], 0.8),
        ("york york", ["York"], 2 / 3),
        ("14", ["1.4"], 0.0),
        ("", ["Rome"], 0.0),
        ("Rome", [], 0.0),
    ],
)
def test_token_f1_by_hand(text, answers, f1):
    assert token_f1(text, answers) == pytest.approx(f1)


WORDS = st.lists(st.sampled_from(["rome", "new", "york", "8.4", "-8"]), max_size=5)


@given(WORDS, WORDS)
def test_token_f1_is_the_harmonic_mean_of_precision_and_recall(a, b):
    f1 = token_f1(" ".join(a), [" ".join(b)])
    left, shared = list(b), 0
    for word in a:
        if word in left:
            left.remove(word)
            shared += 1
    if not a or not b:
        assert f1 == float(a == b)
    elif shared == 0:
        assert f1 == 0
    else:
        precision, recall = shared / len(a), shared / len(b)
        assert f1 == pytest.approx(2 / (1 / precision + 1 / recall))


@given(st.text())
def test_tokens_are_folded_and_fold_to_themselves(text):
    tokens = answer_tokens(text)
    assert [token.casefold() for token in tokens] == tokens
    assert all(token.strip() for token in tokens)


def test_gold_and_aliases_are_accepted():
    row = pd.Series({"options": '["55", "89"]', "gold": 1, "aliases": '["LXXXIX"]'})
    assert accepted(row) == ("89", "LXXXIX")
