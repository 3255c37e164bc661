"""Rankings of a model's value vectors under the names that masks give them."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Int

from paraspec.core.definitions import NONE
from paraspec.measure.extract import HALVES, Activations
from paraspec.measure.rankings import (
    Place,
    difference,
    places,
    random_places,
    shared_out_like,
)


class RankingKey(NamedTuple):
    """Which order of value vectors a mask takes its prefix from."""

    concept: str
    halves: str
    """Halves of the concept's items that it was selected on."""
    draw: int | None = None
    """Draw of a random order; None for the selector's own."""


UNRANKED = RankingKey(NONE, NONE)
"""Value vectors by index: what the empty mask, the same for all, takes nothing of."""


class Rankings:
    """Rankings of one model, made on demand.

    Parameters
    ----------
    model
        Name, which seeds random rankings.
    activations
        Mean coefficients of the model.
    device
        Where value vectors are ordered.
    """

    def __init__(
        self, model: str, activations: Activations, device: torch.device | str = "cpu"
    ) -> None:
        self._model = model
        self.device = torch.device(device)
        self._activations = activations
        self._number = {c: i for i, c in enumerate(activations.concepts)}
        self._experts = [
            torch.arange(routing.shape[-1]).repeat_interleave(n // routing.shape[-1])
            for routing, n in zip(activations.routing, activations.sizes, strict=True)
        ]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Value vectors of each layer."""
        return self._activations.sizes

    def shared(self, key: RankingKey) -> RankingKey:
        """The key under which equal rankings stand once.

        Without experts a random ranking is the same for both halves.
        """
        alike = key.draw is not None and not self._any_experts
        return key._replace(halves=NONE) if alike else key

    def stacked(
        self, keys: Sequence[RankingKey]
    ) -> list[Int[torch.Tensor, "ranking neuron"]]:
        """Make the rankings that masks name: places, one line per key, by layer.

        In a mixture of experts a random ranking takes as many value vectors from each
        expert as the concept's own (decision 7), so it depends on the halves too.

        Returns
        -------
        Places on the device, in 16 bits where a layer has few enough value vectors.
        """
        return [self._layer(keys, layer) for layer in range(len(self.sizes))]

    def _layer(
        self, keys: Sequence[RankingKey], layer: int
    ) -> Int[torch.Tensor, "ranking neuron"]:
        n = self.sizes[layer]
        dtype = torch.int16 if n < torch.iinfo(torch.int16).max else torch.int32
        by_index = torch.arange(n, dtype=dtype, device=self.device)
        found = by_index.repeat(len(keys), 1)
        drawn = [i for i, key in enumerate(keys) if key.draw is not None]
        own = [i for i, key in enumerate(keys) if key.draw is None and key != UNRANKED]
        if drawn:
            lines = torch.stack([self._random(keys[i], layer) for i in drawn])
            found[drawn] = lines.to(found)
        if own:
            found[own] = self._top([keys[i] for i in own], layer).to(dtype)
        return found

    def _random(self, key: RankingKey, layer: int) -> Place:
        experts = self._experts[layer]
        drawn = random_places(
            len(experts), self._model, key.concept, layer, str(key.draw)
        )
        if not self._any_experts:
            return drawn
        return shared_out_like(drawn, self._top([key], layer)[0].cpu(), experts)

    def _top(
        self, keys: Sequence[RankingKey], layer: int
    ) -> Int[torch.Tensor, "ranking neuron"]:
        lines = [self._number[key.concept] for key in keys]
        share = [[(h in key.halves) / len(key.halves) for h in HALVES] for key in keys]
        of_half = torch.tensor(share, device=self.device)
        related = self._activations.related[layer][lines].to(self.device).float()
        unrelated = self._activations.unrelated[layer][lines].to(self.device)
        return places(difference((related * of_half[:, :, None]).sum(1), unrelated))

    def active_share(
        self, key: RankingKey, k: Sequence[int], concept: str, halves: str
    ) -> float:
        """Routing-weighted share of active value vectors in a prefix (decision 7).

        A token activates the value vectors of the experts that it is routed to, each
        with the routing weight; the mean is over layers and the concept's tokens. In a
        dense layer it is ``k / n``.
        """
        line = self._number[concept]
        chosen = [HALVES.index(half) for half in halves]
        ranking = self.stacked([key]) if self._any_experts else []
        shares = []
        for layer, experts in enumerate(self._experts):
            weight = self._activations.routing[layer][line, chosen].float().mean(0)
            if len(weight) == 1:
                shares.append(k[layer] / len(experts))
                continue
            masked = ranking[layer][0].cpu() < k[layer]
            hit = masked.view(len(weight), -1).float().mean(1)
            shares.append(float((weight * hit).sum() / weight.sum()))
        return sum(shares) / len(shares)

    @cached_property
    def _any_experts(self) -> bool:
        return any(bool(experts.any()) for experts in self._experts)
