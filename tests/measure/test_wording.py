"""What each scorer asks, and what it makes of the answers."""

import json
from collections import Counter

import pandas as pd
import pytest
import torch

from paraspec.core.config import Asking, AskingConfig, Shot
from paraspec.core.errors import UserError
from paraspec.data.study import prompt_table
from paraspec.measure.baseline import with_baseline
from paraspec.measure.prepare import prepare
from paraspec.measure.prompts import tokenise
from paraspec.measure.scoring import Masks, answer
from paraspec.measure.wording import SCORERS, letters

SHOT = Shot(question="How many days has a week?", options=("Five", "Seven"), gold=1)
CHAT = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="module")
def table(made_up):
    return prompt_table(made_up(1)[:4], seed=0)


def ask(scorer, chat=False, **config):
    return Asking(scorer, AskingConfig(**config), chat)


def text_of(tokenizer, prompt):
    return tokenizer.decode(prompt.prefix, skip_special_tokens=True)


def test_letters_ask_with_lettered_options_and_read_the_gold_letter(table, tokenizer):
    prompts = tokenise(table, ask("letters"), tokenizer)
    for row in table.iloc[::7].to_dict("records"):
        prompt = prompts[row["item"]]
        options = json.loads(row["options"])
        asked = [options[i] for i in prompt.order]
        lines = [f"{x}. {o}" for x, o in zip("ABCD", asked, strict=True)]
        expected = "\n".join([f"Question: {row['question']}", *lines, "Answer:"])
        assert text_of(tokenizer, prompt) == expected
        gold = tokenizer.decode(prompt.options[row["gold"]]).strip()
        assert lines["ABCD".index(gold)] == f"{gold}. {options[row['gold']]}"


def test_letters_rotate_the_options_evenly_and_the_same_way_each_time(table):
    row = table.iloc[0].copy()
    rows = (row.replace(row["item"], f"x.{i}") for i in range(400))
    orders = Counter(letters(one, AskingConfig()).order for one in rows)
    assert set(orders) == {(0, 1, 2, 3), (1, 2, 3, 0), (2, 3, 0, 1), (3, 0, 1, 2)}
    assert max(orders.values()) < 1.5 * min(orders.values())
    assert letters(row, AskingConfig()) == letters(row, AskingConfig())


def test_shots_stand_before_every_question_and_do_not_count(table, tokenizer):
    prompts = tokenise(table, ask("letters", shots=(SHOT,)), tokenizer)
    plain = tokenise(table, ask("letters"), tokenizer)
    start = "Question: How many days has a week?\nA. Five\nB. Seven\nAnswer: B\n\n"
    for item, prompt in prompts.items():
        text = text_of(tokenizer, prompt)
        assert text == start + text_of(tokenizer, plain[item])
        assert not any(prompt.counted[: prompt.shared])
        assert all(prompt.counted[prompt.shared :])
        shared = tokenizer.decode(prompt.prefix[1 : prompt.shared])
        assert shared.startswith(start + "Question:")
    assert len({prompt.shared for prompt in prompts.values()}) == 1


def test_letters_that_are_no_single_tokens_are_an_error(table, tokenizer):
    class Spelling:
        """A tokenizer that writes every letter of an answer as two tokens."""

        all_special_ids = ()
        eos_token_id = None
        chat_template = None

        def __call__(self, text, add_special_tokens=True):
            return {"input_ids": [b for c in text.encode() for b in (c, 0)]}

    with pytest.raises(UserError) as error:
        tokenise(table, ask("letters"), Spelling())
    assert error.value.where.startswith("item ")
    assert "A, B, C, D are no single tokens" in error.value.fault


def test_options_that_are_the_same_tokens_are_an_error(table, tokenizer):
    row = table.iloc[[0]].assign(options=json.dumps(["ash", "ash", "oak", "elm"]))
    with pytest.raises(UserError, match="two options are the same tokens"):
        tokenise(row, ask("cloze"), tokenizer)


def test_a_question_longer_than_the_context_names_the_item(loaded, table):
    model = loaded("llama", max_position_embeddings=12)
    with pytest.raises(UserError) as error:
        prepare(model, table, ask("cloze"))
    assert error.value.where.startswith("item ")
    assert "context of 12" in error.value.fault


@pytest.mark.parametrize("name", ["cloze", "cloze-token", "cloze-byte", "cloze-pmi"])
def test_cloze_variants_normalise_the_same_likelihoods(name, loaded, table):
    model = loaded("llama")
    plain = prepare(model, table, ask("cloze"))
    prompts = prepare(model, table, ask(name))
    if name == "cloze-pmi":
        prompts = with_baseline(model, prompts, "So it is", 7)
    replies = answer(model, list(prompts.values()), Masks([]), packed=True)
    base = model.tokenizer("So it is")["input_ids"]
    for (item, prompt), reply in list(zip(prompts.items(), replies, strict=True))[::9]:
        options = json.loads(table.set_index("item").loc[item, "options"])
        for option, text in enumerate(options):
            tokens = plain[item].options[option]
            value = reply.logprobs[option]
            if name == "cloze-token":
                value /= len(tokens)
            if name == "cloze-byte":
                value /= len(text.encode())
            if name == "cloze-pmi":
                ids = torch.tensor([[*base, *tokens]])
                logprobs = model.model(input_ids=ids).logits[0].log_softmax(-1)
                rest = enumerate(tokens, start=len(base) - 1)
                value -= sum(float(logprobs[i, t]) for i, t in rest)
            assert reply.deciding[option] == pytest.approx(value, abs=1e-4)
        assert prompt.prompt_hash == plain[item].prompt_hash


def test_chat_puts_the_prompt_into_the_template_with_one_bos(table, tokenizer):
    with pytest.raises(UserError, match="no chat template"):
        tokenise(table, ask("letters", chat=True), tokenizer)
    tokenizer.chat_template = CHAT
    try:
        prompts = tokenise(table, ask("letters", chat=True), tokenizer)
    finally:
        tokenizer.chat_template = None
    row = table.iloc[0]
    prompt = prompts[row["item"]]
    assert prompt.prefix.count(tokenizer.bos_token_id) == 1
    text = tokenizer.decode(prompt.prefix[1:])
    assert text.startswith(f"<user>Question: {row['question']}")
    assert text.endswith("Answer:<assistant>")
    assert tokenizer.decode(prompt.options[0]) in "ABCD"
    assert not any(prompt.counted[: prompt.shared])


def test_every_scorer_that_the_configuration_allows_is_there():
    from typing import get_args

    from paraspec.core.definitions import ScorerName

    assert set(get_args(ScorerName)) == set(SCORERS)


def test_generation_accepts_aliases_of_the_right_answer(table, tokenizer):
    row = table.iloc[[0]].assign(aliases=json.dumps(["the tree"]))
    prompt = tokenise(row, ask("generate"), tokenizer)[table.iloc[0]["item"]]
    gold = json.loads(table.iloc[0]["options"])[prompt.gold]
    assert prompt.spellings[prompt.gold] == (gold, "the tree")
    assert text_of(tokenizer, prompt) == f"Question: {row.iloc[0]['question']}\nAnswer:"


@pytest.mark.parametrize("scorer", ["letters", "generate"])
def test_the_frame_of_a_prompt_is_the_same_whatever_else_is_asked(
    table, tokenizer, scorer
):
    both = tokenise(table, ask(scorer), tokenizer)
    one = tokenise(pd.DataFrame(table.iloc[[0]]), ask(scorer), tokenizer)
    (prompt,) = one.values()
    assert prompt == both[prompt.item]
    assert tokenizer.decode(prompt.prefix[1 : prompt.shared]).strip() == "Question:"
    assert prompt.counted[-1]
