"""A made-up study on disk: every file that the measuring steps would leave.

``write_study(folder)`` writes a results folder (``models/<m>/model.json``,
``measure/<m>/*``, ``data/*.parquet``) of the answers that :mod:`tests.synthetic` makes
up, in about a second. Fakes with ``controls`` also have the tables that describe their
vectors, and neutral text that loses ``collateral`` nats under any mask.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from paraspec.core.definitions import (
    CROSS_MASK,
    NON_KNOWLEDGE,
    SELECTORS,
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
from paraspec.measure.store import KEY
from paraspec.stats.efficiency import efficiency_table
from paraspec.stats.items import summed
from paraspec.stats.pss import pss_table
from tests.synthetic import (
    CHANCE,
    N_VECTORS,
    Fake,
    concepts_table,
    items_table,
    prompts_table,
    zoo,
)


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
        "mechanism": fake.mechanism,
        "strength": fake.strength,
        "baseline": fake.baseline,
        "fake": asdict(fake),
    }


def masks_table(items: pd.DataFrame) -> pd.DataFrame:
    """Masks of dense layers: they hit active value vectors as they hit any."""
    keys = ["model", *(name for name in KEY if name != "item")]
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


HARDWARE = "a made-up processor"


def _write_model(
    files: StudyFiles, fake: Fake, concepts: pd.DataFrame, draws: int, seed: int
) -> None:
    items = items_table(fake, concepts, seed)
    path = files.model(fake.model, "model.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(card(fake)), encoding="utf-8")
    checked = path.with_name("check.json")
    checked.write_text(json.dumps({"hardware": HARDWARE}), encoding="utf-8")
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
