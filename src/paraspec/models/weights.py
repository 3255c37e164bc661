"""Masking by weight: value vectors set to zero in the down projection itself.

Gives the same logits as masking coefficients, costs nothing per token, and holds for
every row alike. The weight is put back bit for bit when the block ends.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Bool

from paraspec.models.sites import Site


@contextmanager
def zeroed(
    sites: Sequence[Site], keep: Sequence[Bool[torch.Tensor, " neuron"]]
) -> Iterator[None]:
    """Zero the value vectors that ``keep`` does not keep, in every layer."""
    saved = [site.weight.detach().clone() for site in sites]
    try:
        with torch.no_grad():
            for site, kept in zip(sites, keep, strict=True):
                site.weight.mul_(_as_weight(site, kept).to(site.weight.dtype))
        yield
    finally:
        with torch.no_grad():
            for site, weight in zip(sites, saved, strict=True):
                site.weight.copy_(weight)


def _as_weight(site: Site, kept: Bool[torch.Tensor, " neuron"]) -> torch.Tensor:
    """Shape a layer's mask so that it broadcasts over its weight."""
    if site.layout == "columns":
        return kept[None, :]
    if site.layout == "rows":
        return kept[:, None]
    return kept.view(site.n_experts, 1, site.d_ff)
