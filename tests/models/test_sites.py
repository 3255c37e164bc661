import pytest
import torch
from transformers import AutoModel

from paraspec.core.errors import UserError
from paraspec.models.sites import value_vector_sites


def test_layers_are_ordered_by_number_not_by_letter(tiny):
    sites = value_vector_sites(tiny("llama", num_hidden_layers=11))
    assert [site.layer for site in sites] == list(range(11))
    assert [site.name.split(".")[-3] for site in sites] == [str(i) for i in range(11)]


def test_gpt2_attention_projection_of_the_same_name_is_no_site(tiny):
    assert all(".mlp." in site.name for site in value_vector_sites(tiny("gpt2")))


def test_model_without_a_down_projection_is_refused(tiny):
    config = tiny("llama").config
    config.num_hidden_layers = 0
    with pytest.raises(UserError, match=r"no module matches 'mlp\.down_proj'"):
        value_vector_sites(AutoModel.from_config(config, dtype=torch.float32))


def test_a_block_without_its_down_projection_is_refused(tiny):
    model = tiny("llama")
    model.model.layers[0].mlp = torch.nn.Identity()
    with pytest.raises(UserError, match="in some block"):
        value_vector_sites(model)


def test_a_module_that_replaces_a_down_projection_is_refused(tiny):
    model = tiny("gpt2")
    model.transformer.h[1].mlp.c_proj = torch.nn.Linear(24, 16)
    with pytest.raises(UserError, match="columns, rows expected") as error:
        value_vector_sites(model)
    assert "h.1.mlp.c_proj" in error.value.where
