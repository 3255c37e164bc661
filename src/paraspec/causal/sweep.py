"""One arm trained: at every learning rate of the sweep, and at the chosen one."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraspec.causal.arms import Vectors, chosen_vectors
from paraspec.causal.columns import Snapshot
from paraspec.causal.finetune import Diverged, Recipe, Tuned, finetune, restored
from paraspec.causal.measured import Subject
from paraspec.core.config import CausalConfig
from paraspec.core.progress import progress
from paraspec.core.tables.causal import ArmName
from paraspec.measure.ranked import Rankings

SWEPT_SEED = 0
"""Seed that learning rates are compared on."""

NORM_TRIES = 4
NORM_TOLERANCE = 0.05
"""Share that an update may be longer or shorter than the one it is to match."""

Row = Mapping[str, object]


@dataclass(frozen=True)
class Training:
    """Trains arms of a subject, each from the same weights."""

    subject: Subject
    before: Snapshot
    pooled: Rankings
    """Ranks value vectors on the pooled questions of all taught concepts."""
    config: CausalConfig
    folder: Path
    """Where the training at work keeps its checkpoints."""

    def vectors(self, arm: ArmName, seed: int) -> tuple[Vectors, ...]:
        """Value vectors that a run trains, by layer."""
        return chosen_vectors(arm, self.pooled, self.config.share, seed)

    def untrained(self) -> None:
        """Put the model back as it was."""
        restored(self.subject.loaded, self.before)

    def train(self, arm: ArmName, seed: int, learning_rate: float) -> Tuned:
        """Train an arm from the weights before; the model then is that arm.

        An interrupted training goes on from its last checkpoint.

        Raises
        ------
        Diverged
            If training does; the model then is as before.
        """
        self.untrained()
        config, name = self.config, f"{arm}-{seed}-{learning_rate:g}"
        with progress(f"training {name}", config.steps) as advance:
            tuned = finetune(
                self.subject.loaded,
                self.subject.lesson.sentences,
                self.vectors(arm, seed),
                Recipe(config.steps, config.batch, learning_rate, seed),
                self.folder / name,
                on_step=lambda _step, _loss: advance(1),
                before=self.before,
            )
        shutil.rmtree(self.folder)
        if not tuned.untouched_equal:
            raise AssertionError(f"arm {arm}: numbers changed that were not trained")
        return tuned

    def development(self) -> tuple[float, float]:
        """Accuracy and mean margin (nats) on the development half, as it is now."""
        found = self.subject.unmasked(self.subject.lesson.development)
        return float(found["correct"].mean()), float(found["margin"].mean())

    def sweep(self, arm: ArmName) -> pd.DataFrame:
        """Rows of the ``arm_sweep`` table: one per learning rate, at most one chosen.

        The most accurate on the development half is, of equals that of largest margin.
        """
        rows = [self._tried(arm, rate) for rate in self.config.learning_rates]
        return self._frame(arm, rows, best_of(rows))

    def matched_norm(self, arm: ArmName, rate: float, norm: float) -> pd.DataFrame:
        """Rows of the ``arm_sweep`` table: tries to make an arm's update so long.

        An update grows about in proportion to the learning rate, so that each try is
        corrected by how far the last one was off. The nearest is chosen.

        Parameters
        ----------
        arm
            Name of the arm.
        rate
            First learning rate.
        norm
            Euclidean norm of the update that is wanted, above 0.
        """
        rows: list[Row] = []
        while len(rows) < NORM_TRIES:
            row = self._tried(arm, rate)
            rows.append(row)
            if row["reason"] or _off(row, norm) <= NORM_TOLERANCE:
                break
            rate *= norm / _number(row["update_norm"])
        whole = [i for i, row in enumerate(rows) if not row["reason"]]
        nearest = min(whole, key=lambda i: _off(rows[i], norm), default=None)
        return self._frame(arm, rows, nearest)

    def _frame(
        self, arm: ArmName, rows: Sequence[Row], chosen: int | None
    ) -> pd.DataFrame:
        frame = pd.DataFrame(rows).assign(model=self.subject.manifest.model, arm=arm)
        return frame.assign(chosen=[i == chosen for i in range(len(frame))])

    def _tried(self, arm: ArmName, rate: float) -> Row:
        nothing = dict.fromkeys(("development", "margin", "update_norm"), float("nan"))
        row = {"learning_rate": rate, **nothing, "reason": ""}
        try:
            tuned = self.train(arm, SWEPT_SEED, rate)
        except Diverged as failure:
            return row | {"reason": str(failure)}
        accuracy, margin = self.development()
        found = {"development": accuracy, "margin": margin}
        return row | found | {"update_norm": tuned.update_norm}


def best_of(rows: Sequence[Row]) -> int | None:
    """Position of the best row that has no reason to be left out; None if none has.

    >>> tried = {"development": 0.5, "margin": 1.0, "reason": ""}
    >>> best_of([tried, tried | {"margin": 2.0}, tried | {"reason": "not finite"}])
    1
    >>> best_of([tried | {"reason": "not finite"}])
    """
    whole = [i for i, row in enumerate(rows) if not row["reason"]]

    def merit(i: int) -> tuple[float, float]:
        return _number(rows[i]["development"]), _number(rows[i]["margin"])

    return max(whole, key=merit, default=None)


def _number(value: object) -> float:
    return float(str(value))


def _off(row: Row, norm: float) -> float:
    return abs(_number(row["update_norm"]) / norm - 1)
