"""A made-up study with known effects: no model, no torch, a second to write.

``write_study(folder)`` writes a whole results folder as the measuring steps would leave
it (``models/<m>/model.json``, ``measure/<m>/*``, ``data/*.parquet``). Each fake model
knows a stated share of its facts, and its top mask destroys a stated share of that
knowledge among a concept's own items (``damage``) and among general ones
(``collateral``); random masks destroy ``collateral`` in both. In expectation, at the
primary ratio, signed = accuracy * (damage - collateral).
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from paraspec.core.definitions import primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.seeds import generator
from paraspec.core.table import checked, write_table
from paraspec.core.tables.measured import ITEMS, MASKS
from paraspec.core.tables.per_model import EFFICIENCY, PSS
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
                )
            )
    return (*fakes, *_trajectory("llama-128", 3000 * 4**3))


def _trajectory(of: str, parameters: int) -> Iterator[Fake]:
    for i in range(1, 9):
        known = 0.25 + 0.7 * min(1, i / 4)
        late = 0.4 * max(0, (i - 4) / 4)
        name = f"{of}-step{i * 100}"
        yield Fake(name, "llama", parameters, known, 0.05 + late, steps=i * 100, of=of)


def concepts_table(n: int) -> pd.DataFrame:
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
    return _sets(len(concepts)).copy()


@cache
def _sets(n: int) -> pd.DataFrame:
    concepts = concepts_table(n)
    prompts = prompts_table(concepts)
    frames = []
    for row in concepts.itertuples():
        own = prompts[prompts["item_concept"] == row.concept]
        others = prompts[prompts["item_concept"] != row.concept]
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
    own = asked[asked["set"] == "concept"]
    for share in KEEP_RATIOS:
        for mask in ("top", "random"):
            kept = _masked(fake, own, mask, share, seed)
            frames.append(kept.assign(ablation="keep"))
    frame = pd.concat(frames, ignore_index=True)
    return checked(frame[ITEMS.names], ITEMS)


def _asked(fake: Fake, concepts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Items under each concept, with what the unmasked model answers."""
    prompts = prompts_table(concepts)
    rng = generator("synthetic-knowledge", fake.model, seed)
    known = rng.permutation(len(prompts)) < round(fake.accuracy * len(prompts))
    knowledge = pd.Series(known, index=prompts["item"])
    traits = concepts.set_index("concept")
    asked = sets_table(concepts)
    for column in ("category", "tier", "exposure"):
        asked[column] = traits[column].reindex(asked["concept"]).to_numpy()
    asked["item_tier"] = traits["tier"].reindex(asked["item_concept"]).to_numpy()
    return asked.assign(known=knowledge.reindex(asked["item"]).to_numpy())


def _damage(fake: Fake, asked: pd.DataFrame, mask: str, ratio: float) -> np.ndarray:
    own = (asked["set"] == "concept").to_numpy() & mask.startswith("top")
    most = (asked["exposure"] == max(EXPOSURES)).to_numpy()
    share = np.where(own, fake.damage + fake.exposure_bonus * most, fake.collateral)
    relative = ratio / primary_ratio(fake.parameters)
    return np.clip(share * relative, 0, 1)


def _masked(
    fake: Fake,
    asked: pd.DataFrame,
    mask: str,
    ratio: float,
    seed: int,
    draw: int = 0,
) -> pd.DataFrame:
    rng = generator("synthetic-mask", fake.model, mask, ratio, draw, seed)
    damage = _damage(fake, asked, mask, ratio)
    lost = rng.random(len(asked)) < damage
    correct = asked["known"].to_numpy() & ~lost
    plain = mask == "none"
    margin = np.where(asked["known"], 4.0, -1.0) * (1 - damage)
    return asked.assign(
        model=fake.model,
        scorer="cloze",
        prompt_hash="0" * 12,
        option_order="0123",
        selector="-" if plain else "random" if mask == "random" else "difference",
        mask=mask,
        ablation="-" if plain else "zero",
        draw=draw,
        donor="-",
        ratio=ratio,
        k=round(ratio * 128),
        correct=correct,
        parsed=True,
        margin=margin,
        gold_logprob=-2.0,
        predicted=0,
        option_mass=0.9,
        chance=CHANCE,
        floor=FLOOR,
    )


def card(fake: Fake) -> dict[str, object]:
    """``model.json`` of a fake model."""
    trajectory = {"of": fake.of, "step": fake.steps} if fake.of else None
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
    plain = items[(items["mask"] == "none") & (items["set"] == "concept")].copy()
    rng = generator("synthetic-never", fake.model, seed)
    plain["correct"] = rng.random(len(plain)) < CHANCE
    plain["item"] = "unseen." + plain["item"].astype(str)
    return checked(plain, ITEMS)


def write_study(
    root: Path,
    fakes: Sequence[Fake] | None = None,
    n_concepts: int = 27,
    draws: int = 200,
    seed: int = 0,
) -> list[str]:
    """Write a results folder up to ``efficiency.csv``; return the models' names."""
    files = StudyFiles(root)
    chosen: Iterable[Fake] = zoo() if fakes is None else fakes
    concepts = concepts_table(n_concepts)
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
    for name, frame, table in (
        ("items.parquet", items, ITEMS),
        ("masks.parquet", masks_table(items), MASKS),
        ("never_seen.parquet", never, ITEMS),
        ("pss.csv", pss_table(measured, draws, seed), PSS),
        ("efficiency.csv", efficiency_table(measured, kept), EFFICIENCY),
    ):
        write_table(frame, table, files.measure(fake.model, name))
