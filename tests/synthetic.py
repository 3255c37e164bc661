"""A made-up study with known effects: no model, no torch, a second to write.

``write_study(folder)`` writes a whole results folder as the measuring steps would leave
it (``models/<m>/model.json``, ``measure/<m>/*``, ``data/*.parquet``). Each fake model
knows a stated share of its facts, and its top mask destroys a stated share of that
knowledge among a concept's own items (``damage``) and among general ones
(``collateral``); random masks destroy ``collateral`` in both. In expectation, at the
primary ratio, signed = accuracy * (damage - collateral).

A fake with ``controls`` also has the mask kinds of control models (see
:data:`SPECIFICITY`), the tables that describe its vectors, and neutral text that loses
``collateral`` nats under any mask. ``non_knowledge=True`` adds the two controls that
are no knowledge; their masks are as unspecific as random ones.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

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
    primary_ratio,
)
from paraspec.core.layout import StudyFiles
from paraspec.core.seeds import generator
from paraspec.core.table import checked, write_table
from paraspec.core.tables.measured import COLLATERAL, ITEMS, MASKS, VECTORS
from paraspec.core.tables.per_model import (
    EFFICIENCY,
    OVERLAP,
    PLANTED,
    PSS,
    SELECTION,
)
from paraspec.core.tables.planned import CONCEPTS, PROMPTS
from paraspec.stats.efficiency import efficiency_table
from paraspec.stats.items import summed
from paraspec.stats.pss import pss_table

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
        gold_logprob=-2.0,
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
        predicted=rng.integers(4, size=len(asked)),
    )


UNRANKED = (
    *("random", "matched", "undifferenced", "shuffled"),
    *("cross-format", "no-outliers"),
)
"""Masks whose selector is named like them."""


def card(fake: Fake) -> dict[str, object]:
    """``model.json`` of a fake model."""
    trajectory = {"of": fake.of, "step": fake.steps} if fake.of else None
    tokens = generator("synthetic-tokens", fake.model).integers(10**5, 10**6)
    return {
        "model": fake.model,
        "family": fake.family,
        "architecture": fake.family,
        "n_experts": fake.n_experts,
        "parameters_total": fake.parameters,
        "parameters_active": fake.parameters,
        "d_model": 16,
        "n_layers": 2,
        "d_ff": [64, 64],
        "steps": fake.steps,
        "seed": fake.seed,
        "tokens_seen": int(tokens),
        "trajectory": trajectory,
        "source": "zoo",
        "trained_on_study": True,
        "fake": asdict(fake),
    }


def masks_table(items: pd.DataFrame) -> pd.DataFrame:
    """Masks of dense layers: they hit active value vectors as they hit any."""
    keys = [
        "model",
        "concept",
        "selector",
        "mask",
        "ablation",
        "draw",
        "donor",
        "ratio",
    ]
    found = items.drop_duplicates(keys)[[*keys, "k"]]
    found = found.assign(halves="AB", active_share=found["k"] / 128, reason="")
    return checked(found, MASKS)


def never_seen_table(fake: Fake, items: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Answers about concepts never met: right at chance."""
    asked = (items["mask"] == "none") & (items["set"] == "concept")
    plain = items[asked & (items["category"] != NON_KNOWLEDGE)].copy()
    rng = generator("synthetic-never", fake.model, seed)
    plain["correct"] = rng.random(len(plain)) < CHANCE
    plain["item"] = "unseen." + plain["item"].astype(str)
    return checked(plain, ITEMS)


def selection_table(fake: Fake, concepts: pd.DataFrame) -> pd.DataFrame:
    """Table ``selection``: made-up reliabilities and overlaps, falling by selector."""
    rows = []
    for i, selector in enumerate(SELECTORS if fake.controls else SELECTORS[:1]):
        rng = generator("synthetic-selection", fake.model, selector)
        for row in concepts.itertuples():
            noise = rng.normal(scale=0.02)
            rows.append(
                {
                    "model": fake.model,
                    "concept": row.concept,
                    "category": row.category,
                    "selector": selector,
                    "ratio": primary_ratio(fake.parameters),
                    "reliability": 0.5 - 0.05 * i + noise,
                    "same_category": 0.2 + noise,
                    "other_category": 0.1 + noise,
                    "chance": 0.05,
                    "selectivity": 0.4 + noise,
                    "participation": 0.3 + noise,
                    "gini": 0.6 + noise,
                    "reason": "",
                }
            )
    return checked(pd.DataFrame(rows), SELECTION)


def overlap_table(fake: Fake, concepts: pd.DataFrame) -> pd.DataFrame:
    """Table ``overlap``: the farther apart in the list, the less selectors share."""
    pairs = [
        (i, j, first, second)
        for i, first in enumerate(SELECTORS)
        for j, second in enumerate(SELECTORS[i + 1 :], i + 1)
        if fake.controls
    ]
    frame = pd.DataFrame(
        {
            "model": fake.model,
            "selector": [first for _, _, first, _ in pairs],
            "other": [second for *_, second in pairs],
            "ratio": primary_ratio(fake.parameters),
            "n_concepts": len(concepts),
            "jaccard": [1 / (1 + abs(i - j)) for i, j, _, _ in pairs],
            "chance": 0.05,
        }
    )
    return checked(frame, OVERLAP)


def collateral_table(fake: Fake, items: pd.DataFrame) -> pd.DataFrame:
    """Table ``collateral``: any mask adds ``collateral`` nats to a loss of 2."""
    keys = ["model", "concept", "selector", "mask", "ablation", "draw", "ratio", "half"]
    at = np.isclose(items["ratio"], primary_ratio(fake.parameters))
    wanted = (at | (items["mask"] == "none")) & (items["ablation"] != "keep")
    wanted &= items["mask"] != CROSS_MASK
    found = items[wanted if fake.controls else wanted & False].drop_duplicates(keys)
    masked = (found["mask"] != "none").to_numpy()
    rng = generator("synthetic-collateral", fake.model)
    noise = rng.normal(scale=0.01, size=len(found)) * masked
    loss = 2.0 + fake.collateral * masked + noise
    return checked(found[keys].assign(n_tokens=200, loss=loss), COLLATERAL)


def planted_table(fake: Fake, concepts: pd.DataFrame) -> pd.DataFrame:
    """Table ``planted``: the first selectors find nearly all, random few."""
    rows = [
        {
            "model": fake.model,
            "selector": selector,
            "concept": concept,
            "n_planted": 10 - i,
            "recall": recall * (1 - 0.1 * i),
            "recall_primary": min(1.0, recall + 0.1),
            "chance": 0.05,
            "auc": 0.5 + recall / 2,
            "planted_before": 0.1,
            "planted_after": 0.9,
            "others_before": 0.8,
            "others_after": 0.79,
        }
        for selector, recall in zip(
            (*SELECTORS, "random"), np.linspace(0.9, 0.05, 8), strict=True
        )
        for i, concept in enumerate(concepts["concept"][:3])
    ]
    return checked(pd.DataFrame(rows), PLANTED)


def vectors_table(fake: Fake, concepts: pd.DataFrame) -> pd.DataFrame:
    """Table ``vectors``: five value vectors of each of two layers for each concept."""
    rows = []
    for row in concepts.itertuples():
        rng = generator("synthetic-vectors", fake.model, row.concept)
        for layer in (0, 1):
            for rank, vector in enumerate(rng.permutation(N_VECTORS)[:5]):
                rows.append(
                    {
                        "model": fake.model,
                        "concept": row.concept,
                        "layer": layer,
                        "rank": rank,
                        "vector": vector,
                        "related": 0.9 - 0.1 * rank,
                        "unrelated": 0.2,
                        "norm": 1.0,
                        "promoted": json.dumps([f"token{vector}", f" of{rank}"]),
                    }
                )
    return checked(pd.DataFrame(rows), VECTORS)


def write_study(
    root: Path,
    fakes: Sequence[Fake] | None = None,
    n_concepts: int = 27,
    draws: int = 200,
    seed: int = 0,
    *,
    non_knowledge: bool = False,
) -> list[str]:
    """Write a results folder up to ``efficiency.csv``; return the models' names."""
    files = StudyFiles(root)
    chosen: Iterable[Fake] = zoo() if fakes is None else fakes
    concepts = concepts_table(n_concepts, non_knowledge=non_knowledge)
    for name, frame, table in (
        ("concepts", concepts, CONCEPTS),
        ("prompts", prompts_table(concepts), PROMPTS),
    ):
        write_table(frame, table, files.data(f"{name}.parquet"))
    names = []
    for fake in chosen:
        _write_model(files, fake, concepts, draws, seed)
        names.append(fake.model)
    return names


def _write_model(
    files: StudyFiles, fake: Fake, concepts: pd.DataFrame, draws: int, seed: int
) -> None:
    items = items_table(fake, concepts, seed)
    path = files.model(fake.model, "model.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(card(fake)), encoding="utf-8")
    measured, kept = summed(items), summed(items, ablation="keep")
    never = never_seen_table(fake, items, seed)
    written = [
        ("items.parquet", items, ITEMS),
        ("masks.parquet", masks_table(items), MASKS),
        ("never_seen.parquet", never, ITEMS),
        ("pss.csv", pss_table(measured, draws, seed), PSS),
        ("efficiency.csv", efficiency_table(measured, kept), EFFICIENCY),
        ("vectors.parquet", vectors_table(fake, concepts), VECTORS),
        ("selection.csv", selection_table(fake, concepts), SELECTION),
        ("overlap.csv", overlap_table(fake, concepts), OVERLAP),
        ("collateral.parquet", collateral_table(fake, items), COLLATERAL),
    ]
    if fake.planted:
        written.append(("planted.csv", planted_table(fake, concepts), PLANTED))
    for name, frame, table in written:
        write_table(frame, table, files.measure(fake.model, name))
