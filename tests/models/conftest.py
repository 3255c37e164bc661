"""Model folders as users have them."""

import os
import shutil

import pytest
from tests.models.hub_server import Hub, Repository, serve
from tests.models.hub_user import MEBIBYTE, NAME, User, folder_files


@pytest.fixture
def saved(loaded, tmp_path):
    """Save a tiny model of an architecture with the zoo's tokenizer."""

    def make(kind, **changes):
        folder = tmp_path / kind
        shutil.rmtree(folder, ignore_errors=True)
        model = loaded(kind, **changes)
        model.model.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        return folder

    return make


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
