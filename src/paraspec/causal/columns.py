"""Training chosen value vectors only, so that nothing else of a model can change.

Masking gradients would not do: an optimiser's weight decay moves whatever it holds. It
holds one tensor here for each down projection, the *change* of the chosen value
vectors; the weight that the model computes with is made from it in every pass.

Changes are float32. A model in bfloat16 computes with their sum rounded to bfloat16,
also when they are written: steps too small for its numbers add up while it is trained.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Float
from torch import nn
from torch.nn.utils import parametrize
from transformers import PreTrainedModel

from paraspec.core.errors import UserError
from paraspec.models.sites import Site
from paraspec.models.weights import unwritable

Chosen = Sequence[Bool[torch.Tensor, " neuron"]]
"""Value vectors of every site, in the order of the sites."""

Snapshot = Mapping[str, torch.Tensor]
"""A copy of a model's state, tensors by name."""


class Changed(nn.Module):
    """Adds a trained change to the chosen value vectors of a down projection.

    Parameters
    ----------
    site
        Where the value vectors are.
    chosen
        Which of them change; at least one.
    """

    def __init__(self, site: Site, chosen: Bool[torch.Tensor, " neuron"]) -> None:
        super().__init__()
        weight = site.weight
        vector = chosen.nonzero().squeeze(1).to(weight.device)
        number = (vector // site.d_ff, vector % site.d_ff) if site.routed else (vector,)
        self._rows = site.layout == "rows"
        self._number = number
        d_model = weight.shape[-1 if self._rows else -2]
        self.delta = nn.Parameter(torch.zeros(len(vector), d_model).to(weight.device))
        """Change of each chosen value vector ``[chosen, d_model]``, float32."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Make the down projection's weight; other value vectors are copied."""
        rows = weight if self._rows else weight.mT
        vectors = (rows[self._number] + self.delta).to(weight.dtype)
        changed = rows.index_put(self._number, vectors)
        return changed if self._rows else changed.mT


@contextmanager
def trainable(sites: Sequence[Site], chosen: Chosen) -> Iterator[list[nn.Parameter]]:
    """Make the chosen value vectors trainable, and nothing else of their modules.

    What has been trained is written into the weights when the block ends; when it ends
    by an exception they are as they were, bit for bit.

    Yields
    ------
    The changes, one parameter per site of which something is chosen.

    Raises
    ------
    UserError
        If a weight cannot be written, or belongs to several sites.
    """
    taught = [
        (site, Changed(site, mask))
        for site, mask in zip(_writable(sites), chosen, strict=True)
        if mask.any()
    ]
    attached: list[Site] = []
    try:
        for site, changed in taught:
            site.module.requires_grad_(requires_grad=False)
            parametrize.register_parametrization(
                site.module, tensor_name(site), changed
            )
            attached.append(site)
        yield [changed.delta for _, changed in taught]
        trained = [site.weight.detach() for site in attached]
    finally:
        for site in attached:
            parametrize.remove_parametrizations(
                site.module, tensor_name(site), leave_parametrized=False
            )
    with torch.no_grad():
        for site, weight in zip(attached, trained, strict=True):
            site.weight.copy_(weight)


def tensor_name(site: Site) -> str:
    """Name of a site's weight within its module."""
    return "down_proj" if site.routed else "weight"


def snapshot(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Copy of a model's whole state, on its devices."""
    return {name: t.detach().clone() for name, t in model.state_dict().items()}


def untouched_equal(
    before: Snapshot, model: PreTrainedModel, sites: Sequence[Site], chosen: Chosen
) -> bool:
    """Whether everything but the chosen value vectors is bit-equal.

    Bits are compared, so that NaN equals itself and 0 is not -0.
    """
    after = model.state_dict()
    if set(after) != set(before):
        return False
    pairs = zip(sites, chosen, strict=True)
    masks = {f"{site.name}.{tensor_name(site)}": (site, c) for site, c in pairs}
    for name, tensor in after.items():
        old, new = before[name], tensor.detach()
        if name in masks:
            site, mask = masks[name]
            old, new = (_unchosen(t, site, mask) for t in (old, new))
        if not _same_bits(old, new):
            return False
    return True


def update_norm(before: Snapshot, model: PreTrainedModel) -> float:
    """Euclidean norm of the change of all parameters; tied ones count once."""
    total = 0.0
    for name, parameter in model.named_parameters():
        if parameter.is_floating_point():
            change = parameter.detach().float() - before[name].float()
            total += float(torch.linalg.vector_norm(change, dtype=torch.float64)) ** 2
    return math.sqrt(total)


def _unchosen(
    weight: torch.Tensor, site: Site, chosen: Bool[torch.Tensor, " neuron"]
) -> Float[torch.Tensor, "neuron d_model"]:
    """Value vectors that are not chosen, of a site's weight or of a copy of it."""
    rows = weight if site.layout == "rows" else weight.mT
    return rows.flatten(0, -2)[~chosen.to(weight.device)]


def _same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    pair = (t.contiguous().reshape(-1).view(torch.uint8) for t in (one, other))
    return torch.equal(*pair)


def _writable(sites: Sequence[Site]) -> Sequence[Site]:
    """Refuse weights that are no plain parameters of one site each."""
    seen: set[int] = set()
    for site in sites:
        address = site.weight.data_ptr()
        fault = unwritable(site)
        if address in seen and not fault:
            fault = "its weight is also that of an earlier layer"
        if fault:
            raise UserError(
                f"module {site.name}",
                f"{fault}, so that its value vectors cannot be trained",
                "Load the model unquantised on its devices, with weights of its own",
            )
        seen.add(address)
    return sites
