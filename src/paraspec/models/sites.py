"""Where a model's value vectors are: one row per architecture.

The down projection of every MLP holds them: column ``j`` of a ``Linear`` weight
``[d_model, d_ff]``, row ``j`` of a GPT-2 ``Conv1D`` weight ``[d_ff, d_model]``, column
``j`` of each expert's matrix in a mixture of experts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from transformers import PreTrainedModel

from paraspec.core.errors import UserError

Layout = Literal["columns", "rows", "experts"]


@dataclass(frozen=True)
class Architecture:
    """Place of the down projection within a block, and its weight's layout."""

    suffix: str
    """Regular expression for the module's path after the block's index."""
    layout: Layout


GATED = Architecture(r"mlp\.down_proj", "columns")
NEOX = Architecture(r"mlp\.dense_4h_to_h", "columns")

ARCHITECTURES: Mapping[str, Architecture] = {
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"), GATED
    ),
    **dict.fromkeys(("olmo", "olmo2", "olmo3", "phi3", "stablelm", "smollm3"), GATED),
    **dict.fromkeys(("gpt_neox", "bloom", "falcon"), NEOX),
    "gpt2": Architecture(r"mlp\.c_proj", "rows"),
    "opt": Architecture(r"fc2", "columns"),
    "phi": Architecture(r"mlp\.fc2", "columns"),
    "mixtral": Architecture(r"mlp\.experts", "experts"),
}
"""Hugging Face ``model_type`` to the place of its value vectors."""


@dataclass(frozen=True)
class Site:
    """The value vectors of one layer."""

    name: str
    module: nn.Module
    layout: Layout
    n_experts: int
    """Experts in this layer; 1 if dense."""
    d_ff: int
    """Value vectors per expert."""

    @property
    def n(self) -> int:
        """Value vectors of the layer, all experts'."""
        return self.n_experts * self.d_ff

    @property
    def weight(self) -> torch.Tensor:
        """Down-projection weight that holds the value vectors."""
        held = self.module.down_proj if self.layout == "experts" else self.module.weight
        assert isinstance(held, torch.Tensor)
        return held


def value_vector_sites(model: PreTrainedModel) -> tuple[Site, ...]:
    """Find the value vectors of every layer, in network order.

    Raises
    ------
    UserError
        If the architecture is not in the table, or its layers hold no down projection.
    """
    kind = model.config.model_type
    if kind not in ARCHITECTURES:
        raise UserError(
            f"model type {kind!r}",
            "its value vectors are not in the table of architectures",
            f"Known: {', '.join(sorted(ARCHITECTURES))}. To add a row, see "
            f"paraspec.models.sites; candidates: {_candidates(model)}",
        )
    place = ARCHITECTURES[kind]
    pattern = re.compile(rf"(?:^|\.)(\d+)\.{place.suffix}$")
    found = []
    for name, module in model.named_modules():
        match = pattern.search(name)
        if match:
            found.append((int(match[1]), _site(name, module, place.layout)))
    if not found:
        raise UserError(
            f"model type {kind!r}",
            f"no module matches {place.suffix!r} in any block",
            "The folder holds no complete causal language model",
        )
    return tuple(site for _, site in sorted(found, key=lambda pair: pair[0]))


def _site(name: str, module: nn.Module, layout: Layout) -> Site:
    if layout == "experts":
        n_experts, _, d_ff = module.down_proj.shape  # type: ignore[misc]
        return Site(name, module, layout, int(n_experts), int(d_ff))
    weight = module.weight
    assert isinstance(weight, torch.Tensor)
    return Site(name, module, layout, 1, weight.shape[1 if layout == "columns" else 0])


def _candidates(model: PreTrainedModel) -> str:
    width = model.config.get_text_config().hidden_size
    names = {
        re.sub(r"\.\d+\.", ".*.", name)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and module.out_features == width
        and module.in_features > width
    }
    return ", ".join(sorted(names)) or "none found"
