"""Keys of value vectors: the rows of an MLP that make a coefficient of its input.

In a gated MLP the coefficient of value vector ``j`` is
``act(gate_j . x) * (up_j . x)``, in a plain one ``act(gate_j . x)``, where ``x`` is the
MLP's input; biases are added where a projection has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import nn
from transformers.pytorch_utils import Conv1D

from paraspec.core.errors import UserError
from paraspec.models.load import LoadedModel
from paraspec.models.sites import Site

FORMS = (("gate_proj", "up_proj"), ("c_fc",), ("dense_h_to_4h",))
"""Names of an MLP's projections: of its gate, and of what multiplies it."""
ACTIVATIONS = ("act_fn", "act")
"""Names of its activation function."""


@dataclass(frozen=True)
class Projection:
    """A map from the MLP's input to one number for each value vector."""

    module: nn.Linear | Conv1D

    @property
    def bias(self) -> torch.Tensor | None:
        """Bias of every value vector, if there are any."""
        return self.module.bias

    def write(
        self, number: int, row: Float[torch.Tensor, " d_model"], bias: float = 0.0
    ) -> None:
        """Write one value vector's row, and its bias where there is one."""
        weight = self.module.weight
        with torch.no_grad():
            rows = weight.mT if isinstance(self.module, Conv1D) else weight
            rows[number] = row.to(weight)
            if self.bias is not None:
                self.bias[number] = bias


@dataclass(frozen=True)
class Keys:
    """What makes the coefficients of one site."""

    gate: Projection
    """What the activation function is applied to."""
    up: Projection | None
    """What multiplies that; None in a plain MLP."""
    act: nn.Module

    @property
    def tensors(self) -> Iterator[torch.Tensor]:
        """Weights and biases that keys are written into."""
        for projection in (self.gate, self.up):
            if projection is not None:
                yield from projection.module.parameters()


def keys_of(loaded: LoadedModel, site: Site) -> Keys:
    """Find the projections that make a site's coefficients.

    Raises
    ------
    UserError
        If the MLP is of another form.
    """
    mlp = loaded.model.get_submodule(site.name.rpartition(".")[0])
    children = dict(mlp.named_children())
    names = next((form for form in FORMS if children.keys() >= set(form)), ())
    found = [children[name] for name in names]
    act = [children[name] for name in ACTIVATIONS if name in children]
    readable = all(isinstance(module, nn.Linear | Conv1D) for module in found)
    if site.routed or not found or not readable or len(act) != 1:
        raise UserError(
            f"module {site.name}",
            "its value vectors' keys cannot be written",
            "Choose a dense model with separate gate and up projections, as llama and "
            "qwen2, or a plain MLP, as gpt2 and gpt_neox",
        )
    gate, *up = map(Projection, found)
    return Keys(gate, up[0] if up else None, act[0])
