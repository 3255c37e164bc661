"""Masks as they act on the rows of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float

from paraspec.core.definitions import REPLACEMENTS
from paraspec.measure.ranked import RankingKey, Rankings
from paraspec.measure.rankings import kept
from paraspec.measure.scoring import Masks


@dataclass(frozen=True)
class Applied:
    """A mask as it acts: two masks with equal fields give equal answers."""

    ranking: RankingKey
    k: tuple[int, ...]
    """Value vectors selected in each layer."""
    ablation: str = "zero"
    """What the selected coefficients become; keep: all others become zero."""


class RankingTable:
    """Rankings of many rows, stacked so that a batch's masks are one comparison.

    Equal masks have equal numbers, see ``same``.
    """

    def __init__(self, rankings: Rankings, applied: Sequence[Applied]) -> None:
        device = rankings.device
        shared = {mask.ranking: rankings.shared(mask.ranking) for mask in applied}
        number = {key: i for i, key in enumerate(dict.fromkeys(shared.values()))}
        self._layers = rankings.stacked(list(number))
        lines = [number[shared[mask.ranking]] for mask in applied]
        self._line = torch.tensor(lines, device=device)
        self._k = torch.tensor([m.k for m in applied], device=device)
        kept = [mask.ablation == "keep" for mask in applied]
        self._invert = torch.tensor(kept, device=device)
        self._fill = _Fill(rankings, applied)
        masks = {mask: i for i, mask in enumerate(dict.fromkeys(applied))}
        self.same = torch.tensor([masks[mask] for mask in applied], device=device)
        """Number of each row's mask: equal numbers, equal masks."""

    def masks(self, rows: Sequence[int]) -> Masks:
        """Masks of these rows."""
        chosen = torch.tensor(list(rows), device=self._line.device)
        line, k = self._line[chosen], self._k[chosen]
        invert = self._invert[chosen, None]
        keep = [
            kept(layer[line], k[:, i]) ^ invert for i, layer in enumerate(self._layers)
        ]
        return Masks(keep, self.same[chosen], self._fill.of(rows))


class _Fill:
    """Means that masked coefficients are set to, for the rows that ask for them."""

    def __init__(self, rankings: Rankings, applied: Sequence[Applied]) -> None:
        self._rankings = rankings
        self._wanted = [
            (mask.ablation, mask.ranking.concept)
            if mask.ablation in REPLACEMENTS
            else None
            for mask in applied
        ]

    def of(self, rows: Sequence[int]) -> list[Float[torch.Tensor, "row neuron"]]:
        """Values of these rows by layer, zero where no mean is wanted; may be []."""
        wanted = [self._wanted[i] for i in rows]
        if not any(wanted):
            return []
        means = self._rankings.means
        return [
            torch.stack(
                [
                    torch.zeros(n, device=self._rankings.device)
                    if one is None
                    else means(*one, layer)
                    for one in wanted
                ]
            )
            for layer, n in enumerate(self._rankings.sizes)
        ]
