"""The command line as a user meets it."""

import subprocess
import sys

import pytest
from tests.command import paraspec
from typer.testing import CliRunner

from paraspec.cli.main import GROUPS, STEPS, app
from paraspec.cli.main import _mount as mount

GRID = ["--ratios", "0,0.1", "--general-ratios", "0", "--keep-ratios", "0.5"]


@pytest.fixture(scope="module")
def commands():
    mount()
    return app


@pytest.mark.parametrize(
    "command", ["", *STEPS, *GROUPS, "data build", "data validate"]
)
def test_every_command_explains_itself(command, commands):
    found = CliRunner().invoke(commands, [*command.split(), "--help"])
    assert found.exit_code == 0, found.output
    assert "Usage:" in found.output
    for name in () if command else (*STEPS, *GROUPS):
        assert f" {name} " in found.output


def test_help_needs_no_torch():
    code = (
        "import sys; sys.argv = ['paraspec', '--help']\n"
        "from paraspec.cli.main import main\n"
        "try: main()\n"
        "finally: assert 'torch' not in sys.modules"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "Usage" in found.stdout
    assert "\x1b" not in found.stdout, "no colours into a pipe"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["data", "plan", "none.jsonl", "--results", "r"], "none.jsonl: no such file"),
        (["tokenizer", "--results", "r"], "corpus.parquet: no such file"),
        (
            ["score", "--model", "m", "--results", "r", *GRID, "--ratios", "0,2"],
            "paraspec score: ratios.1: Input should be less than or equal to 1",
        ),
        (
            ["train", "--model", "m", "--models", "t", "--results", "r"],
            "t: no such file",
        ),
    ],
)
def test_a_user_s_fault_is_one_line_and_exit_code_1(arguments, part, tmp_path):
    found = paraspec(*arguments)
    assert found.returncode == 1
    lines = found.stderr.splitlines()
    assert len(lines) == 1, found.stderr
    assert lines[0].startswith("error: ")
    assert part in lines[0]
    assert found.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["score", "--model", "m", "--results", "r", *GRID, "--ratios", "a"], "'a'"),
        (["extract", "--model", "m", "--results", "r", "--dtype", "int8"], "int8"),
        (["extract", "--model", "m", "--results", "r", "--scorer", "x"], "cloze"),
        (["extract", "--results", "r"], "--model"),
        (["data", "plan", "f", "--results", "r", "--exposures", "8,x"], "8,x"),
        (["data", "plan", "f", "--results", "r", "--exposures", "8,0"], "exposures.1"),
        (["data", "plan", "f", "--results", "r", "--exposures", ""], "exposures: "),
        (["nonsense"], "nonsense"),
    ],
)
def test_a_wrong_option_is_a_usage_error(arguments, part, commands, tmp_path):
    (tmp_path / "f").touch()
    found = CliRunner().invoke(commands, arguments)
    assert found.exit_code in (1, 2)
    assert part in found.output or part in str(found.exception)


def test_progress_goes_to_the_log_and_results_to_standard_output(
    tmp_path, concept_file
):
    path = concept_file(tmp_path / "c.jsonl", 2)
    options = ["--results", str(tmp_path), "--per-cell", "1", "--general-items", "8"]
    found = paraspec("data", "plan", str(path), *options)
    assert found.returncode == 0, found.stderr
    assert found.stdout == (
        "9 concepts, 0 added, 9 never seen, 360 training sentences\n"
    )
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == [
        f"{name}.parquet"
        for name in ("concepts", "corpus", "neutral", "never_seen", "prompts", "sets")
    ]
