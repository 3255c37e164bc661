"""Resources of jobs grow with the model, and the zoo asks for none to speak of."""

import pytest

from paraspec.core.model_table import ModelRow
from paraspec.core.needs import BASE_MB, needs_of


def row(**changes):
    values = {"model": "m", "source": "hub:owner/name", "revision": "main"}
    return ModelRow(family="f", **values | {"dtype": "bfloat16"} | changes)


@pytest.mark.parametrize("step", ["check", "extract", "score"])
def test_models_of_unknown_or_tiny_size_need_no_gpu(step):
    for parameters in (None, 1e6):
        found = needs_of(row(parameters=parameters), step)
        assert (found.gpu, found.mem_mb) == (0, BASE_MB)


def test_the_weights_fit_into_the_memory_asked_for():
    half, full = (
        needs_of(row(parameters=14e9, dtype=dtype), "score")
        for dtype in ("bfloat16", "float32")
    )
    assert half.mem_mb > 28_000
    assert full.mem_mb - half.mem_mb == 28_000
    assert (half.gpu, full.gpu) == (1, 1)
    assert needs_of(row(parameters=70e9), "score").gpu == 3  # 140 GB at 60 each


def test_scoring_takes_longest_and_grows_with_size():
    times = [needs_of(row(parameters=7e9), s).runtime for s in ("check", "score")]
    assert times[0] < times[1]
    assert needs_of(row(parameters=14e9), "score").runtime == 2 * times[1]
