"""A model's value vectors, layer by layer.

The down projection of every MLP holds them: column ``j`` of a ``Linear`` weight
``[d_model, d_ff]``, row ``j`` of a GPT-2 ``Conv1D`` weight ``[d_ff, d_model]``, and
likewise in each expert's matrix of a mixture.

A layer with routed and shared experts has two sites. They are not one population: a
shared expert sees every token, and no routing weight scales its coefficients, so ranked
together with the routed ones it would take every place. (Qwen2-MoE scales the shared
expert's output by a gate of one number per token; its coefficients count without it.)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from paraspec.core.errors import UserError
from paraspec.models.architectures import ARCHITECTURES, Layout, Place
from paraspec.models.structure import Found, by_structure, is_experts, text_modules


@dataclass(frozen=True)
class Site:
    """The value vectors of one down projection."""

    name: str
    module: nn.Module
    layer: int
    """Number of the block; several sites may share it."""
    layout: Layout
    n_experts: int
    """Experts in this site; 1 if not routed."""
    d_ff: int
    """Value vectors per expert."""
    routed: bool = False
    """Experts that tokens are routed to; else every token meets every vector."""

    @property
    def n(self) -> int:
        """Value vectors of the site, all experts'."""
        return self.n_experts * self.d_ff

    @property
    def weight(self) -> torch.Tensor:
        """Down-projection weight that holds the value vectors."""
        held = self.module.down_proj if self.routed else self.module.weight
        assert isinstance(held, torch.Tensor)
        return held

    @property
    def rows(self) -> Float[torch.Tensor, "neuron d_model"]:
        """Value vectors, experts' one after the other; a view where not routed."""
        rows = self.weight if self.layout == "rows" else self.weight.mT
        return torch.flatten(rows, 0, -2)

    @property
    def norms(self) -> Float[torch.Tensor, " neuron"]:
        """Euclidean norm of every value vector, experts one after the other."""
        found: torch.Tensor = torch.linalg.vector_norm(self.rows.float(), dim=-1)
        return found


def value_vector_sites(model: PreTrainedModel) -> tuple[Site, ...]:
    """Find the value vectors of every layer, in network order.

    Of a multimodal model only the language model's count. An architecture outside the
    table is searched by structure.

    Raises
    ------
    UserError
        If the model bypasses its own modules, if a layer holds no down projection, or
        if the architecture is unknown and its structure leaves a doubt.
    """
    kind = model.config.get_text_config().model_type
    _refuse_bypassed(model, kind)
    if kind not in ARCHITECTURES:
        return tuple(_site(found) for found in by_structure(model))
    return _by_table(kind, ARCHITECTURES[kind], text_modules(model))


def _by_table(
    kind: str, places: tuple[Place, ...], modules: Mapping[str, nn.Module]
) -> tuple[Site, ...]:
    where = f"model type {kind!r}"
    remedy = "The folder holds no complete causal language model of this type"
    found: list[tuple[int, int, Site]] = []
    for order, place in enumerate(places):
        pattern = re.compile(rf"(?:^|\.)(\d+)\.{re.escape(place.suffix)}$")
        for name, module in modules.items():
            match = pattern.search(name)
            if match is None:
                continue
            site = _site(Found(int(match[1]), name, module))
            if (site.layout, site.routed) != (place.layout, place.routed):
                raise UserError(
                    f"{where}, module {name}",
                    f"its value vectors are {site.layout}, {place.layout} expected",
                    remedy,
                )
            found.append((site.layer, order, site))
    found.sort(key=lambda line: line[:2])
    layers = {layer for layer, _, _ in found}
    if not layers or layers != set(range(max(layers) + 1)):
        names = " or ".join(repr(place.suffix) for place in places)
        raise UserError(where, f"no module matches {names} in some block", remedy)
    return tuple(site for _, _, site in found)


def _site(found: Found) -> Site:
    layer, name, module = found
    if is_experts(module):
        layout: Layout = "rows" if module.is_transposed else "columns"
        held = module.down_proj
        assert isinstance(held, torch.Tensor)
        d_ff = held.shape[1 if layout == "rows" else 2]
        return Site(name, module, layer, layout, held.shape[0], d_ff, routed=True)
    if isinstance(module, Conv1D):
        return Site(name, module, layer, "rows", 1, module.weight.shape[0])
    width = getattr(module, "in_features", None)
    if width is None:
        raise UserError(
            f"module {name}",
            f"a {type(module).__name__} is no down projection that can be read",
            "Load the model unquantised and without kernels",
        )
    # Not from the weight's shape: a quantised weight is packed.
    return Site(name, module, layer, "columns", 1, int(width))


def _refuse_bypassed(model: PreTrainedModel, kind: str) -> None:
    """Refuse models that compute past the modules which hooks are attached to."""
    config = model.config.get_text_config()
    if model.use_kernels:
        raise UserError(
            f"model type {kind!r}",
            "kernels replace its MLPs, so that coefficients cannot be reached",
            "Load it with use_kernels=False",
        )
    tensor_parallel = getattr(config, "pretraining_tp", 1) or 1
    if tensor_parallel > 1 and getattr(config, "slow_but_exact", False):
        raise UserError(
            f"model type {kind!r}",
            f"slow_but_exact with pretraining_tp {tensor_parallel} multiplies by "
            "slices of the weight, past its module",
            'Set "slow_but_exact" to false in config.json',
        )
