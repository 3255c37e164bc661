"""Which masks a concept gets, and which of its items are answered under each.

Cross-fitting is the default: the mask that is on while one half of a concept's items
is answered was selected on the other half. Controls are evaluated on the same items.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from paraspec.core.config import ControlsConfig, MeasureConfig
from paraspec.core.definitions import NONE, PAPER_SELECTOR, STOCHASTIC
from paraspec.core.seeds import seed_for
from paraspec.measure.extract import HALVES
from paraspec.measure.ranked import UNRANKED, RankingKey

BOTH = "".join(HALVES)


@dataclass(frozen=True)
class Mask:
    """One mask of one concept: which ranking, how much of it, how applied."""

    concept: str
    selector: str
    kind: str
    """none, top, top-insample, random, or a control."""
    ablation: str
    """zero masks the top share; keep masks all the rest; or a replacement."""
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
    controls: ControlsConfig | None = None
    """Control masks at the primary ratio; None: no more than one swap."""
    cross: tuple[str, ...] = ()
    """Concepts under whose masks every concept's own items are asked too."""

    @classmethod
    def of(cls, config: MeasureConfig, primary: float) -> "Grid":
        """Grid of a study for a model with that primary ratio, without controls."""
        return cls(
            tuple(r for r in config.ratios if r > 0),
            tuple(r for r in config.general_ratios if r > 0),
            config.keep_ratios,
            primary,
            config.random_draws,
        )


@dataclass(frozen=True)
class Donors:
    """Concepts whose masks are swapped in, one for each draw."""

    same: tuple[str, ...] = ()
    """Of the same category."""
    other: tuple[str, ...] = ()
    """Of other categories."""


NO_DONORS = Donors()


def masks_of(concept: str, donors: Donors, grid: Grid) -> Iterator[Mask]:
    """Yield every mask of a concept, the empty one first.

    Parameters
    ----------
    concept
        The concept.
    donors
        Concepts whose masks are swapped in.
    grid
        Ratios and draws.
    """
    yield Mask(
        *(concept, NONE, "none", NONE, 0, NONE, 0.0, UNRANKED, BOTH), general=True
    )
    top = RankingKey(concept, BOTH)
    random = top._replace(kind="random")
    for ratio in grid.ratios:
        general = ratio in grid.general_ratios
        yield from crossed("top", top, ratio, general=general)
        yield from crossed("random", random, ratio, general=general)
    for draw in range(1, grid.draws):
        yield from crossed("random", random._replace(draw=draw), grid.primary)
    yield Mask(
        *(concept, PAPER_SELECTOR, "top-insample", "zero", 0, NONE, grid.primary),
        *(top, BOTH),
        general=True,
    )
    yield from _swaps(concept, donors, grid)
    if grid.controls:
        yield from _controls(top, grid.primary, grid.controls)
    for share in grid.keep_ratios:
        yield from crossed("top", top, share, general=False, ablation="keep")
        yield from crossed("random", random, share, general=False, ablation="keep")


def _swaps(concept: str, donors: Donors, grid: Grid) -> Iterator[Mask]:
    """Yield other concepts' masks: one in any model, more where controls ask for it."""
    controls = grid.controls
    wanted = controls.masks if controls else ()
    draws = controls.draws if controls else 1
    for draw, donor in enumerate(donors.same[: draws if "swap" in wanted else 1]):
        yield from swapped("swap", concept, donor, grid.primary, draw)
    for draw, donor in enumerate(donors.other[:draws]):
        if "swap-other" in wanted:
            yield from swapped("swap-other", concept, donor, grid.primary, draw)
    for donor in grid.cross:
        if donor != concept:
            for mask in swapped("cross", concept, donor, grid.primary):
                yield replace(mask, general=False)


def _controls(
    top: RankingKey, ratio: float, controls: ControlsConfig
) -> Iterator[Mask]:
    """Yield the masks of rankings and ablations of which only control models get."""
    for kind in controls.masks:
        if kind not in ("swap", "swap-other"):
            for draw in range(controls.draws if kind in STOCHASTIC else 1):
                yield from crossed(kind, top._replace(kind=kind, draw=draw), ratio)
    for replacement in controls.replacements:
        yield from crossed("top", top, ratio, ablation=replacement)
        drawn = top._replace(kind="random")
        yield from crossed("random", drawn, ratio, ablation=replacement)
    for selector in controls.selectors:
        if selector != PAPER_SELECTOR:
            yield from crossed("top", top._replace(kind=selector), ratio)


def crossed(
    kind: str,
    key: RankingKey,
    ratio: float,
    *,
    general: bool = True,
    ablation: str = "zero",
) -> Iterator[Mask]:
    """Yield one mask for each half, its ranking selected on the other."""
    for half in HALVES:
        yield Mask(
            key.concept,
            key.kind,
            kind,
            ablation,
            key.draw,
            NONE,
            ratio,
            key._replace(halves=other(half)),
            half,
            general,
        )


def swapped(
    kind: str, concept: str, donor: str, ratio: float, draw: int = 0
) -> Iterator[Mask]:
    """Yield a donor's masks as a concept's."""
    for mask in crossed(kind, RankingKey(donor, BOTH), ratio):
        yield replace(mask, concept=concept, donor=donor, draw=draw)


def other(half: str) -> str:
    """The other cross-fitting half."""
    return "B" if half == "A" else "A"


def swap_donors(
    categories: Mapping[str, str],
    seed: int,
    added: Container[str] = (),
    draws: int = 1,
) -> dict[str, Donors]:
    """Other concepts for each concept, in a seeded order; fewer where there are few.

    An added concept is no donor, so that adding one changes no mask of another.
    """
    pool = [(c, k) for c, k in categories.items() if c not in added]

    def drawn(purpose: str, concept: str, *, same: bool) -> tuple[str, ...]:
        category = categories[concept]
        mates = [c for c, k in pool if (k == category) == same and c != concept]
        mates.sort(key=lambda c: seed_for(purpose, seed, concept, c))
        return tuple(mates[:draws])

    return {
        concept: Donors(
            drawn("swap", concept, same=True), drawn("swap-other", concept, same=False)
        )
        for concept in categories
    }
