"""Which files of a repository are fetched, from listings as the hub gives them."""

import pytest
from huggingface_hub.hf_api import ModelInfo

from paraspec.core.errors import UserError
from paraspec.models.hub.listing import is_ours, listing_of

INDEX = "model.safetensors.index.json"
SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
SHA = "a" * 64


def info(names, size=5, card=None, large=()):
    siblings = [
        {
            "rfilename": name,
            "size": size,
            "blobId": "b" * 40,
            "lfs": {"size": size, "sha256": SHA, "pointerSize": 1}
            if name in large
            else None,
        }
        for name in names
    ]
    return ModelInfo(id="o/n", sha="c" * 40, siblings=siblings, cardData=card)


def chosen(names, *, remote_code=False):
    listing = listing_of("o/n", info(names), remote_code=remote_code)
    return {file.name for file in listing.files}


def test_shards_come_with_their_index_and_no_second_copy_of_the_weights():
    names = ["config.json", INDEX, *SHARDS, "consolidated.safetensors", "x.gguf"]
    assert chosen(names) == {"config.json", INDEX, *SHARDS}


def test_one_file_is_preferred_to_shards_as_transformers_does():
    names = ["config.json", INDEX, *SHARDS, "model.safetensors"]
    assert chosen(names) == {"config.json", "model.safetensors"}


def test_folders_within_a_repository_are_left_alone():
    names = ["config.json", "model.safetensors", "onnx/config.json", "evil/x.py"]
    assert chosen(names, remote_code=True) == {"config.json", "model.safetensors"}


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["config.json", "pytorch_model.bin"], "pickled weights only"),
        (["config.json", "model.ckpt"], "pickled weights only"),
        (["config.json", "adapter_model.safetensors"], "holds neither"),
        (["config.json", *SHARDS], "holds neither"),
        (["config.json", INDEX], "holds neither"),
        (["model.safetensors"], "has no config.json"),
        ([], "holds neither"),
    ],
)
def test_repositories_that_cannot_be_fetched_say_why(names, fault):
    with pytest.raises(UserError, match=fault) as error:
        chosen(names)
    assert error.value.where == "hub repository o/n"


def test_a_file_that_http_does_not_carry_is_told_at_once():
    whole = info(["config.json", "model.safetensors"], size=51 * 10**9)
    with pytest.raises(UserError, match="51 GB, more than the hub serves over HTTP"):
        listing_of("o/n", whole, remote_code=False)


def test_a_listing_without_hashes_is_refused():
    bare = ModelInfo(
        id="o/n",
        sha="c" * 40,
        siblings=[{"rfilename": n} for n in ("config.json", "model.safetensors")],
    )
    with pytest.raises(UserError, match="without size or hash"):
        listing_of("o/n", bare, remote_code=False)


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        (None, ""),
        ({}, ""),
        ({"license": "apache-2.0"}, "apache-2.0"),
        ({"license": "other", "license_name": "tongyi-qianwen"}, "tongyi-qianwen"),
        ({"license": "other"}, "other"),
    ],
)
def test_the_licence_is_what_the_card_names(card, licence):
    whole = info(["config.json", "model.safetensors"], card=card)
    assert listing_of("o/n", whole, remote_code=False).licence == licence


def test_only_names_that_could_have_been_fetched_are_ever_deleted():
    assert all(map(is_ours, ["model.safetensors", INDEX, *SHARDS, "vocab.json"]))
    assert not any(map(is_ours, ["model.json", "check.json", "training.csv", "notes"]))
