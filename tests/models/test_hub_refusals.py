"""What the hub refuses, breaks or gives wrongly: told in a line, nothing lost."""

import pytest
from tests.models.hub_user import CHUNK, MEBIBYTE, NAME


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
