"""`paraspec measure` from a model folder to a table, and on again."""

import pytest
import typer
from typer.testing import CliRunner

from paraspec.cli.measure import score
from paraspec.cli.measure_one import measure
from paraspec.core.errors import UserError
from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS, MASKS
from paraspec.core.tables.per_model import EFFICIENCY, PSS

app = typer.Typer()
app.command()(measure)
scoring = typer.Typer()
scoring.command()(score)


@pytest.fixture(scope="module")
def folder(loaded, tmp_path_factory):
    """A tiny model in a folder whose name needs mending."""
    model = loaded("llama", max_position_embeddings=128)
    where = tmp_path_factory.mktemp("models") / "My Model (7B)"
    model.model.save_pretrained(where)
    model.tokenizer.save_pretrained(where)
    return where


@pytest.fixture
def run(folder, concept_file, tmp_path):
    concepts = concept_file(tmp_path / "concepts.jsonl", 2)

    def run_on(*arguments):
        given = ["--concept-file", str(concepts), "--out", str(tmp_path / "out")]
        few = ["--general-items", "10", "--random-draws", "2", "--concepts", "9"]
        return CliRunner().invoke(app, [str(folder), *given, *few, *arguments])

    return run_on


def test_one_command_writes_the_workflow_s_files_and_prints_the_effects(run, tmp_path):
    found = run()
    assert found.exit_code == 0, found.output
    name = "My-Model-7B"
    where = tmp_path / "out/measure" / name
    items = read_table(where / "items.parquet", ITEMS)
    assert items["concept"].nunique() == 9
    pss = read_table(where / "pss.csv", PSS)
    assert len(read_table(where / "masks.parquet", MASKS))
    assert len(read_table(where / "efficiency.csv", EFFICIENCY))
    chosen = (pss["mask"] == "top") & (pss["ratio"] == 0.1) & (pss["at"] == "ratio")
    row = pss[chosen & (pss["kinship"] == "same-category")].iloc[0]
    line = next(
        x for x in found.output.splitlines() if x.startswith("top vectors\t0.1\t")
    )
    cells = line.split("\t")
    assert cells[2] == f"{row['concept_before']:.3f} > {row['concept_after']:.3f}"
    assert cells[4].startswith(f"{row['pss']:.3f} [{row['pss_low']:.3f}, ")
    assert "Pre-registered ratio: 0.1" in found.output
    assert "accuracy " in found.output and "guessing 0.25" in found.output
    for mask in ("random vectors", "another's, same category", "top, chosen in-sample"):
        assert f"\n{mask}\t" in found.output


def test_controls_have_lines_of_their_own_and_leave_the_others_as_they_were(run):
    plain = run().output.splitlines()
    found = run("--controls")
    assert found.exit_code == 0, found.output
    lines = found.output.splitlines()
    told = {line.split("\t")[0] for line in lines if "\t" in line}
    controls = {
        "random, as active",
        "chosen on shuffled labels",
        "most active, no difference",
    }
    assert controls <= told
    for start in ("accuracy", "top vectors\t", "top, chosen in-sample\t"):
        before, after = (
            [x for x in of if x.startswith(start)] for of in (plain, lines)
        )
        assert before == after and before


def test_a_second_ratio_answers_only_what_is_new(run, tmp_path, caplog):
    caplog.set_level("INFO")
    run()
    items = tmp_path / "out/measure/My-Model-7B/items.parquet"
    before = len(read_table(items, ITEMS))
    found = run("--ratio", "0.5")
    assert found.exit_code == 0, found.output
    new = len(read_table(items, ITEMS)) - before
    assert new > 0
    assert f"{new} answers given, {before} taken from an earlier run" in caplog.text


def test_controls_without_their_statistics_stop_before_anything_is_written(
    run, tmp_path
):
    run()
    root = tmp_path / "out"
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    given = ["--ratios", "0,0.1", "--general-ratios", "0,0.1", "--controls", "{}"]
    where = ["--model", "My-Model-7B", "--results", str(root)]
    found = CliRunner().invoke(scoring, [*where, *given])
    assert isinstance(found.exception, UserError)
    assert "statistics.safetensors: holds no statistics" in str(found.exception)
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert after == before


def test_bad_values_stop_before_anything_is_written(run, tmp_path):
    found = run("--scorer", "letters", "--asking", "{not json")
    assert found.exit_code == 2 and "--asking is not JSON" in found.output
    found = run("--ratio", "1.5")
    assert isinstance(found.exception, UserError)
    assert "less than or equal to 1" in str(found.exception)
    assert not (tmp_path / "out").exists()
