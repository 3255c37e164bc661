"""What `model.json` says of a folder that nobody trained here."""

import pytest

from paraspec.core.errors import UserError
from paraspec.core.model_table import ModelRow
from paraspec.models.manifest import (
    Trajectory,
    describe,
    model_place,
    read_manifest,
    write_manifest,
)
from paraspec.stats.record import read_card


def local(folder, **changes):
    values = {"model": "mine", "source": str(folder), "family": "f"}
    return ModelRow(**values | changes)


def test_a_folder_is_described_without_its_weights_being_read(saved, monkeypatch):
    from transformers import AutoModelForCausalLM

    def refuse(*_, **__):
        raise AssertionError("weights were loaded")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", refuse)
    folder = saved("mixtral")
    (folder / "pytorch_model.bin").write_bytes(b"old")
    manifest = describe(local(folder), "mine", folder)
    assert (manifest.architecture, manifest.n_experts) == ("mixtral", 4)
    assert manifest.d_ff == [96, 96]
    assert manifest.parameters_active < manifest.parameters_total
    assert "model.safetensors" in manifest.files
    assert "pytorch_model.bin" not in manifest.files
    size = (folder / "config.json").stat().st_size
    assert manifest.files["config.json"].size == size


def test_a_published_checkpoint_has_its_place_in_the_run(saved, tmp_path):
    folder = saved("llama")
    row = local(folder, trajectory_of="run", trajectory_step=310)
    path = tmp_path / "model.json"
    write_manifest(describe(row, "mine", folder), path)
    manifest = read_manifest(path)
    assert manifest.trajectory == Trajectory("run", 310)
    assert manifest.steps == 310
    card = read_card(path)  # as the statistics read it
    assert (card.trajectory.of, card.trajectory.step) == ("run", 310)
    assert not card.trained_on_study


def test_the_end_of_a_published_run_knows_its_steps(saved):
    folder = saved("llama")
    manifest = describe(local(folder, steps=900), "run", folder)
    assert (manifest.steps, manifest.trajectory) == (900, None)


def test_code_of_a_model_is_trusted_only_as_its_manifest_says(saved, tmp_path):
    folder = saved("llama")
    assert not model_place(folder).remote_code
    for trusted in (False, True):
        manifest = describe(local(folder, remote_code=trusted), "mine", folder)
        write_manifest(manifest, tmp_path / "model.json")
        place = model_place(tmp_path)
        assert (place.folder, place.remote_code) == (folder, trusted)


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no config\.json"):
        describe(local(tmp_path), "mine", tmp_path)
