"""Published models through the real client, from a server that speaks the hub's API."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tests.command import RUN
from tests.models.hub_server import Hub, Repository, serve

from paraspec.core.layout import StudyFiles
from paraspec.core.model_lock import lock_path, read_lock
from paraspec.models.manifest import load_measured, read_manifest

NAME = "owner/tiny-llama"
COLUMNS = ("model", "source", "revision", "family", "remote_code")
DOWNLOAD = """
import logging, sys
from pathlib import Path
from paraspec.core.errors import UserError
from paraspec.core.model_lock import locked_commit
from paraspec.core.model_table import row_of
from paraspec.models.hub.fetch import fetch

logging.basicConfig(level=logging.INFO, format="%(message)s")
table, folder = map(Path, sys.argv[1:])
row = row_of(table, "tiny")
try:
    fetch(row, locked_commit(table, row), folder)
except UserError as error:
    sys.exit(f"error: {error}")
"""
"""What `paraspec fetch` does before it describes the model, which imports torch."""
MEBIBYTE = 2**20
CHUNK = 10 * MEBIBYTE
"""Bytes that the client writes at once: what is kept of a broken answer."""


def folder_files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


@dataclass
class User:
    """Somebody with a model table, at the command line."""

    hub: Hub
    folder: Path

    @property
    def table(self) -> Path:
        return self.folder / "models.tsv"

    @property
    def model(self) -> Path:
        return StudyFiles(self.folder).model("tiny")

    def write(self, *rows: str) -> None:
        rows = rows or (f"tiny\thub:{NAME}\tmain\tllama\tfalse",)
        self.table.write_text("\n".join(["\t".join(COLUMNS), *rows]) + "\n")

    def run(
        self, *arguments: str, script: str = RUN, **environment: str
    ) -> subprocess.CompletedProcess:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        own = {
            "HF_ENDPOINT": self.hub.address,
            "HF_HOME": str(self.folder / "home"),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=kept | own | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def resolve(self, *more: str, **environment: str) -> subprocess.CompletedProcess:
        return self.run("resolve", "--models", str(self.table), *more, **environment)

    def fetch(self, **environment: str) -> subprocess.CompletedProcess:
        return self.run(
            *("fetch", "--model", "tiny", "--models", str(self.table)),
            *("--results", str(self.folder)),
            **environment,
        )

    def download(self, **environment: str) -> subprocess.CompletedProcess:
        places = (str(self.table), str(self.model))
        return self.run(*places, script=DOWNLOAD, **environment)

    def refused(self, run: subprocess.CompletedProcess) -> str:
        """One line that says what is wrong, after nothing but log lines."""
        assert run.returncode == 1, run.stdout + run.stderr
        assert "Traceback" not in run.stderr
        return run.stderr.strip().splitlines()[-1]


@pytest.fixture
def user(saved, tmp_path):
    hub = Hub()
    files = folder_files(saved("llama"))
    files["README.md"] = b"# Tiny\n"
    files["pytorch_model.bin"] = b"a pickle" * 200
    files["modeling_tiny.py"] = b"print('run')\n"
    hub.repositories[NAME] = Repository(files)
    server = serve(hub)
    made = User(hub, tmp_path)
    made.write()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def large(user):
    """Weights larger than what the client writes at once."""
    weights = bytes(os.urandom(MEBIBYTE)) * 15
    user.hub.repositories[NAME].files["model.safetensors"] = weights
    assert user.resolve().returncode == 0
    return user, weights


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
    assert "concept's own\t0.1\t" in run.stdout
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


def test_a_gated_model_is_refused_before_anything_is_downloaded(user):
    user.resolve()
    user.hub.repositories[NAME].gated = True
    message = user.refused(user.download())
    assert "is gated, and no token was found" in message
    assert "HF_TOKEN" in message
    assert user.hub.fetched() == set()
    assert "is gated" in user.refused(user.resolve("--update"))


def test_a_gated_model_comes_with_a_token_which_no_other_host_sees(user):
    user.hub.repositories[NAME].gated = True
    token = user.hub.token
    assert user.resolve(HF_TOKEN=token).returncode == 0
    run = user.download(HF_TOKEN=token, HF_DEBUG="1")
    assert run.returncode == 0
    elsewhere = [r.token for r in user.hub.requests if r.path.startswith("/cdn/")]
    assert elsewhere and set(elsewhere) == {""}
    assert token not in run.stdout + run.stderr
    for path in user.folder.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path


def test_the_stored_login_is_used(user):
    user.hub.repositories[NAME].gated = True
    (user.folder / "home").mkdir()
    (user.folder / "home/token").write_text(user.hub.token)
    assert user.resolve().returncode == 0


def test_a_token_that_is_not_valid_is_named_as_the_fault_but_not_shown(user):
    run = user.resolve(HF_TOKEN="hf_wrong9876543210")
    message = user.refused(run)
    assert "denies access (status 401)" in message and "HF_TOKEN" in message
    assert "hf_wrong9876543210" not in run.stdout + run.stderr


def test_without_access_a_token_is_not_asked_for_again(user):
    user.hub.repositories[NAME].gated = True
    user.hub.token, mine = "hf_other", user.hub.token
    message = user.refused(user.resolve(HF_TOKEN=mine))
    assert "denies access" in message or "your token gives no access" in message


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_cut_connection_is_resumed_where_it_broke(large, how):
    user, weights = large
    user.hub.cuts["model.safetensors"] = [(12 * MEBIBYTE, how)]
    assert user.download().returncode == 0
    first, *rest = user.hub.asked("model.safetensors")
    assert first == ""
    assert rest == [f"bytes={CHUNK}-"]
    assert (user.model / "model.safetensors").read_bytes() == weights


def test_a_later_run_asks_only_for_what_an_earlier_one_lacked(large):
    user, weights = large
    user.hub.cuts["model.safetensors"] = [(12 * MEBIBYTE, "closed")]
    user.hub.statuses["model.safetensors"] = [503]
    message = user.refused(user.download())
    assert "status 503" in message and "is kept" in message
    assert not (user.model / "model.safetensors").exists()
    user.hub.requests.clear()
    assert user.download().returncode == 0
    assert user.hub.asked("model.safetensors") == [f"bytes={CHUNK}-"]
    assert "config.json" not in user.hub.fetched()  # it was there
    assert (user.model / "model.safetensors").read_bytes() == weights


def test_a_file_with_another_hash_is_refused_and_deleted(user):
    user.resolve()
    weights = user.hub.repositories[NAME].files["model.safetensors"]
    user.hub.sent_instead["model.safetensors"] = weights[:-1] + b"\0"
    message = user.refused(user.download())
    assert "model.safetensors came with another hash" in message
    assert not list(user.model.glob("**/*.safetensors"))
    assert not list((user.model / ".download").iterdir())
    user.hub.sent_instead.clear()
    assert user.download().returncode == 0


def test_a_small_file_with_another_hash_is_refused_too(user):
    user.resolve()
    config = user.hub.repositories[NAME].files["generation_config.json"]
    user.hub.sent_instead["generation_config.json"] = config[:-1] + b" "
    message = user.refused(user.download())
    assert "generation_config.json came with another hash" in message


def test_pickled_weights_are_refused(user):
    del user.hub.repositories[NAME].files["model.safetensors"]
    message = user.refused(user.resolve())
    assert "holds pickled weights only (pytorch_model.bin)" in message
    assert user.hub.fetched() == set()


def test_too_little_disk_is_told_before_anything_is_downloaded(user):
    shard, n = b"a shard", 20_000  # 20,000 times 49 GB: no disk is that large
    files = user.hub.repositories[NAME].files
    del files["model.safetensors"]
    for i in range(n):
        files[f"model-{i:05d}-of-{n}.safetensors"] = shard
    files["model.safetensors.index.json"] = b"{}"
    user.hub.sizes |= dict.fromkeys(files, 49 * 10**9)
    assert user.resolve().returncode == 0
    message = user.refused(user.download())
    assert f"{NAME} needs 980," in message and "MB are free" in message
    assert user.hub.fetched() == set()


@pytest.mark.parametrize(("flag", "code"), [("false", False), ("true", True)])
def test_code_comes_only_where_the_row_says_so(user, flag, code):
    user.write(f"tiny\thub:{NAME}\tmain\tllama\t{flag}")
    user.resolve()
    assert user.download().returncode == 0
    assert ("modeling_tiny.py" in user.hub.fetched()) is code


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached (ConnectError)"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set"),
    ],
)
def test_no_network_is_one_plain_message(user, environment, fault):
    user.resolve()
    user.model.mkdir(parents=True)
    (user.model / "model.json").write_text("{}")
    assert fault in user.refused(user.fetch(**environment))
    assert not (user.model / "model.json").exists()  # nothing is taken for fetched
