"""What is wrong with a model folder, said before and after loading it.

transformers fills weights that a folder lacks with random numbers, reads no more layers
than the configuration names, and makes an empty tokenizer where there is none: each
would be measured without complaint.
"""

import json
import math
import re
from collections.abc import Collection, Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from paraspec.core.errors import UserError

AGAIN = "Fetch or save the model again"
INDEX = "model.safetensors.index.json"


def check_files(folder: Path) -> None:
    """Check that configuration and weight files are there and can be opened.

    Raises
    ------
    UserError
        Names the file.
    """
    if not (folder / "config.json").is_file():
        raise UserError(
            folder, "no config.json here", "Give a folder made by save_pretrained"
        )
    shards = _shards(folder)
    if not shards:
        raise UserError(
            folder,
            "no .safetensors weights here (pickled weights are not read)",
            "Save the model as safetensors",
        )
    for shard in shards:
        if not shard.is_file():
            raise UserError(shard, f"no such file, but {INDEX} names it", AGAIN)
        try:
            with safe_open(shard, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            fault = f"is no whole safetensors file: {error}"
            raise UserError(shard, fault, AGAIN) from error


def weight_bytes(folder: Path, dtype: torch.dtype) -> int:
    """Bytes of a folder's weights in a number format, from the files' headers."""
    n = 0
    for shard in _shards(folder):
        with safe_open(shard, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - no mapping
                n += math.prod(file.get_slice(name).get_shape())
    return n * dtype.itemsize


def _shards(folder: Path) -> list[Path]:
    index = folder / INDEX
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    try:
        names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
    except (ValueError, KeyError) as error:
        raise UserError(index, f"is no index of weights: {error}", AGAIN) from error
    return [folder / name for name in sorted(set(names))]


def check_weights(
    folder: Path,
    model: PreTrainedModel,
    missing: Collection[str],
    unexpected: Collection[str],
) -> None:
    """Check that the folder held the weights which its configuration calls for.

    Parameters
    ----------
    folder
        Where the model came from.
    model
        The model as loaded.
    missing, unexpected
        Names of tensors that the folder lacks, or that the model has no use for.

    Raises
    ------
    UserError
        If a weight is missing, or if there are more layers of weights than of modules.
    """
    if missing:
        raise UserError(
            folder,
            f"the weights lack {_some(missing)}, which would be random numbers",
            f"config.json and the weights do not belong together. {AGAIN}",
        )
    known = {_unnumbered(name) for name, _ in model.named_parameters()}
    left_out = [name for name in unexpected if _unnumbered(name) in known]
    if left_out:
        raise UserError(
            folder,
            f"config.json has fewer layers than the weights: {_some(left_out)} unused",
            AGAIN,
        )


def check_tokenizer(folder: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check that a tokenizer knows any token at all.

    Raises
    ------
    UserError
        If it was made up for want of files.
    """
    ids = tokenizer("The capital is Paris.", add_special_tokens=False)["input_ids"]
    if not set(ids) - {tokenizer.unk_token_id}:
        raise UserError(
            folder,
            "holds no tokenizer, or one without a vocabulary",
            "Put the model's tokenizer.json (or its vocabulary files) there",
        )


def _unnumbered(name: str) -> str:
    return re.sub(r"\.\d+\.", ".*.", name)


def _some(names: Iterable[str]) -> str:
    """Count of tensors, with the first few names."""
    listed = sorted(names)
    more = ", ..." if len(listed) > 3 else ""
    return f"{len(listed)} tensors ({', '.join(listed[:3])}{more})"
