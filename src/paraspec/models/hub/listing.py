"""Which files of a repository are fetched: weights, configuration, tokenizer."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from huggingface_hub.hf_api import ModelInfo, RepoSibling

from paraspec.core.errors import UserError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")
ABOUT_MODEL = ("config.json", "generation_config.json")
ABOUT_TEXT = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "merges.txt", "vocab.txt"),
    *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json"),
    *("chat_template.jinja", "chat_template.json"),
)
MAX_BYTES = 50e9
"""Largest file that the hub serves over plain HTTP (`huggingface_hub` 2.4.0)."""
CODE = (".py", ".tiktoken")
"""Endings of files that only a model's own code reads."""


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub lists it."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    """Of a large file (LFS); empty otherwise."""
    blob: str
    """Git's SHA-1 of a small file; of a large one it names the pointer."""


@dataclass(frozen=True)
class Listing:
    """What one commit of a repository holds of use to us."""

    repository: str
    commit: str
    licence: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def listing_of(repository: str, info: ModelInfo, *, remote_code: bool) -> Listing:
    """Choose the files to fetch.

    Raises
    ------
    UserError
        If the repository holds no safetensors weights or no configuration.
    """
    known = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    where = f"hub repository {repository}"
    weights = _weights(known, where)
    if "config.json" not in known:
        raise UserError(where, "has no config.json", "Choose a transformers model")
    others = [
        name
        for name in known
        if name in ABOUT_MODEL
        or name in ABOUT_TEXT
        or (remote_code and "/" not in name and name.endswith(CODE))
    ]
    assert info.sha is not None
    return Listing(
        repository,
        info.sha,
        _licence(info),
        tuple(_file(known[name], where) for name in sorted([*weights, *others])),
    )


def is_ours(name: str) -> bool:
    """Whether a file of this name may have come from a repository."""
    return (
        name in (SINGLE, INDEX, *ABOUT_MODEL, *ABOUT_TEXT)
        or name.endswith(CODE)
        or SHARD.fullmatch(name) is not None
    )


def _weights(names: Collection[str], where: str) -> list[str]:
    """Prefer one file to shards, as transformers does."""
    if SINGLE in names:
        return [SINGLE]
    shards = [name for name in names if SHARD.fullmatch(name)]
    if INDEX in names and shards:
        return [INDEX, *shards]
    pickled = sorted(name for name in names if name.endswith(PICKLED))
    if pickled:
        raise UserError(
            where,
            f"holds pickled weights only ({', '.join(pickled[:3])}), which can run "
            "code when they are read",
            "Choose a revision or a repository with safetensors, or convert the "
            "weights and give the folder as source",
        )
    fault = f"holds neither {SINGLE} nor {INDEX} with its shards"
    raise UserError(where, fault, "Choose a repository of a transformers model")


def _file(sibling: RepoSibling, where: str) -> RemoteFile:
    name, size, lfs = sibling.rfilename, sibling.size, sibling.lfs
    if size is None or not (lfs or sibling.blob_id):
        fault = f"the hub lists {name} without size or hash"
        raise UserError(where, fault, "Try again, or use another mirror (HF_ENDPOINT)")
    if size > MAX_BYTES:
        fault = f"{name} has {size / 1e9:.0f} GB, more than the hub serves over HTTP"
        remedy = "Fetch it with `hf download` and give the folder as source"
        raise UserError(where, fault, remedy)
    return RemoteFile(name, size, lfs.sha256 if lfs else "", sibling.blob_id or "")


def _licence(info: ModelInfo) -> str:
    """Licence that the model card names; empty if it names none."""
    card = info.card_data
    if card is None or not card.license:
        return ""
    named = card.get("license_name") if card.license == "other" else None
    return str(named or card.license)
