"""``paraspec figures`` and ``report`` as a user calls them."""

import pytest
import typer
from tests import made_up
from typer.testing import CliRunner

from paraspec.cli import report as commands
from paraspec.core.errors import UserError


@pytest.fixture
def call():
    app = typer.Typer()
    app.command("figures")(commands.figures)
    app.command("report")(commands.report)

    def run(*arguments):
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(app, words, catch_exceptions=True)

    return run


def test_figures_draws_only_what_is_asked(call, copy):
    for path in (copy / "figures").iterdir():
        path.unlink()
    done = call("figures", "--results", copy, "--only", "trajectory")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (copy / "figures").iterdir()}
    assert names == {"trajectory.svg", "trajectory.png"}
    assert done.output.split() == ["figures/trajectory.svg", "figures/trajectory.png"]


def test_an_unknown_figure_is_refused_with_the_list(call, copy):
    done = call("figures", "--results", copy, "--only", "pie")
    assert isinstance(done.exception, UserError)
    assert "pss_accuracy" in str(done.exception)


@pytest.fixture
def report(call, copy):
    """Call ``report`` on the copy."""

    def run(*more):
        options = ["--config", made_up.CONFIG, "--claims", made_up.CLAIMS]
        return call("report", "--results", copy, *options, *more)

    return run


def test_report_writes_the_page_in_the_studys_folder(report, copy):
    done = report()
    assert done.exit_code == 0, done.output
    assert "<!DOCTYPE html>" in (copy / "report.html").read_text()


def test_report_goes_where_out_says(report, tmp_path):
    done = report("--out", tmp_path / "page.html")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "page.html").is_file()


def test_nothing_is_left_behind_when_a_table_is_missing(report, copy):
    (copy / "tables" / "tiers.csv").unlink()
    done = report()
    assert isinstance(done.exception, UserError)
    assert not list(copy.glob("*report.html*"))


def test_missing_claims_are_named(report, tmp_path):
    done = report("--claims", tmp_path / "none.yaml")
    assert isinstance(done.exception, UserError)
    assert "none.yaml" in str(done.exception)
