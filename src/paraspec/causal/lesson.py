"""What arms are taught, and on which questions they are judged."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from paraspec.core.errors import UserError
from paraspec.core.seeds import seed_for
from paraspec.core.tables.causal import DEVELOPMENT_HALF, TEST_HALF
from paraspec.measure.prepare import Planned

TIER = "high"
"""Tier of known concepts that are taught (paper: ten high-frequency concepts)."""


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
    new: bool = False
    """The model never met these facts."""


def lesson_of(
    study: Planned,
    corpus: pd.DataFrame,
    n: int,
    seed: int,
    never_met: Collection[str] | None = None,
) -> Lesson:
    """Choose concepts evenly over categories, and what they need.

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
    never_met
        Concepts that the model was not trained on, to choose among; None: those of
        tier high, which are taken as known.

    Raises
    ------
    UserError
        If there are fewer concepts to choose among.
    """
    about = study.concepts[~study.concepts["concept"].isin(study.added)]
    if never_met is None:
        pool, kind = about[about["tier"] == TIER], f"of tier {TIER}"
    else:
        pool = about[about["concept"].isin(set(never_met))]
        kind = "that the model never met"
    if len(pool) < n:
        raise UserError(
            "causal.concepts",
            f"{n} concepts {kind} wanted, the study has {len(pool)}",
            "Lower causal.concepts or raise concepts.per_cell",
        )
    order = pool.assign(turn=[seed_for("taught", seed, c) for c in pool["concept"]])
    order = order.sort_values("turn")
    order["turn"] = order.groupby("category", observed=True).cumcount()
    chosen = order.sort_values(["turn", "category"])["concept"].astype(str)[:n]
    own = study.sets[
        (study.sets["set"] == "concept") & study.sets["concept"].isin(set(chosen))
    ]
    development, test = (
        tuple(own.loc[own["half"] == half, "item"])
        for half in (DEVELOPMENT_HALF, TEST_HALF)
    )
    taught = corpus[corpus["concept"].isin(set(chosen))]
    return Lesson(
        *(tuple(chosen), tuple(taught["text"]), development, test),
        new=never_met is not None,
    )
