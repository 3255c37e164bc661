"""Which masks a concept gets, and which of its items are answered under each.

Cross-fitting is the default: the mask that is on while one half of a concept's items
is answered was selected on the other half. Random and swap masks are evaluated on the
same items.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from paraspec.core.config import MeasureConfig
from paraspec.core.definitions import NONE
from paraspec.core.seeds import seed_for
from paraspec.measure.extract import HALVES
from paraspec.measure.ranked import UNRANKED, RankingKey

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


def swap_donors(
    categories: Mapping[str, str], seed: int, added: Container[str] = ()
) -> dict[str, str]:
    """For each concept another one of its category; absent where there is none.

    An added concept is no donor, so that adding one changes no mask of another.
    """
    pool = [(c, k) for c, k in categories.items() if c not in added]
    donors = {}
    for concept, category in categories.items():
        mates = [c for c, k in pool if k == category and c != concept]
        if mates:
            donors[concept] = min(
                mates, key=lambda c: seed_for("swap", seed, concept, c)
            )
    return donors
