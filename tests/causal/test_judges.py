"""Judges: by string, and by an entailment model that is small and real."""

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from paraspec.causal.judges import EntailmentJudge, Pair, StringJudge, judge_of
from paraspec.core.errors import UserError

QUESTION = "The capital of Chad is"
SPELLINGS = {QUESTION: (("N'Djamena", "Fort Lamy"), ("Moundou",), ("-200 °C",))}
LABELS = ("CONTRADICTION", "neutral", "Entailment")
WORDS = ("the", "capital", "is", "of", "chad", "paris", "rome", *"abcd")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("n'djamena", "It is N'Djamena.", True),
        ("N'Djamena", "Fort Lamy", True),
        ("Moundou", "N'Djamena", False),
        ("the Rome!", "rome", True),
        ("Rome", "Paris", False),
        ("200 °C", "-200 °C", False),
        ("8.4", "84", False),
    ],
)
def test_strings_are_the_same_by_words_or_by_the_option_named(a, b, same):
    judge = judge_of("string", SPELLINGS)
    assert judge.same(QUESTION, a, b) is judge.same(QUESTION, b, a) is same


def test_options_are_those_of_the_question():
    judge = StringJudge(SPELLINGS)
    pairs = [Pair(q, "N'Djamena", "Fort Lamy") for q in (QUESTION, "Another one is")]
    assert judge.same_all(pairs) == [True, False]


def _tokenizer():
    special = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
    vocab = special | {word: i for i, word in enumerate(WORDS, start=4)}
    raw = Tokenizer(WordLevel(vocab, unk_token="[UNK]"))
    raw.pre_tokenizer = Whitespace()
    raw.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, cls_token="[CLS]", model_max_length=32, **named
    )


def _classifier(labels):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = BertConfig(
        vocab_size=4 + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=32,
        initializer_range=0.5,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    return BertForSequenceClassification(config).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("nli")
    _classifier(LABELS).save_pretrained(where)
    _tokenizer().save_pretrained(where)
    return where


ANSWERS = (*WORDS, "paris paris rome", "a b c d", "the rome")
PAIRS = [Pair("the capital is", a, b) for a in ANSWERS for b in ANSWERS]


def test_both_directions_must_be_entailed_behind_the_question(folder):
    judge = judge_of(str(folder), {}, batch_pairs=7)
    verdicts = judge.same_all(PAIRS)
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = _tokenizer()

    def entails(premise, hypothesis):
        texts = (f"the capital is {premise}", f"the capital is {hypothesis}")
        ids = tokenizer(*texts, return_tensors="pt")
        return LABELS[int(model(**ids).logits.argmax())] == "Entailment"

    one_way = {(a, b): entails(a, b) for _, a, b in PAIRS}
    both = [a == b or (one_way[a, b] and one_way[b, a]) for _, a, b in PAIRS]
    assert verdicts == both
    unequal = [v for v, (_, a, b) in zip(verdicts, PAIRS, strict=True) if a != b]
    assert {True, False} == set(unequal)  # else nothing was tried
    assert any(one_way[a, b] != one_way[b, a] for _, a, b in PAIRS)


def test_no_text_is_read_twice_and_equal_answers_not_at_all(folder):
    judge = EntailmentJudge.load(folder, batch_pairs=4)
    read = []
    judge._model.register_forward_pre_hook(
        lambda _module, _args, kwargs: read.append(len(kwargs["input_ids"])),
        with_kwargs=True,
    )
    judge.same_all([Pair("is", "a", "b"), Pair("is", "b", "a"), Pair("is", "c", "c")])
    assert sum(read) == 2
    assert judge.same_all([]) == []


@pytest.mark.parametrize(
    "labels", [("LABEL_0", "LABEL_1", "LABEL_2"), ("entailment", "not_entailment")]
)
def test_a_model_without_the_three_labels_is_refused(labels, tmp_path):
    _classifier(labels).save_pretrained(tmp_path)
    _tokenizer().save_pretrained(tmp_path)
    with pytest.raises(UserError) as error:
        judge_of(str(tmp_path), {})
    assert str(tmp_path) in str(error.value)
    assert all(label in error.value.fault for label in labels)
    assert "string" in error.value.remedy


def test_a_language_model_is_no_judge(loaded, tmp_path):
    one = loaded("llama")
    one.model.config.id2label = dict(enumerate(LABELS))
    one.model.save_pretrained(tmp_path)
    one.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError) as error:
        judge_of(str(tmp_path), {})
    assert str(tmp_path) in str(error.value) and "random" in error.value.fault


def test_what_is_not_here_is_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no config"):
        judge_of(str(tmp_path), {})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for setting in ("hub:no-such/model", "hub:no//model"):
        with pytest.raises(UserError, match="cache") as error:
            judge_of(setting, {})
        assert setting in str(error.value)
