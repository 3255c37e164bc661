"""Published models through the real client, from a server that speaks the hub's API."""

import json

import torch
from tests.models.hub_user import NAME, folder_files

from paraspec.core.layout import StudyFiles
from paraspec.core.model_lock import lock_path, read_lock
from paraspec.models.manifest import load_measured, read_manifest


def test_a_fetched_model_is_whole_described_and_loaded_offline(user, saved, loaded):
    assert user.resolve().returncode == 0
    run = user.fetch()
    assert run.returncode == 0, run.stderr
    repository = user.hub.repositories[NAME]
    wanted = set(repository.files) - {
        *("README.md", "pytorch_model.bin", "modeling_tiny.py")
    }
    assert user.hub.fetched() == wanted
    assert folder_files(user.model).keys() == wanted | {"model.json"}
    assert not (user.model / ".download").exists()

    user.hub.repositories.clear()  # nothing is left to ask
    before = len(user.hub.requests)
    found, manifest = load_measured(StudyFiles(user.folder), "tiny", "float32")
    ids = torch.tensor([[1, 5, 9, 200]])
    original = loaded("llama").model
    assert torch.equal(found.model(ids).logits, original(ids).logits)
    assert found.tokenizer("The capital")["input_ids"]
    assert len(user.hub.requests) == before

    assert (manifest.commit, manifest.revision) == (repository.commit, "main")
    assert manifest.licence == "apache-2.0"
    assert manifest.folder == "." and not manifest.trained_on_study
    assert set(manifest.files) == wanted
    weights = manifest.files["model.safetensors"]
    assert weights.size == len(repository.files["model.safetensors"])
    assert manifest.d_ff == [24, 24]
    assert "fetching tiny (MB): " in run.stderr  # lines in a log, no bar
    assert "\r" not in run.stderr


def test_paraspec_measure_fetches_a_hub_model_once_and_measures_it(user, concept_file):
    concepts = concept_file(user.folder / "concepts.jsonl", 2)
    out = user.folder / "out"
    few = ["--general-items", "10", "--random-draws", "1", "--concepts", "9"]
    line = ["measure", f"hub:{NAME}", "--out", str(out), *few]
    line += ["--concept-file", str(concepts)]
    run = user.run(*line)
    assert run.returncode == 0, run.stderr
    assert "top vectors\t0.1\t" in run.stdout
    manifest = read_manifest(out / "models/tiny-llama/model.json")
    commit = user.hub.repositories[NAME].commit
    assert "HTTP Request" not in run.stderr
    assert (manifest.commit, manifest.revision) == (commit, "main")
    again = user.run(*line, HF_ENDPOINT="http://127.0.0.1:9")
    assert again.returncode == 0, again.stderr
    assert "0 answers given" in again.stderr
    missing = user.refused(user.run(*line, "--revision", "nowhere"))
    assert "nowhere" in missing


def test_fetching_again_asks_for_no_file_that_is_there(user):
    user.resolve()
    user.download()
    user.hub.requests.clear()
    (user.model / "config.json").write_text("{}")  # damaged since
    assert user.download().returncode == 0
    assert user.hub.fetched() == {"config.json"}
    assert json.loads((user.model / "config.json").read_text())["model_type"]


def test_a_moved_branch_changes_nothing_until_the_lock_is_updated(user):
    repository = user.hub.repositories[NAME]
    first = repository.commit
    assert user.resolve().returncode == 0
    repository.push(**{"README.md": b"# Moved\n"})
    user.hub.requests.clear()
    assert user.resolve().returncode == 0
    assert user.hub.requests == []  # all is locked
    assert read_lock(user.table)["tiny"].commit == first
    assert user.download().returncode == 0
    assert first in {
        r.path.split("/")[4] for r in user.hub.requests if "/resolve/" in r.path
    }
    assert user.resolve("--update").returncode == 0
    assert read_lock(user.table)["tiny"].commit == repository.commit != first


def test_files_of_another_commit_do_not_stay_beside_the_new_ones(user):
    user.resolve()
    user.download()
    repository = user.hub.repositories[NAME]
    weights = repository.files["model.safetensors"]
    index = {
        "metadata": {},
        "weight_map": {"x": "model-00001-of-00001.safetensors"},
    }
    repository.push(
        **{
            "model-00001-of-00001.safetensors": weights,
            "model.safetensors.index.json": json.dumps(index).encode(),
        }
    )
    del repository.files["model.safetensors"]
    user.resolve("--update")
    user.download()
    kept = {path.name for path in user.model.glob("*.safetensors*")}
    assert kept == {"model-00001-of-00001.safetensors", "model.safetensors.index.json"}


def test_a_model_without_lock_is_not_fetched(user):
    message = user.refused(user.download())
    assert "no commit is locked for model 'tiny'" in message
    assert "paraspec resolve" in message
    assert user.hub.requests == []


def test_a_lock_that_contradicts_the_table_is_an_error(user):
    user.resolve()
    user.write(f"tiny\thub:{NAME}\tv2\tllama\tfalse")
    message = user.refused(user.download())
    assert f"locked as {NAME} at main, but the table says {NAME} at v2" in message
    assert not user.model.joinpath("config.json").exists()


def test_unknown_names_are_told_apart_and_all_at_once(user):
    user.write(
        f"tiny\thub:{NAME}\tmain\tllama\tfalse",
        f"old\thub:{NAME}\tv0\tllama\tfalse",
        "none\thub:owner/none\tmain\tllama\tfalse",
    )
    message = user.refused(user.resolve())
    assert "2 models cannot be resolved" in message
    assert f"model old: hub repository {NAME}: has no revision 'v0'" in message
    assert "model none: hub repository owner/none: the hub knows no such" in message
    assert not lock_path(user.table).exists()


def test_a_branch_and_a_commit_are_revisions_too(user):
    repository = user.hub.repositories[NAME]
    first = repository.commit
    repository.push(**{"README.md": b"# Moved\n"})
    repository.branches["stage1-step10-tokens1B"] = first
    user.write(
        f"tiny\thub:{NAME}\tstage1-step10-tokens1B\tllama\tfalse",
        f"same\thub:{NAME}\t{first}\tllama\tfalse",
    )
    assert user.resolve().returncode == 0
    assert {row.commit for row in read_lock(user.table).values()} == {first}
