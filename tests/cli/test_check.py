"""``paraspec check`` as a user meets it."""

import json
import sys

import pytest
import torch
import typer
from rich.console import Console
from tests.command import paraspec
from typer.testing import CliRunner

from paraspec.cli.check import check, show
from paraspec.core.model_table import ModelRow
from paraspec.models.manifest import describe, model_place, write_manifest
from paraspec.models.preflight.check import preflight

app = typer.Typer()
app.command()(check)


@pytest.fixture(scope="module")
def folder(loaded, tmp_path_factory):
    """A saved model, not to be changed."""
    made = tmp_path_factory.mktemp("saved") / "qwen2_moe"
    found = loaded("qwen2_moe")
    found.model.save_pretrained(made)
    found.tokenizer.save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def broken(loaded, tmp_path_factory):
    """A saved model whose second layer holds a NaN and whose letters are split."""
    made = tmp_path_factory.mktemp("saved") / "llama"
    found = loaded("llama")
    found.sites[1].weight[0, 0] = torch.nan
    found.model.save_pretrained(made)
    found.tokenizer.save_pretrained(made)
    return made


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_pipe_gets_plain_lines(folder):
    found = run(folder)
    assert found.exit_code == 0, found.output
    assert "\x1b" not in found.output and "│" not in found.output
    lines = found.output.splitlines()
    assert f"model: {folder}" in lines
    assert "architecture: qwen2_moe (Qwen2MoeForCausalLM)" in lines
    sites = [line for line in lines if line.startswith("value vectors: ")]
    assert sites == [
        "value vectors: model.layers.*.mlp.experts: "
        "4 experts of d_ff 24 as columns, layers 0-1",
        "value vectors: model.layers.*.mlp.shared_expert.down_proj: "
        "d_ff 32 as columns, layers 0-1",
    ]
    assert "experts: grouped_mm" in lines
    assert "PASS every hook fires: 4 sites, once each, with d_ff coefficients" in lines
    assert all(": " in line for line in lines)


def test_failures_are_one_line_each_and_exit_1(broken):
    found = run(broken, "--scorer", "letters")
    assert found.exit_code == 1
    failed = [line for line in found.output.splitlines() if line.startswith("FAIL ")]
    assert len(failed) == 3
    assert "layers.1.mlp.down_proj.weight" in failed[1]
    assert run(broken).output.count("FAIL ") == 2, "letters are not needed for cloze"
    assert "WARN letters" in run(broken).output


def test_json_holds_the_same_facts(folder, broken, tmp_path):
    for model, passed in ((folder, True), (broken, False)):
        path = tmp_path / f"{passed}.json"
        run(model, "--json", path)
        values = json.loads(path.read_text())
        assert values["passed"] is passed
        report = preflight(model)
        assert values["folder"] == str(model)
        assert len(values["sites"]) == len(report.sites)
        assert values["parameters_active"] == report.parameters_active
        assert values["memory"]["weights"] == report.memory.weights
        assert [f["outcome"] for f in values["findings"]] == [
            f.outcome for f in report.findings
        ]


def test_a_terminal_gets_a_table(folder, monkeypatch):
    console = Console(force_terminal=True, record=True, width=100, file=sys.stderr)
    monkeypatch.setattr("rich.console.Console", lambda **options: console)
    show(preflight(folder))
    text = console.export_text(styles=True)
    assert "│" in text and "\x1b[32mPASS" in text
    assert "shared_expert.down_proj" in text


def test_a_registered_model_is_found_where_it_lies(folder, tmp_path):
    listed = tmp_path / "models/mine"
    row = ModelRow(model="mine", source=str(folder), family="qwen")
    manifest = describe(row, "mine", folder)
    write_manifest(manifest, listed / "model.json")
    assert model_place(folder).folder == folder
    assert model_place(listed).folder == folder
    assert f"model: {folder}" in run(listed).output


def test_a_folder_that_is_no_model_is_one_line_and_exit_1(tmp_path):
    found = paraspec("check", ".", cwd=tmp_path)
    assert found.returncode == 1
    assert found.stdout == ""
    assert found.stderr.startswith("error: .: no config.json here")
    assert found.stderr.count("\n") == 1
