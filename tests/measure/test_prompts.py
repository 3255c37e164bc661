import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.core.files import sha256_text
from paraspec.measure.prompts import Prompt, by_length, tokenise

WORDS = ["<unk>", "<s>", "</s>", "the", "capital", "is", "Paris", "Rome", "New", "York"]


def table(prefix="the capital is", options=("Paris", "Rome", "New York")):
    row = {"item": "x.y", "prefix": prefix, "options": json.dumps(options), "gold": 1}
    return pd.DataFrame([row])


def word_tokenizer(template="<s> $A"):
    tokenizer = Tokenizer(
        models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = [(w, WORDS.index(w)) for w in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=special
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def test_prompt_is_bos_and_words_and_bos_is_not_counted():
    prompt = tokenise(table(), Asking(), word_tokenizer())["x.y"]
    assert prompt.prefix == (1, 3, 4, 5)
    assert prompt.counted == (False, True, True, True)
    assert prompt.options == ((6,), (7,), (8, 9))
    assert prompt.gold == 1
    assert prompt.prompt_hash == sha256_text("the capital is")[:12]


@pytest.mark.parametrize("template", ["<s> $A </s>", "$A </s>"])
def test_an_appended_eos_is_dropped_from_prompts_and_options(template):
    with_eos = tokenise(table(), Asking(), word_tokenizer(template))["x.y"]
    without = tokenise(
        table(), Asking(), word_tokenizer(template.removesuffix(" </s>"))
    )["x.y"]
    assert with_eos == without


def test_a_tokenizer_without_bos_counts_every_token():
    prompt = tokenise(table(), Asking(), word_tokenizer("$A"))["x.y"]
    assert prompt.prefix == (3, 4, 5)
    assert all(prompt.counted)


@pytest.mark.parametrize("option", ["a", "ab"])
def test_a_tokenizer_that_merges_prompt_and_answer_is_refused(option):
    letters = Tokenizer(
        models.BPE(
            {c: i for i, c in enumerate([*"abc ", "c ", "c a"])},
            [("c", " "), ("c ", "a")],
        )
    )
    merging = PreTrainedTokenizerFast(tokenizer_object=letters)
    with pytest.raises(UserError) as error:
        tokenise(table("abc", [option]), Asking(), merging)
    assert error.value.where == "item x.y"
    assert f"'abc {option}'" in error.value.fault
    assert "blank" in error.value.remedy


def test_an_option_without_tokens_is_refused():
    with pytest.raises(UserError, match=r"x\.y"):
        tokenise(table(options=["", "Rome"]), Asking(), word_tokenizer())


def test_zoo_tokenizer_gives_prompts_bos_and_keeps_the_text(tokenizer):
    row = table("The capital of São Tomé is", ["1,000", "Åland", "10 %"])
    prompt = tokenise(row, Asking(), tokenizer)["x.y"]
    assert prompt.prefix[0] == tokenizer.bos_token_id
    assert prompt.counted == (False, *[True] * (len(prompt.prefix) - 1))
    text = tokenizer.decode([*prompt.prefix[1:], *prompt.options[1]])
    assert text == "The capital of São Tomé is Åland"


def prompt_of(length):
    return Prompt(f"i{length}", 0, "", (0,) * length, (True,) * length, ((1,),))


@given(
    st.lists(st.integers(1, 5), max_size=40),
    st.integers(1, 7),
)
def test_batches_hold_every_prompt_once_with_equally_long_prefixes(lengths, rows):
    prompts = [prompt_of(n) for n in lengths]
    found = list(by_length(prompts, rows))
    assert sorted(i for batch in found for i in batch) == list(range(len(prompts)))
    for batch in found:
        assert 1 <= len(batch) <= rows
        assert len({lengths[i] for i in batch}) == 1
