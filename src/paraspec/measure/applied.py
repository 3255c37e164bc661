"""Masks as they act on the rows of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from paraspec.measure.ranked import RankingKey, Rankings
from paraspec.measure.rankings import kept
from paraspec.measure.scoring import Masks


@dataclass(frozen=True)
class Applied:
    """A mask as it acts: two masks with equal fields give equal answers."""

    ranking: RankingKey
    k: tuple[int, ...]
    """Value vectors selected in each layer."""
    keep: bool
    """Mask all but those."""


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
        self._invert = torch.tensor([m.keep for m in applied], device=device)
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
        return Masks(keep, self.same[chosen])
