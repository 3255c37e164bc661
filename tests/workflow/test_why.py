"""`paraspec why` on the finished smoke study: what it says, and what it refuses."""

import os

import pytest

from tests.command import paraspec
from tests.workflow.conftest import Study, edited

pytestmark = pytest.mark.xdist_group("workflow")


def why(study: Study, file: str):
    """Ask as a user does: in the checkout, by the file's path."""
    return paraspec(
        *("why", str(study.results / file), "--configfile", str(study.config)),
        cwd=study.base,
        env=os.environ | {"PYTHONPATH": str(study.base / "src")},
    )


def test_a_finished_file_would_not_be_made_again(mirrored):
    told = why(mirrored, "report.html")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("report.html would not be made again: ")


def test_every_cause_is_named_with_what_follows_from_it(mirrored):
    base, missing = mirrored.base, mirrored.results / "figures/tiers.svg"
    drawing = missing.read_text()
    missing.unlink()
    try:
        with (
            edited(base / "config/claims.yaml", "effect: 0.5\n", "effect: 0.6\n"),
            edited(base / "src/paraspec/report/figures/sizes.py", "0.35", "0.36"),
            edited(
                base / "envs/requirements.lock", "\nmatplotlib==", "\nmatplotlib==9."
            ),
        ):
            told = why(mirrored, "report.html").stdout
    finally:
        missing.write_text(drawing)
    lines = told.splitlines()
    assert lines[0] == "report.html would be made again by rule report, because"
    for cause in (
        "config/claims.yaml (rule judge)",
        "- missing: ",
        "its code changed: paraspec.report.figures.sizes",
        "its libraries changed: matplotlib 3",
    ):
        assert cause in told
    assert "    from there: judge -> report" in lines
    assert lines[-1].endswith("jobs in all; `snakemake -n` lists them.")


@pytest.mark.long
def test_a_changed_setting_is_told_by_its_option(mirrored):
    with edited(mirrored.config, "draws: 200", "draws: 201"):
        lines = why(mirrored, "tables/models.csv").stdout.splitlines()
    assert (
        lines[0] == "tables/models.csv would be made again by rule correlate, because"
    )
    assert lines[1].startswith("- --draws was '200' and is '201' (rule pss of ")
    assert lines[2] == "    from there: pss -> correlate"


@pytest.mark.long
def test_a_file_that_no_rule_makes_is_refused_with_what_is_alike(mirrored):
    told = why(mirrored, "tables/claim.csv")
    assert told.returncode == 1 and told.stdout == ""
    assert (
        "no rule of the study makes it. Did you mean tables/claims.csv" in told.stderr
    )


def test_outside_a_checkout_or_a_study_there_is_one_message(tmp_path):
    for file, where, fault in (
        ("results/x/report.html", tmp_path, "is no checkout"),
        ("README.md", None, "lies in no study's folder"),
        ("results/x/report.html", None, "no configuration in config/ has study: x"),
    ):
        told = paraspec("why", file, cwd=where)
        assert told.returncode == 1
        assert fault in told.stderr and "Traceback" not in told.stderr
