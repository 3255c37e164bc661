"""Loading a model folder, and saying what is in it."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from paraspec.core.errors import UserError
from paraspec.models.folder import (
    check_files,
    check_tokenizer,
    check_weights,
    weight_bytes,
)
from paraspec.models.sites import Site, value_vector_sites
from paraspec.models.structure import is_experts

UNLOADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    RuntimeError,
    StrictDataclassError,
)
"""What transformers raises for a folder that it cannot load, by experiment."""


def quiet_transformers() -> None:
    """Keep transformers' own bars and advice out of logs; ours say what happens."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to be measured."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    sites: tuple[Site, ...]
    unused: tuple[str, ...] = ()
    """Tensors of the folder that the model has no use for."""
    spread: bool = False
    """Over several devices, by accelerate."""


GENERIC = {"TokenizersBackend", "PreTrainedTokenizerFast"}
"""Names of the tokenizer class that is nothing but its tokenizer.json."""


def load_model(
    folder: Path | str, dtype: str = "float32", *, remote_code: bool = False
) -> LoadedModel:
    """Load a Hugging Face model folder for measuring, without any network.

    Parameters
    ----------
    folder
        Model folder.
    dtype
        Number format.
    remote_code
        Whether Python files in the folder may be run.

    Raises
    ------
    UserError
        If the folder is no whole causal language model with its tokenizer, or if its
        value vectors cannot be told.
    """
    quiet_transformers()
    where = Path(folder)
    check_files(where)
    local = {"local_files_only": True, "trust_remote_code": remote_code}
    try:
        tokenizer = _read_tokenizer(where, remote_code=remote_code)
    except UNLOADABLE as error:
        raise unloadable(where, "its tokenizer", error) from error
    check_tokenizer(where, tokenizer)
    place = placement(where, getattr(torch, dtype))
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            where,
            dtype=getattr(torch, dtype),
            device_map=SPREAD if place == SPREAD else None,
            use_safetensors=True,
            output_loading_info=True,
            **local,
        )
        model = model if place == SPREAD else model.to(place)
    except torch.OutOfMemoryError as error:
        raise too_large(where) from error
    except UNLOADABLE as error:
        raise unloadable(where, "the model", error) from error
    if place == SPREAD and any(p.is_meta for p in model.parameters()):
        raise too_large(where)  # accelerate would keep the rest off the GPUs
    check_weights(where, model, info["missing_keys"], info["unexpected_keys"])
    model = model.eval().requires_grad_(requires_grad=False)
    unused = tuple(sorted(info["unexpected_keys"]))
    sites = value_vector_sites(model)
    return LoadedModel(model, tokenizer, sites, unused, place == SPREAD)


def _read_tokenizer(folder: Path, *, remote_code: bool) -> PreTrainedTokenizerBase:
    """Load a folder's tokenizer by the class that the folder names.

    AutoTokenizer puts a model type's own class before a generic one: beside a Qwen2
    model it would split numbers into digits that the model never met.
    """
    reader, named = AutoTokenizer, folder / "tokenizer_config.json"
    if named.is_file():
        config = json.loads(named.read_text(encoding="utf-8"))
        if config.get("tokenizer_class") in GENERIC:
            reader = PreTrainedTokenizerFast
    found: PreTrainedTokenizerBase = reader.from_pretrained(
        folder, local_files_only=True, trust_remote_code=remote_code
    )
    return found


SHARE_FOR_WEIGHTS = 0.75
"""Of a GPU's memory; the rest is for a batch."""

SPREAD = "auto"
"""What transformers calls spreading a model over all GPUs, with accelerate."""


def placement(folder: Path, dtype: torch.dtype) -> str:
    """Where a model goes: the CPU, one GPU, or spread over several GPUs."""
    if not torch.cuda.is_available():
        return "cpu"
    n_gpus = torch.cuda.device_count()
    memory = torch.cuda.get_device_properties(0).total_memory
    fits = weight_bytes(folder, dtype) <= SHARE_FOR_WEIGHTS * memory
    return "cuda:0" if n_gpus == 1 or fits else SPREAD


def too_large(where: Path) -> UserError:
    """Say that the GPUs here cannot hold a model."""
    return UserError(
        where,
        "its weights do not fit the GPU memory here",
        "Use dtype bfloat16, or more or larger GPUs",
    )


def unloadable(where: Path, what: str, error: Exception) -> UserError:
    """Say why transformers cannot load a folder, in one line."""
    fault = " ".join(str(error).split())[:300]
    if "ignore_mismatched_sizes" in fault:  # transformers logs which, and hides it here
        fault = "its weights are of other sizes than config.json says"
    return UserError(
        where,
        f"{what} cannot be loaded: {fault}",
        "Give a causal language model's whole folder",
    )


@dataclass(frozen=True)
class ParameterCount:
    """Non-embedding parameters."""

    total: int
    active: int
    """Parameters that one token meets: of the experts only the routed ones."""


def count_parameters(model: PreTrainedModel) -> ParameterCount:
    """Count the language model's parameters outside embeddings, positions' included."""
    output = model.get_output_embeddings()
    skipped = set() if output is None else set(output.modules())
    per_token = getattr(model.config.get_text_config(), "num_experts_per_tok", None)
    total = idle = 0
    for module in model.get_decoder().modules():
        if isinstance(module, nn.Embedding) or module in skipped:
            continue
        count = sum(p.numel() for p in module.parameters(recurse=False))
        total += count
        if is_experts(module) and per_token:
            n_experts = module.down_proj.shape[0]
            idle += round(count * (1 - per_token / n_experts))
    return ParameterCount(total, total - idle)
