"""Made-up answers with known effects: no model, no torch.

Each fake model knows a stated share of its facts, and its top mask destroys a stated
share of that knowledge among a concept's own items (``damage``) and among general ones
(``collateral``); random masks destroy ``collateral`` in both. In expectation, at the
primary ratio, signed = accuracy * (damage - collateral).

A fake with ``controls`` also has the mask kinds of control models (see
:data:`SPECIFICITY`). Concepts made with ``non_knowledge=True`` include the two controls
that are no knowledge; their masks are as unspecific as random ones. The files of a
whole study of such answers are written by :mod:`tests.synthetic_study`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from paraspec.core.definitions import (
    CONTROL_MASKS,
    CROSS_MASK,
    NON_KNOWLEDGE,
    NONE,
    PAPER_SELECTOR,
    REPLACEMENTS,
    SELECTORS,
    STOCHASTIC,
    Mechanism,
    primary_ratio,
)
from paraspec.core.seeds import generator
from paraspec.core.table import checked
from paraspec.core.tables.measured import ITEMS
from paraspec.core.tables.planned import CONCEPTS, PROMPTS

RATIOS = (0.02, 0.05, 0.1, 0.2, 0.5)
GENERAL_RATIOS = (0.05, 0.1, 0.2)
KEEP_RATIOS = (0.25, 0.5, 0.75)
CATEGORIES = ("city", "country", "element")
TIERS = ("high", "mid", "low")
EXPOSURES = (8, 2, 1)
N_RELATIONS = 10
N_GENERAL = 12
CHANCE, FLOOR = 0.25, 0.3
NOT_KNOWN = ("answer-format", "number-agreement")
"""Concepts of the category non-knowledge."""

SPECIFICITY = {
    "top": 1.0,
    "top-insample": 1.0,
    "cross-format": 1.0,
    "no-outliers": 1.0,
    "undifferenced": 0.5,
}
"""How specific each mask is: 1 destroys ``damage`` of own items, 0 ``collateral``."""

SELECTOR_SPECIFICITY = {name: 1 - 0.1 * i for i, name in enumerate(SELECTORS)}
"""The same of each selector's top mask; the paper's has 1."""

CONTROL_DRAWS = 3
N_VECTORS = 64
"""Value vectors of each of two layers."""


@dataclass(frozen=True)
class Fake:
    """A made-up model."""

    model: str
    family: str
    parameters: int
    accuracy: float
    damage: float
    collateral: float = 0.05
    exposure_bonus: float = 0.0
    """Added to the damage of concepts of the highest exposure."""
    n_experts: int = 0
    steps: int = 1000
    seed: int = 0
    of: str = ""
    """Model whose checkpoint it is."""
    controls: bool = False
    """Has the mask kinds and tables of control models."""
    cross: bool = False
    """Is asked about each concept under every other's mask."""
    planted: bool = False
    """Was given new facts, to score the selectors."""
    mechanism: Mechanism = ""
    strength: float = 0.0
    baseline: str = ""
    """Model trained alike without the mechanism."""


CONTROL_MODELS = (("llama", 1), ("llama", 3), ("gpt2", 3), ("neox", 2))
"""Family and place in it of the models with controls."""


def zoo() -> tuple[Fake, ...]:
    """14 models of 4 families, one of them experts, whose damage rises with accuracy.

    A trajectory of 8 checkpoints follows, where accuracy rises before damage.
    """
    sizes = {"llama": 4, "gpt2": 4, "neox": 3, "moe": 3}
    fakes = []
    for family, n in sizes.items():
        for i in range(n):
            accuracy = 0.35 + 0.6 * i / (n - 1)
            experts = 4 if family == "moe" else 0
            fakes.append(
                Fake(
                    f"{family}-{16 * 2**i}",
                    family,
                    3000 * 4**i,
                    accuracy,
                    damage=0.05 + 0.5 * (accuracy - 0.25),
                    exposure_bonus=0.2,
                    n_experts=experts,
                    controls=(family, i) in CONTROL_MODELS,
                    cross=(family, i) == ("gpt2", 3),
                    planted=(family, i) == ("llama", 3),
                )
            )
    return (*fakes, *_trajectory("llama-128", 3000 * 4**3))


def induced_zoo(seeds: int = 3) -> tuple[Fake, ...]:
    """Plain, routed and dropped-out models: more damage where more is known.

    Accuracy is .7 plain, rises with routing and falls with dropout; damage by .2 for
    every .1 of accuracy.
    """
    fakes = []
    for seed in range(seeds):
        for mechanism, gains in (
            ("", {0.0: 0.0}),
            ("routing", {0.5: 0.1, 1.0: 0.2}),
            ("dropout", {0.1: -0.1, 0.5: -0.2}),
        ):
            for strength, gain in gains.items():
                plain = f"plain-s{seed}"
                fake = Fake(
                    f"{mechanism}-{strength:g}-s{seed}" if mechanism else plain,
                    "llama",
                    3000,
                    0.7 + gain,
                    damage=0.5 + 2 * gain,
                    seed=seed,
                    mechanism=mechanism,
                    strength=strength,
                    baseline=plain if mechanism else "",
                )
                fakes.append(fake)
    return tuple(fakes)


def _trajectory(of: str, parameters: int) -> Iterator[Fake]:
    for i in range(1, 9):
        known = 0.25 + 0.7 * min(1, i / 4)
        late = 0.4 * max(0, (i - 4) / 4)
        name = f"{of}-step{i * 100}"
        yield Fake(name, "llama", parameters, known, 0.05 + late, steps=i * 100, of=of)


def concepts_table(n: int, *, non_knowledge: bool = False) -> pd.DataFrame:
    """``n`` concepts, tiers and exposures crossed with categories."""
    rows = [
        {
            "concept": f"concept-{i:03d}",
            "name": f"Concept {i}",
            "category": CATEGORIES[i % 3],
            "tier": TIERS[(i // 3) % 3],
            "zipf": 3.0,
            "common_word": False,
            "exposure": EXPOSURES[(i // 9 + i) % 3],
        }
        for i in range(n)
    ]
    for name in NOT_KNOWN if non_knowledge else ():
        same = {"category": NON_KNOWLEDGE, "tier": "mid", "zipf": 0.0, "exposure": 0}
        rows.append({"concept": name, "name": name, "common_word": False, **same})
    return checked(pd.DataFrame(rows), CONCEPTS)


def prompts_table(concepts: pd.DataFrame) -> pd.DataFrame:
    """Ten items per concept; a city's first three relations follow from its country."""
    rows = [
        {
            "item": f"{row.concept}.r{j}",
            "item_concept": row.concept,
            "relation": f"r{j}",
            "category": row.category,
            "tier": row.tier,
            "half": "AB"[j % 2],
            "question": f"What is r{j} of {row.name}?",
            "prefix": f"The r{j} of {row.name} is",
            "options": '["a", "b", "c", "d"]',
            "gold": j % 4,
            "aliases": "[]",
            "chance": CHANCE,
            "floor": FLOOR,
            "country_derived": row.category == "city" and j < 3,
        }
        for row in concepts.itertuples()
        for j in range(N_RELATIONS)
    ]
    return checked(pd.DataFrame(rows), PROMPTS)


def sets_table(concepts: pd.DataFrame) -> pd.DataFrame:
    """Own items, and general ones half from the same category."""
    controls = (concepts["category"] == NON_KNOWLEDGE).any()
    return _sets(len(concepts) - len(NOT_KNOWN) * controls, controls).copy()


@cache
def _sets(n: int, non_knowledge: bool) -> pd.DataFrame:
    concepts = concepts_table(n, non_knowledge=non_knowledge)
    prompts = prompts_table(concepts)
    frames = []
    for row in concepts.itertuples():
        own = prompts[prompts["item_concept"] == row.concept]
        others = prompts[prompts["item_concept"] != row.concept]
        others = others[others["category"] != NON_KNOWLEDGE]
        same = others["category"].astype(str) == str(row.category)
        rng = generator("synthetic-sets", row.concept)
        frames.append(_members(row.concept, own, "concept", "own"))
        for kinship, pool in (
            ("same-category", others[same]),
            ("other-category", others[~same]),
        ):
            picked = pool.sample(min(N_GENERAL // 2, len(pool)), random_state=rng)
            frames.append(_members(row.concept, picked, "general", kinship))
    return pd.concat(frames, ignore_index=True)


def _members(concept: str, items: pd.DataFrame, kind: str, kinship: str):
    frame = items[["item", "item_concept", "relation", "half"]].copy()
    return frame.assign(concept=concept, set=kind, kinship=kinship)


def items_table(fake: Fake, concepts: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Table ``items`` of a fake model."""
    asked = _asked(fake, concepts, seed)
    primary = primary_ratio(fake.parameters)
    frames = [_masked(fake, asked, "none", 0.0, seed)]
    for ratio in RATIOS:
        subset = asked if ratio in GENERAL_RATIOS else asked[asked["set"] == "concept"]
        frames.append(_masked(fake, subset, "top", ratio, seed))
        frames.append(_masked(fake, subset, "random", ratio, seed))
    frames += [
        _masked(fake, asked, "random", primary, seed, draw) for draw in range(1, 4)
    ]
    frames.append(_masked(fake, asked, "top-insample", primary, seed))
    frames.append(_masked(fake, asked, "swap", primary, seed))
    if fake.controls:
        frames += _controls(fake, asked, seed)
    own = asked[asked["set"] == "concept"]
    if fake.cross:
        frames += _crossed(fake, own, seed)
    for share in KEEP_RATIOS:
        for mask in ("top", "random"):
            kept = _masked(fake, own, mask, share, seed)
            frames.append(kept.assign(ablation="keep"))
    frame = pd.concat(frames, ignore_index=True).assign(
        model=fake.model,
        scorer="cloze",
        prompt_hash="0" * 12,
        option_order="0123",
        parsed=True,
        option_mass=0.9,
        chance=CHANCE,
        floor=FLOOR,
    )
    return checked(frame[ITEMS.names], ITEMS)


def _asked(fake: Fake, concepts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Items under each concept, with what the unmasked model answers."""
    prompts = prompts_table(concepts)
    rng = generator("synthetic-knowledge", fake.model, seed)
    control = (prompts["category"] == NON_KNOWLEDGE).to_numpy()
    parts = [n for n in ((~control).sum(), control.sum()) if n]
    known = [rng.permutation(n) < round(fake.accuracy * n) for n in parts]
    knowledge = pd.Series(np.concatenate(known), index=prompts["item"])
    traits = concepts.set_index("concept")
    asked = sets_table(concepts)
    for column in ("category", "tier", "exposure"):
        asked[column] = traits[column].reindex(asked["concept"]).to_numpy()
    asked["item_tier"] = traits["tier"].reindex(asked["item_concept"]).to_numpy()
    return asked.assign(known=knowledge.reindex(asked["item"]).to_numpy())


def _controls(fake: Fake, asked: pd.DataFrame, seed: int) -> Iterator[pd.DataFrame]:
    """Mask kinds of control models, at the primary ratio."""
    at = primary_ratio(fake.parameters)
    for mask in CONTROL_MASKS:
        draws = CONTROL_DRAWS if mask in STOCHASTIC else 1
        for draw in range(mask == "swap", draws):  # draw 0 of swap: every model has it
            yield _masked(fake, asked, mask, at, seed, draw)
    for ablation in REPLACEMENTS:
        for mask in ("top", "random"):
            yield _masked(fake, asked, mask, at, seed, ablation=ablation)
    for selector in SELECTORS[1:]:
        yield _masked(fake, asked, "top", at, seed, selector=selector)


def _crossed(fake: Fake, own: pd.DataFrame, seed: int) -> Iterator[pd.DataFrame]:
    """Own items under every other concept's mask."""
    own = own[own["category"] != NON_KNOWLEDGE]
    at = primary_ratio(fake.parameters)
    for donor in own["concept"].unique():
        rows = own[own["concept"] != donor]
        found = _masked(fake, rows, CROSS_MASK, at, seed, donor=donor)
        yield found


def _damage(
    fake: Fake, asked: pd.DataFrame, mask: str, ratio: float, selector: str
) -> np.ndarray:
    own = (asked["set"] == "concept") & (asked["category"] != NON_KNOWLEDGE)
    most = (asked["exposure"] == max(EXPOSURES)).to_numpy()
    specific = SPECIFICITY.get(mask, 0.0) * SELECTOR_SPECIFICITY.get(selector, 1.0)
    extra = fake.damage + fake.exposure_bonus * most - fake.collateral
    share = fake.collateral + own.to_numpy() * specific * extra
    relative = ratio / primary_ratio(fake.parameters)
    return np.clip(share * relative, 0, 1)


def _masked(
    fake: Fake,
    asked: pd.DataFrame,
    mask: str,
    ratio: float,
    seed: int,
    draw: int = 0,
    *,
    selector: str = PAPER_SELECTOR,
    ablation: str = "zero",
    donor: str = NONE,
) -> pd.DataFrame:
    variant = {selector, ablation, donor} - {PAPER_SELECTOR, "zero", NONE}
    names = (fake.model, mask, ratio, draw, seed, *variant)
    rng = generator("synthetic-mask", *names)
    damage = _damage(fake, asked, mask, ratio, selector)
    lost = rng.random(len(asked)) < damage
    correct = asked["known"].to_numpy() & ~lost
    plain = mask == "none"
    margin = np.where(asked["known"], 4.0, -1.0) * (1 - damage)
    named = mask if mask in UNRANKED else selector
    return asked.assign(
        selector=NONE if plain else named,
        mask=mask,
        ablation=NONE if plain else ablation,
        draw=draw,
        donor=donor,
        ratio=ratio,
        k=round(ratio * 2 * N_VECTORS),
        correct=correct,
        margin=margin,
        gold_logprob=np.where(asked["known"], -0.2, -2.0),
        predicted=rng.integers(4, size=len(asked)),
    )


UNRANKED = (
    *("random", "matched", "undifferenced", "shuffled"),
    *("cross-format", "no-outliers"),
)
"""Masks whose selector is named like them."""
