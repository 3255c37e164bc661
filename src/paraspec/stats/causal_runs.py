"""What was measured of a fine-tuned model: its runs, one for each arm and seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.causal import (
    ARM_ITEMS,
    ARM_RUNS,
    CAUSAL_RUNS,
    FREE_ANSWERS,
    UNTRAINED_ARM,
)
from paraspec.stats.bootstrap import FloatArray
from paraspec.stats.items import Measured, aligned, summed

ANSWERED = {
    "free_accuracy": "contained",
    "token_f1": "token_f1",
    "semantic_entropy": "semantic_entropy",
    "semantic_entropy_weighted": "semantic_entropy_weighted",
    "lid": "lid",
}
"""Metric that is a mean over free answers, to its column."""


@dataclass(frozen=True)
class Run:
    """One arm under one seed."""

    arm: str
    seed: int
    k: int
    """Value vectors trained, summed over layers."""
    reason: str
    """Why it failed; empty otherwise."""
    chosen: Measured | None = None
    """Answers under the chosen concepts; None where nothing was measured."""
    others: Measured | None = None
    """Answers under all others."""
    answers: Mapping[str, FloatArray] | None = None
    """For each metric of :data:`ANSWERED` count and sum; axes: both, concept."""


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned model."""

    model: str
    chosen: tuple[str, ...]
    """Concepts that were taught."""
    others: tuple[str, ...]
    """Concepts that were not."""
    runs: tuple[Run, ...]
    facts: str
    """Known ones, which the model met in training, or new ones."""
    table: pd.DataFrame = field(compare=False)
    """Table ``arm_runs``."""

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms in the order of the runs."""
        return tuple(dict.fromkeys(run.arm for run in self.runs))

    @property
    def untrained(self) -> Run | None:
        """The model as it was; None if it was not measured."""
        found = (run for run in self.runs if run.arm == UNTRAINED_ARM)
        return next(found, None)


def read_tuned(files: StudyFiles, models: Iterable[str]) -> tuple[Tuned, ...]:
    """Read the arms of fine-tuned models.

    Raises
    ------
    UserError
        Where a file is missing or is not what it should be.
    """
    return tuple(
        tuned_of(
            model,
            read_table(files.causal(model, "arms.csv"), ARM_RUNS),
            read_table(files.causal(model, "items.parquet"), ARM_ITEMS),
            read_table(files.causal(model, "answers.parquet"), FREE_ANSWERS),
        )
        for model in dict.fromkeys(models)
    )


def tuned_of(
    model: str, runs: pd.DataFrame, items: pd.DataFrame, answers: pd.DataFrame
) -> Tuned:
    """Sum the tables of a model's arms per run and concept.

    Parameters
    ----------
    model
        Name of the model.
    runs, items, answers
        Tables ``arm_runs``, ``arm_items`` and ``free_answers`` of it.

    Notes
    -----
    The chosen concepts are those that were asked freely or under their top mask.
    """
    masked = items.loc[items["mask"] == "top", "concept"]
    chosen = sorted({*masked.astype(str), *answers["concept"].astype(str)})
    known = items.loc[items["category"] != NON_KNOWLEDGE, "concept"]
    rest = sorted({str(name) for name in known.unique()} - set(chosen))
    by_run = _parts(items), _parts(answers)
    found = []
    for row in runs.itertuples():
        key = (str(row.arm), int(str(row.seed)))
        measured = summed(by_run[0][key]) if key in by_run[0] else None
        found.append(
            Run(
                *key,
                k=int(str(row.k)),
                reason=str(row.reason),
                chosen=aligned(measured, chosen) if measured else None,
                others=aligned(measured, rest) if measured else None,
                answers=_answer_sums(by_run[1].get(key), chosen),
            )
        )
    facts = str(runs["facts"].iloc[0])
    return Tuned(model, tuple(chosen), tuple(rest), tuple(found), facts, runs)


def runs_table(tuned: Sequence[Tuned]) -> pd.DataFrame:
    """Table ``causal_runs``: what training was, of all runs of all models."""
    frames = [each.table.astype(object) for each in tuned]
    nothing = pd.DataFrame(columns=CAUSAL_RUNS.names)
    return pd.concat([nothing, *frames], ignore_index=True) if frames else nothing


def _parts(frame: pd.DataFrame) -> dict[tuple[str, int], pd.DataFrame]:
    """Rows of each arm and seed."""
    parts = frame.groupby(["arm", "seed"], observed=True)
    return {(str(arm), int(str(seed))): part for (arm, seed), part in parts}


def _answer_sums(
    rows: pd.DataFrame | None, concepts: list[str]
) -> dict[str, FloatArray] | None:
    """Count and sum of every metric's defined values per concept."""
    if rows is None:
        return None
    concept = rows["concept"].astype(str)
    values = rows[list(ANSWERED.values())].astype(np.float64)
    by_concept = values.groupby(concept.to_numpy())
    counts, sums = (
        frame.reindex(concepts).fillna(0.0)
        for frame in (by_concept.count(), by_concept.sum())
    )
    return {
        metric: np.stack([counts[column].to_numpy(), sums[column].to_numpy()])
        for metric, column in ANSWERED.items()
    }
