"""Verdicts in the terminal."""

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from paraspec.cli.verdicts import verdicts
from paraspec.core.errors import UserError
from paraspec.core.table import read_table
from paraspec.core.tables.judged import CLAIMS

PUBLISHED = Path(__file__).resolve().parents[2] / "results/reference/miniature"

app = typer.Typer()
app.command()(verdicts)


@pytest.fixture
def run(tmp_path):
    return lambda: CliRunner().invoke(app, ["--results", str(tmp_path)])


def test_every_claim_has_its_verdict_and_what_was_estimated_its_interval(run, tmp_path):
    (tmp_path / "tables").mkdir()
    shutil.copy(PUBLISHED / "claims.csv", tmp_path / "tables")
    claims = read_table(PUBLISHED / "claims.csv", CLAIMS)
    found = run()
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    assert max(map(len, lines)) <= 88
    begun = [line for line in lines if not line.startswith(" ")]
    verdict_of = [line[:14].strip() for line in begun]
    assert verdict_of == claims["verdict"].tolist()
    told = " ".join(" ".join(line.split()) for line in lines)
    for row in claims.itertuples():
        assert row.claim in told
        assert (f"{row.claim} {abs(row.estimate):.3f}" in told) == (row.estimate >= 0)


def test_a_study_without_claims_is_told_what_to_run(run):
    found = run()
    assert isinstance(found.exception, UserError)
    assert "claims.csv" in str(found.exception)
