"""Numbers as readers see them."""

import doctest
import math

import pytest

from paraspec.report import inputs, numbers, provenance


@pytest.mark.parametrize("module", [numbers, inputs])
def test_examples_in_the_documentation_hold(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "write",
    [
        numbers.number,
        numbers.points,
        numbers.percent,
        numbers.p_value,
        numbers.count,
        numbers.parameters,
        numbers.duration,
        numbers.memory,
    ],
)
def test_nan_is_never_a_number(write):
    assert write(math.nan) == "n/a"


def test_a_benchmark_of_no_length_has_no_memory(tmp_path):
    (tmp_path / "plan.tsv").write_text("s\tmax_rss\n0.1\tNA\n")
    (cost,) = provenance.rule_costs(tmp_path)
    assert cost.rule == "plan"
    assert math.isnan(cost.peak_mib)


def test_without_benchmarks_there_are_no_costs(tmp_path):
    assert provenance.rule_costs(tmp_path / "benchmarks") == []


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit(tmp_path) == ""
