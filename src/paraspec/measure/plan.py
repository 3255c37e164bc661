"""Which masks a concept gets, and which of its items are answered under each.

Cross-fitting is the default: the mask that is on while one half of a concept's items
is answered was selected on the other half. Random and swap masks are evaluated on the
same items.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Int

from paraspec.core.config import MeasureConfig
from paraspec.core.definitions import NONE
from paraspec.core.seeds import seed_for
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

Ranking = tuple[Place, ...]
"""Places of the value vectors, one tensor per layer."""

SELECTOR = "difference"


@dataclass(frozen=True)
class Mask:
    """One mask of one concept: which ranking, how much of it, how applied."""

    concept: str
    selector: str
    kind: str
    """none, top, top-insample, random or swap."""
    ablation: str
    """zero masks the top share; keep masks all the rest."""
    draw: int
    donor: str
    ratio: float
    ranking: RankingKey
    halves: str
    """Halves of items that are answered under it."""
    general: bool
    """Whether general items are answered too."""


@dataclass(frozen=True)
class Grid:
    """Ratios and draws of one model's masks."""

    ratios: tuple[float, ...]
    general_ratios: tuple[float, ...]
    keep_ratios: tuple[float, ...]
    primary: float
    draws: int

    @classmethod
    def of(cls, config: MeasureConfig, primary: float) -> "Grid":
        """Grid of a study for a model with that primary ratio."""
        return cls(
            tuple(r for r in config.ratios if r > 0),
            tuple(r for r in config.general_ratios if r > 0),
            config.keep_ratios,
            primary,
            config.random_draws,
        )


def masks_of(concept: str, donor: str | None, grid: Grid) -> Iterator[Mask]:
    """Yield every mask of a concept, the empty one first.

    Parameters
    ----------
    concept
        The concept.
    donor
        Concept of the same category whose mask is swapped in; None if there is none.
    grid
        Ratios and draws.
    """

    def pair(
        kind: str,
        ratio: float,
        *,
        general: bool,
        draw: int | None = None,
        of: str = concept,
        ablation: str = "zero",
    ) -> Iterator[Mask]:
        """One mask for each half, selected on the other."""
        for half in HALVES:
            yield Mask(
                concept,
                SELECTOR if draw is None else "random",
                kind,
                ablation,
                draw or 0,
                NONE if of == concept else of,
                ratio,
                RankingKey(of, other(half), draw),
                half,
                general,
            )

    both = "".join(HALVES)
    yield Mask(
        *(concept, NONE, "none", NONE, 0, NONE, 0.0, UNRANKED, both), general=True
    )
    for ratio in grid.ratios:
        general = ratio in grid.general_ratios
        yield from pair("top", ratio, general=general)
        yield from pair("random", ratio, general=general, draw=0)
    for draw in range(1, grid.draws):
        yield from pair("random", grid.primary, general=True, draw=draw)
    insample = RankingKey(concept, both)
    yield Mask(
        *(concept, SELECTOR, "top-insample", "zero", 0, NONE, grid.primary),
        *(insample, both),
        general=True,
    )
    if donor:
        yield from pair("swap", grid.primary, general=True, of=donor)
    for share in grid.keep_ratios:
        yield from pair("top", share, general=False, ablation="keep")
        yield from pair("random", share, general=False, draw=0, ablation="keep")


def other(half: str) -> str:
    """The other cross-fitting half."""
    return "B" if half == "A" else "A"


def swap_donors(categories: Mapping[str, str], seed: int) -> dict[str, str]:
    """For each concept another one of its category; absent where there is none."""
    donors = {}
    for concept, category in categories.items():
        mates = [c for c, k in categories.items() if k == category and c != concept]
        if mates:
            donors[concept] = min(
                mates, key=lambda c: seed_for("swap", seed, concept, c)
            )
    return donors


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
        self._device = device
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

    def get(self, key: RankingKey) -> Ranking:
        """Make the ranking that a mask names.

        In a mixture of experts a random ranking takes as many value vectors from each
        expert as the concept's own (decision 7), so it depends on the halves too.
        """
        if key == UNRANKED:
            return tuple(torch.arange(n, dtype=torch.int32) for n in self.sizes)
        if key.draw is None:
            return self._top(key)
        return tuple(
            self._random(key, layer, experts)
            for layer, experts in enumerate(self._experts)
        )

    def _random(
        self, key: RankingKey, layer: int, experts: Int[torch.Tensor, " neuron"]
    ) -> Place:
        drawn = random_places(
            len(experts), self._model, key.concept, layer, str(key.draw)
        )
        if not self._any_experts:
            return drawn
        return shared_out_like(drawn, self._top_places(key, layer).cpu(), experts)

    def _top(self, key: RankingKey) -> Ranking:
        return tuple(self._top_places(key, i) for i in range(len(self._experts)))

    def _top_places(self, key: RankingKey, layer: int) -> Place:
        line = self._number[key.concept]
        chosen = [HALVES.index(half) for half in key.halves]
        related = self._activations.related[layer][line, chosen].to(self._device)
        unrelated = self._activations.unrelated[layer][line].to(self._device)
        return places(difference(related.float().mean(0), unrelated))

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
        ranking = self.get(key) if self._any_experts else ()
        shares = []
        for layer, experts in enumerate(self._experts):
            weight = self._activations.routing[layer][line, chosen].float().mean(0)
            if len(weight) == 1:
                shares.append(k[layer] / len(experts))
                continue
            hit = (
                (ranking[layer].cpu() < k[layer]).view(len(weight), -1).float().mean(1)
            )
            shares.append(float((weight * hit).sum() / weight.sum()))
        return sum(shares) / len(shares)

    @cached_property
    def _any_experts(self) -> bool:
        return any(bool(experts.any()) for experts in self._experts)
