import numpy as np
import pytest

from paraspec.stats.study import study_of
from paraspec.stats.trajectory import (
    NO_RISE,
    TOO_SHORT,
    half_rises,
    lag,
    run_name,
    runs,
)


def test_half_rises_by_hand():
    x = np.array([0.0, 0.5, 1.0])
    curves = np.array(
        [[0, 0, 0.6, 0.3, 0], [0.2, 0.9, 0.6, 0.1, 0], [0.8, 1, 0.6, 0.4, -1]]
    )
    # 0 .2 .8: half .4 at a third of the second step; 0 .9 1: .5 at 5/9 of the first;
    # flat: there from the start; .3 and .1 pool to .2, half of .4: from the start.
    expected = [0.5 + 0.5 / 3, 0.5 * 5 / 9, 0.0, 0.0, np.nan]
    np.testing.assert_allclose(half_rises(x, curves), expected)


def test_a_run_ends_with_the_trained_model(study):
    (run,) = runs(study)
    assert run_name(run) == "llama-128"
    assert [step for step, _ in run] == [100 * i for i in range(1, 9)] + [1000]
    assert run[-1][1].card.model == "llama-128"


def test_the_lag_is_the_difference_of_half_rises(study):
    (run,) = runs(study)
    value, reason = lag(study, run)
    x = np.array([step for step, _ in run]) / 1000
    knows = np.array([study.accuracy(r)[:1] - 0.25 for _, r in run])
    effect = np.array([study.effects(r, "top").signed[:1] for _, r in run])
    expected = half_rises(x, effect) - half_rises(x, knows)
    assert value.value == pytest.approx(expected[0])
    assert reason == ""
    assert value.low > 0.11  # the effect was made to come later


def test_a_lag_needs_checkpoints_and_an_effect(study):
    (run,) = runs(study)
    assert lag(study, run[:2])[1] == TOO_SHORT
    value, reason = lag(study, run[:3])
    assert reason == NO_RISE
    assert np.isnan(value.value)


def test_without_checkpoints_there_is_no_run(study):
    assert runs(study_of(study.models, 10, 0)) == []
