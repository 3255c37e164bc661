"""Each failure that a preflight must see is made on a real tiny model."""

import dataclasses

import pytest
import torch
from tokenizers import normalizers, processors
from torch import nn
from torch.nn import functional

from paraspec.core.machine import processor_name
from paraspec.models.architectures import ARCHITECTURES
from paraspec.models.encoding import Encoding
from paraspec.models.load import LoadedModel
from paraspec.models.preflight.check import check, preflight
from paraspec.models.preflight.text import SAMPLES
from paraspec.models.sites import value_vector_sites


def findings(loaded, needs_letters=False):
    report = check("model", loaded, needs_letters=needs_letters)
    return {finding.name: finding for finding in report.findings}


def failures(loaded, **options):
    found = findings(loaded, **options).values()
    return {finding.name for finding in found if finding.outcome == "fail"}


def with_text(loaded, change):
    """The same model with a changed copy of its tokenizer."""
    from transformers import PreTrainedTokenizerFast

    old = loaded.tokenizer
    backend = type(old.backend_tokenizer).from_str(old.backend_tokenizer.to_str())
    change(backend)
    names = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"}
    changed = PreTrainedTokenizerFast(tokenizer_object=backend, **names)
    return dataclasses.replace(loaded, tokenizer=changed)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", [*ARCHITECTURES, "persimmon", "glm4_moe"])
def test_every_architecture_passes(kind, dtype, loaded):
    report = check("model", loaded(kind, dtype=dtype), needs_letters=False)
    assert report.passed, report.findings
    assert len(report.findings) == 12
    assert report.architecture == kind
    assert report.found_by == ("table" if kind in ARCHITECTURES else "structure")
    assert report.dtype == dtype
    assert report.hardware == processor_name()
    assert (report.experts is not None) == any(site.routed for site in report.sites)


def test_a_hook_that_never_fires(loaded):
    found = loaded("bloom")
    mlp = found.model.transformer.h[1].mlp
    mlp.pretraining_tp, mlp.slow_but_exact = 2, True
    finding = findings(found)["every hook fires"]
    assert finding.outcome == "fail"
    assert "h.1.mlp.dense_4h_to_h fired 0 times" in finding.detail
    assert "h.0" not in finding.detail


def test_a_hook_whose_width_is_not_d_ff(loaded):
    found = loaded("llama")
    wrong = dataclasses.replace(found.sites[0], d_ff=23)
    found = dataclasses.replace(found, sites=(wrong, found.sites[1]))
    assert "24 coefficients, once with 23" in findings(found)["every hook fires"].detail
    assert failures(found) == {"every hook fires"}


def test_masking_that_does_nothing(loaded):
    found = loaded("llama")
    for site in found.sites:
        site.weight.zero_()
    finding = findings(found)["masking changes the logits"]
    assert finding.outcome == "fail"
    assert finding.detail == "masking every value vector changes no logit"


@pytest.mark.parametrize("kind", ["llama", "deepseek_v3"])
def test_one_broken_down_projection_is_named(kind, loaded):
    found = loaded(kind)
    broken = found.sites[-1]
    broken.weight.zero_()
    assert failures(found) == {"masking changes the logits"}
    detail = findings(found)["masking changes the logits"].detail
    assert broken.name in detail and found.sites[0].name not in detail


class CopiedWeight(nn.Linear):
    """Multiplies by a copy of its weight, so that masking the weight does nothing."""

    def forward(self, x):
        return functional.linear(x, self.copy)


def test_back_ends_that_disagree(loaded):
    found = loaded("llama")
    mlp = found.model.model.layers[1].mlp
    copied = CopiedWeight(24, 16, bias=False).requires_grad_(False)
    copied.weight, copied.copy = mlp.down_proj.weight, mlp.down_proj.weight.clone()
    mlp.down_proj = copied
    found = dataclasses.replace(found, sites=value_vector_sites(found.model))
    assert failures(found) == {"hook and weight masking agree"}


class Packed(nn.Parameter):
    """A weight of a class of its own, as quantisation libraries make."""


def test_weights_that_cannot_be_written_leave_the_hooks(loaded):
    found = loaded("llama")
    module = found.sites[1].module
    module.weight = Packed(module.weight.data, requires_grad=False)
    finding = findings(found)["hook and weight masking agree"]
    assert finding.outcome == "warning"
    assert "only hooks" in finding.detail and "Packed" in finding.detail
    assert not failures(found)


def test_a_model_that_never_answers_twice_alike(loaded):
    found = loaded("gpt2", resid_pdrop=0.5)
    found.model.train()
    assert failures(found) >= {
        "an empty mask changes nothing",
        "the model is left as it was",
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none(number, loaded):
    found = loaded("llama")
    found.model.model.layers[1].mlp.up_proj.weight[3, 3] = number
    assert failures(found) == {"weights are finite", "activations are finite"}
    every = findings(found)
    assert "layers.1.mlp.up_proj.weight" in every["weights are finite"].detail
    assert "layers.1.mlp.down_proj" in every["activations are finite"].detail
    assert "masking changes the logits" not in every, "nothing can be said of NaN"


def test_nan_weights_are_seen_in_experts_that_the_prompt_does_not_meet(loaded):
    found = loaded("mixtral", num_local_experts=64)
    sums = []
    found.sites[0].module.register_forward_pre_hook(
        lambda module, args: sums.append(args[1].unique())
    )
    findings(found)
    unmet = set(range(64)) - set(torch.cat(sums).tolist())
    found.model.model.layers[0].mlp.experts.down_proj[min(unmet), 0, 0] = torch.nan
    assert failures(found) == {"weights are finite"}


def test_activations_that_overflow(loaded):
    found = loaded("llama", dtype="float16")
    for part in ("gate_proj", "up_proj"):
        found.model.model.layers[0].mlp.get_submodule(part).weight.mul_(3000)
    assert failures(found) == {"activations are finite"}
    assert "layers.0.mlp.down_proj" in findings(found)["activations are finite"].detail


# Tokenizers.


def test_a_tokenizer_that_loses_spaces(loaded):
    def lose(backend):
        backend.normalizer = normalizers.Replace(" ", "")

    found = with_text(loaded("llama"), lose)
    finding = findings(found)["text survives the tokenizer"]
    assert finding.outcome == "fail"
    assert "'ThecapitalofFranceisParis.'" in finding.detail


def test_a_tokenizer_that_loses_accents(loaded):
    def lose(backend):
        parts = [normalizers.NFD(), normalizers.StripAccents()]
        backend.normalizer = normalizers.Sequence(parts)

    found = with_text(loaded("llama"), lose)
    assert failures(found) == {"text survives the tokenizer"}
    assert "Sao" in findings(found)["text survives the tokenizer"].detail


def test_bos_that_is_added_twice(loaded):
    def double(backend):
        backend.post_processor = processors.TemplateProcessing(
            single="<bos> <bos> $A", special_tokens=[("<bos>", 1)]
        )

    found = with_text(loaded("llama"), double)
    assert failures(found) == {"BOS is not doubled"}
    report = check("model", found, needs_letters=False)
    assert report.text.bos_added and report.text.bos_doubled


def test_bos_that_is_not_added_is_a_fact_not_a_fault(loaded):
    def leave(backend):
        backend.post_processor = processors.ByteLevel()

    report = check("m", with_text(loaded("llama"), leave), needs_letters=False)
    assert report.passed
    assert not report.text.bos_added and not report.text.written_bos_doubled


def add_letters(backend):
    backend.add_tokens([" A", " B", " C", " D"])


def test_letters_are_needed_only_by_a_scorer_that_answers_with_them(loaded):
    name = "letters are distinct single tokens"
    plain = loaded("llama")
    tokens = Encoding(plain.tokenizer).added("Answer:", " D")
    assert len(tokens) > 1, "the fixture's tokenizer splits ' D'"
    assert findings(plain)[name].outcome == "warning"
    assert failures(plain, needs_letters=True) == {name}
    lettered = with_text(loaded("llama", vocab_size=400), add_letters)
    assert not failures(lettered, needs_letters=True)
    report = check("model", lettered, needs_letters=True)
    assert [len(t) for t in report.text.letters.tokens.values()] == [1] * 4
    assert report.passed


def test_letters_that_change_the_prompt_are_seen(loaded):
    def join(backend):
        backend.add_tokens(["Answer: A", " B", " C", " D"])

    report = check(
        "m", with_text(loaded("llama", vocab_size=400), join), needs_letters=True
    )
    assert report.text.letters.tokens["A"] is None
    assert not report.passed


def test_tokens_that_the_model_does_not_know(loaded, tiny, tokenizer):
    model = tiny("llama", vocab_size=100)
    found = LoadedModel(model, tokenizer, value_vector_sites(model))
    assert failures(found) == {"token ids fit the model"}


# The report.


def test_memory_is_the_sum_that_the_docstring_states(loaded):
    memory = check("model", loaded("llama"), needs_letters=False).memory
    vocabulary = loaded("llama").model.config.vocab_size
    tokens = 64 * 128
    assert memory.cache == tokens * 2 * 2 * 16 * 4  # layers, keys and values, width
    assert memory.activations == tokens * 4 * (6 * 16 + 4 * 24)
    assert memory.logits == 64 * vocabulary * (4 + 8)
    parameters = loaded("llama").model.parameters()
    assert memory.weights == 4 * sum(p.numel() for p in parameters)
    assert memory.total == sum(
        (memory.weights, memory.cache, memory.activations, memory.logits)
    )


def test_a_token_s_mlp_is_that_of_the_experts_it_meets(loaded):
    """DeepSeek's widest layer: two routed experts of 24 and shared ones of 48."""
    memory = check("model", loaded("deepseek_v3"), needs_letters=False).memory
    assert memory.activations == 64 * 128 * 4 * (6 * 16 + 4 * (2 * 24 + 48))


def test_the_probe_fits_a_short_context(loaded):
    found = loaded("gpt2", max_position_embeddings=16)
    assert len(found.tokenizer(SAMPLES[0])["input_ids"]) > 16
    report = check("model", found, needs_letters=False)
    assert report.passed and report.context_length == 16


def test_left_over_tensors_are_a_warning(loaded):
    found = dataclasses.replace(loaded("llama"), unused=("value_head.weight",))
    finding = findings(found)["every tensor of the folder is used"]
    assert finding.outcome == "warning"
    assert "value_head.weight" in finding.detail


def test_a_folder_is_checked_as_it_is_loaded(saved):
    report = preflight(saved("qwen2_moe"), "bfloat16")
    assert report.passed
    assert report.dtype == "bfloat16"
    assert [(s.layer, s.routed, s.d_ff) for s in report.sites] == [
        (0, True, 24),
        (0, False, 32),
        (1, True, 24),
        (1, False, 32),
    ]
    assert report.n_layers == 2
