"""What is known of a model without its weights is what the loaded model shows."""

import pytest
import torch

from paraspec.core.errors import UserError
from paraspec.models.architectures import ARCHITECTURES
from paraspec.models.load import count_parameters, load_model
from paraspec.models.sites import value_vector_sites
from paraspec.models.skeleton import skeleton


def shape_of(site):
    return (site.name, site.layer, site.layout, site.n_experts, site.d_ff, site.routed)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_skeleton_has_the_sites_and_the_parameters_of_the_loaded_model(kind, saved):
    folder = saved(kind)
    bones, whole = skeleton(folder), load_model(folder)
    assert {p.device for p in bones.parameters()} == {torch.device("meta")}
    assert [shape_of(s) for s in value_vector_sites(bones)] == [
        shape_of(s) for s in whole.sites
    ]
    assert count_parameters(bones) == count_parameters(whole.model)


def test_a_folder_without_weights_has_no_skeleton(saved):
    folder = saved("llama")
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"no \.safetensors weights"):
        skeleton(folder)


def test_a_configuration_that_is_none_is_named(saved):
    folder = saved("llama")
    (folder / "config.json").write_text('{"model_type": "no such type"}')
    with pytest.raises(UserError, match="the model cannot be loaded") as error:
        skeleton(folder)
    assert error.value.where == str(folder)
