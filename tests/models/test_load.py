"""Loading folders: whole ones bit for bit, others with one plain reason."""

import json

import pytest
import torch

from paraspec.core.errors import UserError
from paraspec.models.architectures import ARCHITECTURES
from paraspec.models.load import count_parameters, load_model


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_saved_model_is_loaded_bit_for_bit(kind, saved, loaded):
    folder = saved(kind)
    original, found = loaded(kind), load_model(folder)
    assert found.unused == ()
    assert [s.name for s in found.sites] == [s.name for s in original.sites]
    for a, b in zip(found.sites, original.sites, strict=True):
        assert torch.equal(a.weight, b.weight)
    ids = torch.tensor([[1, 5, 9, 200]])
    assert torch.equal(
        found.model(input_ids=ids).logits, original.model(input_ids=ids).logits
    )


def test_the_dtype_is_the_one_asked_for_not_the_saved_one(saved):
    found = load_model(saved("llama"), "bfloat16")
    assert {p.dtype for p in found.model.parameters()} == {torch.bfloat16}


def keep_only(folder, names):
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


WEIGHTS = ("config.json", "model.safetensors", "generation_config.json")


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2"])
def test_a_folder_without_tokenizer_is_refused(kind, saved):
    """Of no files GPT-2's class makes an empty tokenizer, Gemma's one of 5 tokens."""
    folder = saved(kind)
    keep_only(folder, WEIGHTS)
    with pytest.raises(UserError, match="tokenizer") as error:
        load_model(folder)
    assert str(folder) == error.value.where


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def scramble(path):
    path.write_bytes(b"garbage!" + path.read_bytes()[8:])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, scramble, empty])
def test_a_corrupt_shard_is_named(harm, saved, loaded):
    folder = saved("llama")
    loaded("llama").model.save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert load_model(folder).unused == ()
    harm(shards[1])
    with pytest.raises(UserError, match="no whole safetensors file") as error:
        load_model(folder)
    assert error.value.where == str(shards[1])


def test_a_missing_shard_is_named(saved, loaded):
    folder = saved("llama")
    loaded("llama").model.save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    last = sorted(folder.glob("model-*.safetensors"))[-1]
    last.unlink()
    with pytest.raises(UserError, match="no such file") as error:
        load_model(folder)
    assert error.value.where == str(last)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"num_hidden_layers": 3}, r"lack 9 tensors \(model.layers.2.*random numbers"),
        ({"num_hidden_layers": 1}, "fewer layers than the weights: 9 tensors"),
        ({"intermediate_size": 32}, "other sizes than config.json says"),
        ({"model_type": "qwen2"}, "lack 6 tensors .*bias"),
        ({"model_type": "bert"}, "lack .* tensors"),
        ({"model_type": "nonsense"}, "nonsense"),
        ({"num_attention_heads": "two"}, "num_attention_heads"),
        ({"quantization_config": {"quant_method": "gptq"}}, "GPTQ"),
        (
            {"model_type": "mine", "auto_map": {"AutoConfig": "c.C"}},
            "trust_remote_code|custom code",
        ),
    ],
)
def test_weights_and_configuration_must_belong_together(changes, fault, saved):
    folder = saved("llama")
    edit_config(folder, **changes)
    with pytest.raises(UserError, match=fault) as error:
        load_model(folder)
    assert error.value.where == str(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_a_broken_json_file_is_one_message(name, saved):
    folder = saved("llama")
    (folder / name).write_text("{")
    with pytest.raises(UserError) as error:
        load_model(folder)
    assert name in str(error.value) or "config" in str(error.value)
    assert "\n" not in str(error.value)


def test_tensors_that_nothing_uses_are_reported(saved):
    from safetensors.torch import load_file, save_file

    folder = saved("llama")
    path = folder / "model.safetensors"
    extra = {"value_head.weight": torch.ones(1, 16)}
    save_file(load_file(path) | extra, path, metadata={"format": "pt"})
    assert load_model(folder).unused == ("value_head.weight",)


def test_folders_that_hold_no_model_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no config\.json"):
        load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(UserError, match=r"no \.safetensors weights"):
        load_model(tmp_path)
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickled weights are not read"):
        load_model(tmp_path)


def test_active_parameters_leave_out_experts_that_a_token_does_not_meet(tiny):
    """Two of four experts of 3 * 16 * 24 weights, in one of the two layers."""
    found = count_parameters(tiny("deepseek_v3"))
    assert found.total - found.active == 2 * 3 * 16 * 24
    dense = count_parameters(tiny("opt"))
    assert dense.total == dense.active
    # Per layer: four attention maps, two of the MLP, biases, two norms; one more norm.
    layer = 4 * (16 * 16 + 16) + 2 * 16 * 24 + 24 + 16 + 2 * 2 * 16
    assert dense.total == 2 * layer + 2 * 16
