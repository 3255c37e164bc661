import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from paraspec.core.errors import UserError
from paraspec.models.sites import ARCHITECTURES, value_vector_sites


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_layer_has_a_site_in_order_whose_width_is_that_of_its_weight(
    kind, tiny, width_of
):
    sites = value_vector_sites(tiny(kind))
    assert [site.d_ff for site in sites] == [width_of(kind)] * 2
    assert [site.n_experts for site in sites] == [4 if kind == "mixtral" else 1] * 2
    assert [site.n for site in sites] == [site.n_experts * site.d_ff for site in sites]
    numbers = [next(p for p in s.name.split(".") if p.isdigit()) for s in sites]
    assert numbers == ["0", "1"]
    for site in sites:
        axis = {"columns": 1, "rows": 0, "experts": 2}[site.layout]
        assert site.weight.shape[axis] == site.d_ff
        assert 16 in site.weight.shape  # d_model: the value vectors' length


def test_layers_are_ordered_by_number_not_by_letter(tiny):
    sites = value_vector_sites(tiny("llama", num_hidden_layers=11))
    assert [site.name.split(".")[-3] for site in sites] == [str(i) for i in range(11)]


def test_gpt2_attention_projection_of_the_same_name_is_no_site(tiny):
    assert all(".mlp." in site.name for site in value_vector_sites(tiny("gpt2")))


def test_unknown_architecture_names_candidate_modules():
    config = AutoConfig.for_model(
        "gpt_neo",
        vocab_size=50,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global"], 2]],
        intermediate_size=24,
        max_position_embeddings=16,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with pytest.raises(UserError) as error:
        value_vector_sites(model)
    assert "gpt_neo" in error.value.where
    assert "transformer.h.*.mlp.c_proj" in error.value.remedy


def test_model_without_a_down_projection_is_refused(tiny):
    config = tiny("llama").config
    config.num_hidden_layers = 0
    with pytest.raises(UserError, match="no module matches"):
        value_vector_sites(AutoModel.from_config(config, dtype=torch.float32))
