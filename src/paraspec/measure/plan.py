"""Which masks a concept gets, and which of its items are answered under each.

Cross-fitting is the default: the mask that is on while one half of a concept's items
is answered was selected on the other half. Random and swap masks are evaluated on the
same items.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Int

from paraspec.core.config import MeasureConfig
from paraspec.core.definitions import NONE
from paraspec.core.seeds import seed_for
from paraspec.measure.extract import HALVES, Activations
from paraspec.measure.rankings import difference, places, random_places

RankingKey = tuple[str, str, str]
"""``("top", concept, halves it was selected on)`` or ``("random", concept, draw)``."""

Ranking = tuple[Int[torch.Tensor, " neuron"], ...]
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
    halves: tuple[str, ...]
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

    def mask(
        kind: str,
        ratio: float,
        ranking: RankingKey,
        halves: tuple[str, ...] = HALVES,
        *,
        general: bool,
        draw: int = 0,
        donor: str = NONE,
        ablation: str = "zero",
    ) -> Mask:
        selector = "random" if kind == "random" else SELECTOR
        return Mask(
            concept,
            selector,
            kind,
            ablation,
            draw,
            donor,
            ratio,
            ranking,
            halves,
            general,
        )

    drawn = ("random", concept, "0")
    yield Mask(concept, NONE, "none", NONE, 0, NONE, 0.0, drawn, HALVES, general=True)
    for ratio in grid.ratios:
        general = ratio in grid.general_ratios
        for half in HALVES:
            fitted = ("top", concept, other(half))
            yield mask("top", ratio, fitted, (half,), general=general)
        yield mask("random", ratio, drawn, general=general)
    for draw in range(1, grid.draws):
        ranking = ("random", concept, str(draw))
        yield mask("random", grid.primary, ranking, general=True, draw=draw)
    insample = ("top", concept, "AB")
    yield mask("top-insample", grid.primary, insample, general=True)
    for half in HALVES if donor else ():
        fitted = ("top", str(donor), other(half))
        yield mask(
            "swap", grid.primary, fitted, (half,), general=True, donor=str(donor)
        )
    for share in grid.keep_ratios:
        for half in HALVES:
            fitted = ("top", concept, other(half))
            yield mask("top", share, fitted, (half,), general=False, ablation="keep")
        yield mask("random", share, drawn, general=False, ablation="keep")


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
    """Rankings of one model, made on demand."""

    def __init__(self, model: str, activations: Activations) -> None:
        self._model = model
        self._activations = activations
        self._number = {c: i for i, c in enumerate(activations.concepts)}

    def get(self, key: RankingKey) -> Ranking:
        """Make the ranking that a mask names."""
        kind, concept, which = key
        if kind == "random":
            return self._random(concept, which)
        return self._top(concept, which)

    def _random(self, concept: str, draw: str) -> Ranking:
        sizes = self._activations.sizes
        return tuple(
            random_places(n, self._model, concept, layer, draw)
            for layer, n in enumerate(sizes)
        )

    def _top(self, concept: str, halves: str) -> Ranking:
        line = self._number[concept]
        chosen = [HALVES.index(half) for half in halves]
        return tuple(
            places(difference(related[line, chosen].float().mean(0), unrelated[line]))
            for related, unrelated in zip(
                self._activations.related, self._activations.unrelated, strict=True
            )
        )
