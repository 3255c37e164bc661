"""Model folders as users have them."""

import shutil

import pytest


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
