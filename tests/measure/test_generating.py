"""Generated answers: padding, masks and what counts as naming an option."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraspec.core.config import Asking, AskingConfig
from paraspec.data.study import prompt_table
from paraspec.measure import generating
from paraspec.measure.generating import generated_options, named_option
from paraspec.measure.prompts import tokenise
from paraspec.measure.scoring import Masks, under
from paraspec.models.weights import zeroed

OPTIONS = [["New"], ["New York", "NYC"], ["São Tomé"], ["10 %"]]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("New York", 1),
        (" it's new", 0),
        ("nyc.", 1),
        ("Sao Tome!", 2),
        ("about 10 % of it", 3),
        ("10 %, not New York", 3),
        ("\n\nNew York\nNew", 1),
        ("renewed", -1),
        ("Rome\nNew York", -1),
        ("", -1),
    ],
)
def test_the_first_option_named_in_the_first_line_counts(text, named):
    assert named_option(text, OPTIONS) == named


@given(st.text())
def test_any_text_names_an_option_or_none(text):
    assert named_option(text, OPTIONS) in range(-1, 4)


@pytest.fixture(scope="module")
def prompts(made_up, tokenizer):
    table = prompt_table(made_up(1)[:4], seed=0)
    asking = Asking("generate", AskingConfig(generate_template="{question}"))
    found = list(tokenise(table, asking, tokenizer).values())[::5]
    return [replace(p, prefix=p.prefix[: 13 - i]) for i, p in enumerate(found)]


@pytest.fixture
def texts(monkeypatch):
    """What the model wrote, before an option is looked for in it."""
    written = []
    monkeypatch.setattr(
        generating, "named_option", lambda text, _: written.append(text) or 0
    )
    return written


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mixtral"])
def test_left_padding_and_masks_change_no_answer(kind, loaded, prompts, texts):
    model = loaded(kind)
    rng = torch.Generator().manual_seed(3)
    line = [torch.rand(site.n, generator=rng) < 0.6 for site in model.sites]
    keep = [layer.expand(len(prompts), -1) for layer in line]
    assert len({len(p.prefix) for p in prompts}) > 1
    generated_options(model, prompts, under(model, Masks(keep)), 6)
    batched = list(texts)
    texts.clear()
    for prompt in prompts:
        generated_options(model, [prompt], zeroed(model.sites, line), 6)
    assert batched == texts
    texts.clear()
    generated_options(model, prompts, nullcontext(), 6)
    assert batched != texts
