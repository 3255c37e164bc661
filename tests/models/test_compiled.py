"""Parts of a model compiled: the same answers, under masks that come and go."""

import shutil
from itertools import chain

import pytest
import torch

from paraspec.core.config import Asking
from paraspec.core.errors import UserError
from paraspec.data.study import prompt_table
from paraspec.measure.prompts import tokenise
from paraspec.measure.scoring import Masks, answer
from paraspec.models.compiled import compile_beside_sites

BESIDE = ("self_attn", "input_layernorm", "post_attention_layernorm")


@pytest.fixture
def prompts(made_up, tokenizer):
    table = prompt_table(made_up(1)[:2], seed=0)
    return list(tokenise(table, Asking(), tokenizer).values())[:6]


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a compiler")
@pytest.mark.xdist_group("slow")
def test_compiled_answers_are_the_same_under_every_mask(loaded, prompts):
    model = loaded("llama")
    rng = torch.Generator().manual_seed(3)
    draws = [
        [torch.rand(len(prompts), site.n, generator=rng) < 0.7 for site in model.sites]
        for _ in range(2)
    ]
    before = [answer(model, prompts, Masks(keep), packed=True) for keep in draws]
    names = compile_beside_sites(model)
    n_layers = len(model.sites)
    assert names == [f"model.layers.{i}.{c}" for i in range(n_layers) for c in BESIDE]
    after = [answer(model, prompts, Masks(keep), packed=True) for keep in draws]
    pairs = zip(chain(*before), chain(*after), strict=True)
    for one, other in pairs:
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert before[0] != before[1], "masks act"


def test_a_machine_that_cannot_compile_is_told(loaded):
    model = loaded("llama")

    def fails(*_args, **_more):
        raise torch._dynamo.exc.TorchDynamoException("no compiler\nand much more")

    model.model.forward = fails
    with pytest.raises(UserError, match="compile fails here: no compiler") as told:
        compile_beside_sites(model)
    assert "\n" not in str(told.value)
