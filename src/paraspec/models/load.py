"""Loading a model folder, and saying what is in it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from paraspec.core.errors import UserError
from paraspec.models.sites import Site, value_vector_sites


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


def load_model(folder: Path | str, dtype: str = "float32") -> LoadedModel:
    """Load a Hugging Face model folder for measuring, without any network.

    Raises
    ------
    UserError
        If the folder is no causal language model, or holds no down projection.
    """
    quiet_transformers()
    where = Path(folder)
    if not (where / "config.json").is_file():
        raise UserError(
            where, "no config.json here", "Give a folder made by save_pretrained"
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            where, dtype=getattr(torch, dtype), local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        fault = " ".join(str(error).split())[:300]
        raise UserError(
            where, f"cannot be loaded: {fault}", "Give a causal language model's folder"
        ) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval().requires_grad_(requires_grad=False)
    return LoadedModel(model, tokenizer, value_vector_sites(model))


@dataclass(frozen=True)
class ParameterCount:
    """Non-embedding parameters."""

    total: int
    active: int
    """Parameters that one token meets: of the experts only the routed ones."""


def count_parameters(model: PreTrainedModel) -> ParameterCount:
    """Count parameters outside the input and output embeddings."""
    embeddings = {
        id(parameter)
        for module in (model.get_input_embeddings(), model.get_output_embeddings())
        if module is not None
        for parameter in module.parameters()
    }
    total = active = 0
    for name, parameter in model.named_parameters():
        if id(parameter) in embeddings or ".wpe." in name:
            continue
        total += parameter.numel()
        active += parameter.numel()
        if ".experts." in name:
            routed = model.config.num_experts_per_tok / parameter.shape[0]
            active -= round(parameter.numel() * (1 - routed))
    return ParameterCount(total, active)
