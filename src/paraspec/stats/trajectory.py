"""Training dynamics: effects at each checkpoint, and which curve rises later."""

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from paraspec.core.tables.across_models import TRAJECTORY
from paraspec.stats.bootstrap import UNDEFINED, Estimate, FloatArray, estimate
from paraspec.stats.items import CHANCE, N
from paraspec.stats.record import Record
from paraspec.stats.study import Study

NO_TRAJECTORY = "no trajectory"
TOO_SHORT = "fewer than 3 checkpoints"
NO_RISE = "the effect does not exclude 0 at the last checkpoint"

MIN_CHECKPOINTS = 3


def trajectory_table(study: Study, models: pd.DataFrame) -> pd.DataFrame:
    """Table ``trajectory``: rows of ``models`` along each training run."""
    rows = []
    for run in runs(study):
        for step, record in run:
            row = models[models["model"] == record.card.model].iloc[0].to_dict()
            rows.append(row | {"trajectory_of": run_name(run), "step": step})
    return pd.DataFrame(rows, columns=TRAJECTORY.names)


Run = list[tuple[int, Record]]


def runs(study: Study) -> list[Run]:
    """Training runs by name: (step, checkpoint) ascending, the trained model last."""
    named: dict[str, dict[int, Record]] = {}
    for record in study.records:
        place = record.card.trajectory
        if place is not None:
            named.setdefault(place.of, {})[place.step] = record
    for record in study.models:
        if record.card.model in named:
            named[record.card.model].setdefault(record.card.steps, record)
    return [sorted(named[name].items()) for name in sorted(named)]


def run_name(run: Run) -> str:
    """Name of the trained model."""
    places = (record.card.trajectory for _, record in run)
    return next(place.of for place in places if place is not None)


def lag(study: Study, run: Run) -> tuple[Estimate, str]:
    """Share of training by which the effect's half-rise follows accuracy's.

    Returns
    -------
    tuple
        The estimate with its concept-bootstrap interval, and why it is NaN.

    Notes
    -----
    The half-rise of a curve is the first crossing of half its last value by the
    isotonic (non-decreasing) fit, linear in steps: of accuracy above chance, and of the
    signed difference-in-differences above 0. The lag is their difference over the last
    step. An effect proportional to knowledge has lag 0.
    """
    if len(run) < MIN_CHECKPOINTS:
        return UNDEFINED, TOO_SHORT
    steps = np.array([step for step, _ in run], dtype=np.float64)
    knows = np.array([study.accuracy(r) - _chance(r) for _, r in run])
    effect = np.array([study.effects(r, "top").signed for _, r in run])
    n = study.n_concepts(run[-1][1])
    if not estimate(effect[-1], n).low > 0:
        return UNDEFINED, NO_RISE
    shares = steps / steps[-1]
    values = half_rises(shares, effect) - half_rises(shares, knows)
    return estimate(values, n), ""


def half_rises(x: FloatArray, curves: FloatArray) -> FloatArray:
    """Where each column of ``curves`` first reaches half of its last value.

    NaN where the last value is not positive; the first x where the curve is that high
    from the start.

    >>> half_rises(np.array([0.0, 1.0]), np.array([[0.0], [0.8]]))
    array([0.5])
    """
    return np.array([_half_rise(x, curve) for curve in curves.T])


def _half_rise(x: FloatArray, curve: FloatArray) -> float:
    if not np.isfinite(curve).all() or curve[-1] <= 0:
        return np.nan
    fitted = isotonic_regression(curve, increasing=True).x
    after = int(np.argmax(fitted >= curve[-1] / 2))
    if after == 0:
        return float(x[0])
    low, high = fitted[after - 1], fitted[after]
    share = (curve[-1] / 2 - low) / (high - low)
    return float(x[after - 1] + share * (x[after] - x[after - 1]))


def _chance(record: Record) -> float:
    own = record.measured.own().sum(axis=-1)
    return float(own[CHANCE] / own[N])
