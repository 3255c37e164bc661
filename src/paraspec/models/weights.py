"""Masking by weight: value vectors set to zero in the down projection itself.

Gives the same logits as masking coefficients, costs nothing per token, and holds for
every row alike. The weight is put back bit for bit when the block ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool
from torch import nn

from paraspec.core.errors import UserError
from paraspec.models.sites import Site


@contextmanager
def zeroed(
    sites: Sequence[Site], keep: Sequence[Bool[torch.Tensor, " neuron"]]
) -> Iterator[None]:
    """Zero the value vectors that ``keep`` does not keep, at every site.

    Raises
    ------
    UserError
        If a weight is quantised or offloaded, so that it cannot be written.
    """
    for site in sites:
        if fault := unwritable(site):
            raise UserError(
                f"module {site.name}",
                f"{fault}, so that value vectors cannot be masked in it",
                "Mask by hook, or load the model unquantised on one device",
            )
    saved = [site.weight.detach().clone() for site in sites]
    try:
        with torch.no_grad():
            for site, kept in zip(sites, keep, strict=True):
                site.weight.mul_(_as_weight(site, kept).to(site.weight))
        yield
    finally:
        with torch.no_grad():
            for site, weight in zip(sites, saved, strict=True):
                site.weight.copy_(weight)


def _as_weight(site: Site, kept: Bool[torch.Tensor, " neuron"]) -> torch.Tensor:
    """Shape a site's mask so that it broadcasts over its weight."""
    if site.routed:
        kept = kept.view(site.n_experts, site.d_ff)
    return kept[..., None, :] if site.layout == "columns" else kept[..., :, None]


def unwritable(site: Site) -> str:
    """Why a site's weight cannot be written; empty if it can."""
    weight = site.weight
    if weight.is_meta:
        return "its weight is offloaded"
    if type(weight) is not nn.Parameter or not weight.dtype.is_floating_point:
        return f"its weight is quantised ({type(weight).__name__}, {weight.dtype})"
    return ""
