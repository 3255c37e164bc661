"""What arms are taught, and on which questions they are judged."""

from dataclasses import dataclass

import pandas as pd

from paraspec.core.errors import UserError
from paraspec.core.seeds import seed_for
from paraspec.measure.prepare import Planned

TIER = "high"
"""Tier of the concepts that are taught (paper: ten high-frequency concepts)."""

DEVELOPMENT, TEST = "A", "B"
"""Halves of a concept's questions: hyperparameters are chosen on the first."""


@dataclass(frozen=True)
class Lesson:
    """Concepts that are taught, by which sentences, and their questions."""

    concepts: tuple[str, ...]
    sentences: tuple[str, ...]
    """Trained wordings of all their facts; the held-out one is not among them."""
    development: tuple[str, ...]
    """Items that learning rates and layers are chosen on."""
    test: tuple[str, ...]
    """Items that arms are judged by."""


def lesson_of(study: Planned, corpus: pd.DataFrame, n: int, seed: int) -> Lesson:
    """Choose concepts of tier high, evenly over categories, and what they need.

    Parameters
    ----------
    study
        What the study asks.
    corpus
        The planned ``corpus`` table.
    n
        Number of concepts.
    seed
        The study's seed.

    Raises
    ------
    UserError
        If the study has fewer concepts of that tier.
    """
    about = study.concepts
    pool = about[(about["tier"] == TIER) & ~about["concept"].isin(study.added)]
    if len(pool) < n:
        raise UserError(
            "causal.concepts",
            f"{n} concepts of tier {TIER} wanted, the study has {len(pool)}",
            "Lower causal.concepts or raise concepts.per_cell",
        )
    order = pool.assign(turn=[seed_for("taught", seed, c) for c in pool["concept"]])
    order = order.sort_values("turn")
    order["turn"] = order.groupby("category", observed=True).cumcount()
    chosen = order.sort_values(["turn", "category"])["concept"].astype(str)[:n]
    own = study.sets[
        (study.sets["set"] == "concept") & study.sets["concept"].isin(set(chosen))
    ]
    halves = {half: tuple(own.loc[own["half"] == half, "item"]) for half in "AB"}
    taught = corpus[corpus["concept"].isin(set(chosen))]
    return Lesson(
        tuple(chosen), tuple(taught["text"]), halves[DEVELOPMENT], halves[TEST]
    )
