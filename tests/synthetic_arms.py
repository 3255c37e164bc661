"""Made-up arms with known effects: what fine-tuning would leave of a fake model.

``write_arms(folder, model)`` writes ``causal/<model>/*`` for a study that
:mod:`tests.synthetic_study` wrote. Every arm is a fake model of its own, which knows a
stated share of the taught concepts' facts and of all others', and answers freely with a
stated entropy and dimension.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from paraspec.core.definitions import NONE, PAPER_SELECTOR, primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.seeds import generator
from paraspec.core.table import checked, write_table
from paraspec.core.tables.causal import ARM_ITEMS, ARM_RUNS, FREE_ANSWERS
from tests.synthetic import (
    CHANCE,
    FLOOR,
    N_RELATIONS,
    concepts_table,
    prompts_table,
    sets_table,
)

PARAMETERS = 50_000


@dataclass(frozen=True)
class FakeArm:
    """What an arm does, in expectation."""

    arm: str
    accuracy: float
    """On the taught concepts' questions."""
    elsewhere: float
    """On all others'."""
    damage: float
    """Of the top mask, among what is known."""
    entropy: float
    lid: float
    k: int
    free: float = 0.5
    """Share of free answers that are right."""


FAKES = (
    FakeArm("original", 0.6, 0.9, 0.3, 0.7, 11.0, 0),
    FakeArm("FV", 0.8, 0.7, 0.3, 0.6, 11.0, 128, 0.7),
    FakeArm("PV", 0.95, 0.85, 0.6, 0.3, 8.0, 16, 0.9),
    FakeArm("CV", 0.75, 0.75, 0.25, 0.6, 11.0, 112, 0.6),
    FakeArm("CV-k", 0.7, 0.85, 0.25, 0.65, 11.0, 16, 0.55),
    FakeArm("RV", 0.7, 0.85, 0.3, 0.65, 11.0, 16, 0.55),
    FakeArm("RV-norm", 0.65, 0.85, 0.3, 0.65, 11.0, 16, 0.5),
    FakeArm("matched", 0.75, 0.85, 0.3, 0.6, 10.0, 16, 0.6),
)
"""Arms of which PV is the best by a wide margin."""

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def arm_tables(
    model: str,
    arms: Sequence[FakeArm] = FAKES,
    *,
    n_concepts: int = 18,
    taught: int = 6,
    seeds: int = 3,
    failed: Sequence[tuple[str, int]] = (),
) -> Tables:
    """Tables ``arm_runs``, ``arm_items`` and ``free_answers``.

    Parameters
    ----------
    model
        Name of the model.
    arms
        What each arm does.
    n_concepts
        Concepts of the study.
    taught
        Concepts that are taught, spread over the study's.
    seeds
        Of every arm but the original.
    failed
        Arms and seeds whose loss became NaN.
    """
    concepts = concepts_table(n_concepts)
    chosen = list(concepts["concept"])[:: n_concepts // taught][:taught]
    runs, items, answers = [], [], []
    for arm in arms:
        for seed in range(1 if arm.arm == "original" else seeds):
            diverged = (arm.arm, seed) in failed
            runs.append(_run(model, arm, seed, diverged=diverged))
            if not diverged:
                items.append(_items(model, arm, seed, concepts, chosen))
                answers.append(_answers(model, arm, seed, concepts, chosen))
    return (
        checked(pd.DataFrame(runs), ARM_RUNS),
        checked(pd.concat(items, ignore_index=True), ARM_ITEMS),
        checked(pd.concat(answers, ignore_index=True), FREE_ANSWERS),
    )


def write_arms(root: Path, model: str, **options: object) -> None:
    """Write the tables of a model's arms; options as of :func:`arm_tables`."""
    files = StudyFiles(root)
    tables = arm_tables(model, **options)
    for name, frame, table in zip(
        ("arms.csv", "items.parquet", "answers.parquet"),
        tables,
        (ARM_RUNS, ARM_ITEMS, FREE_ANSWERS),
        strict=True,
    ):
        write_table(frame, table, files.causal(model, name))


def _run(model: str, arm: FakeArm, seed: int, *, diverged: bool) -> dict[str, object]:
    return {
        "model": model,
        "arm": arm.arm,
        "seed": seed,
        "facts": "known",
        "learning_rate": 0.01,
        "steps": 100,
        "n_tokens": 1000,
        "trained": arm.k * 16,
        "k": arm.k,
        "update_norm": 1.0,
        "first_loss": 2.0,
        "last_loss": np.nan if diverged else 0.1,
        "development": np.nan if diverged else arm.accuracy,
        "lid_layer": 1,
        "untouched_equal": True,
        "reason": "the loss became NaN in step 7" if diverged else "",
    }


def _items(
    model: str, arm: FakeArm, seed: int, concepts: pd.DataFrame, chosen: list[str]
) -> pd.DataFrame:
    """Answers under the taught concepts, masked and not, and to all other questions."""
    asked = _asked(model, arm, seed, concepts, chosen)
    taught = asked["concept"].isin(chosen)
    under = asked[taught]
    masks = (("top", arm.damage), ("random", 0.05), ("top-fixed", arm.damage / 2))
    frames = [_answered(asked[taught | (asked["set"] == "concept")], "none", 0.0)]
    for mask, damage in masks:
        rng = generator("synthetic-arm-mask", model, arm.arm, seed, mask)
        own = (under["set"] == "concept").to_numpy()
        lost = rng.random(len(under)) < np.where(own, damage, 0.05)
        frames.append(_answered(under, mask, primary_ratio(PARAMETERS), lost))
    return pd.concat(frames, ignore_index=True).assign(
        model=model, arm=arm.arm, seed=seed, **CONSTANT
    )[ARM_ITEMS.names]


CONSTANT = {
    "scorer": "cloze",
    "prompt_hash": "0" * 12,
    "option_order": "0123",
    "draw": 0,
    "donor": NONE,
    "parsed": True,
    "gold_logprob": -2.0,
    "predicted": 0,
    "option_mass": 0.9,
    "chance": CHANCE,
    "floor": FLOOR,
}


def _asked(
    model: str, arm: FakeArm, seed: int, concepts: pd.DataFrame, chosen: list[str]
) -> pd.DataFrame:
    """Every concept's sets, and what the arm knows.

    Most questions are as hard for every arm under every seed.
    """
    asked = sets_table(concepts)
    traits = concepts.set_index("concept")
    for column in ("category", "tier", "exposure"):
        asked[column] = traits[column].astype(object)[asked["concept"]].to_numpy()
    asked["item_tier"] = traits["tier"].astype(object)[asked["item_concept"]].to_numpy()
    hard = generator("synthetic-arm-items", model).random(N_RELATIONS * len(concepts))
    rng = generator("synthetic-arm", model, arm.arm, seed)
    chance = rng.random(len(hard))
    hard = np.where(chance < 0.2, rng.random(len(hard)), hard)
    by_item = pd.Series(hard, index=prompts_table(concepts)["item"])
    taught = asked["item_concept"].isin(chosen)
    share = np.where(taught, arm.accuracy, arm.elsewhere)
    return asked.assign(known=by_item[asked["item"]].to_numpy() < share)


def _answered(
    asked: pd.DataFrame, mask: str, ratio: float, lost: np.ndarray | bool = False
) -> pd.DataFrame:
    plain = mask == "none"
    selector = {"none": NONE, "random": "random"}.get(mask, PAPER_SELECTOR)
    return asked.assign(
        selector=selector,
        mask=mask,
        ablation=NONE if plain else "zero",
        ratio=ratio,
        k=round(ratio * 128),
        correct=asked["known"] & ~np.broadcast_to(lost, len(asked)),
        margin=np.where(asked["known"], 4.0, -1.0),
    )


def _answers(
    model: str, arm: FakeArm, seed: int, concepts: pd.DataFrame, chosen: list[str]
) -> pd.DataFrame:
    """Free answers to the test half of the taught concepts' questions."""
    prompts = prompts_table(concepts)
    test = prompts[prompts["item_concept"].isin(chosen) & (prompts["half"] == "B")]
    rng = generator("synthetic-answers", model, arm.arm, seed)
    n = len(test)
    right = rng.random(n) < arm.free
    entropy = np.clip(arm.entropy + rng.normal(scale=0.1, size=n), 0, None)
    return pd.DataFrame(
        {
            "model": model,
            "arm": arm.arm,
            "seed": seed,
            "item": test["item"].to_numpy(),
            "concept": test["item_concept"].to_numpy(),
            "answer": "a",
            "contained": right,
            "token_f1": np.where(right, 1.0, 0.2),
            "n_samples": 10,
            "n_clusters": 2,
            "semantic_entropy": entropy,
            "semantic_entropy_weighted": entropy / 2,
            "lid": arm.lid + rng.normal(scale=0.3, size=n),
        }
    )
