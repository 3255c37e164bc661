"""Numbers as readers see them."""

import doctest
import math

import pytest

from paraspec.core.errors import UserError
from paraspec.report import inputs, numbers, provenance
from paraspec.report.provenance_record import read_provenance


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
    assert cost.peak_mib is None and cost.cpu_seconds == 0


def test_without_benchmarks_there_are_no_costs(tmp_path):
    assert provenance.rule_costs(tmp_path / "benchmarks") == []


def test_outside_a_checkout_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit(tmp_path).commit == ""


def test_energy_is_said_to_be_unreadable_where_no_counter_is(tmp_path):
    assert not provenance.energy(tmp_path).readable
    counter = tmp_path / "intel-rapl:0" / "energy_uj"
    counter.parent.mkdir()
    counter.write_text("1\n")
    assert provenance.energy(tmp_path).readable


def test_a_provenance_of_another_form_is_refused_by_name(tmp_path):
    path = tmp_path / "provenance.json"
    path.write_text('{"study": 1}')
    with pytest.raises(UserError, match=r"provenance\.json: .*git"):
        read_provenance(path)
