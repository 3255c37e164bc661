"""Studies that travel by DVC: clones, remotes, comparisons, faulty files. Minutes."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import jobs
from tests.workflow.project import NOTHING, Project, make_project

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("workflow")]


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory) -> Project:
    """The finished study, pushed to a shared folder and committed."""
    base = tmp_path_factory.mktemp("share")
    made = make_project(base / "mine", finished)
    assert "no remote is set" in made.paraspec("push", fails=True)
    assert "no remote is set" in made.paraspec("pull", fails=True)
    made.run("dvc", "remote", "add", "-q", "-d", "shared", str(base / "remote"))
    assert "is at the remote" in made.paraspec("push")
    made.commit("Results")
    return made


def test_ten_of_ten_clones_have_nothing_to_do_and_notice_changes(project, tmp_path):
    def told(n: int) -> str:
        clone = project.clone(tmp_path / f"clone{n}")
        if n:
            clone.run("dvc", "pull", "-q", "reproduce@smoke", "--with-deps")
        else:
            assert "as their jobs wrote them" in clone.paraspec("pull")
        return clone.snakemake("-n")

    with ThreadPoolExecutor(2) as two:
        assert [NOTHING in text for text in two.map(told, range(10))] == [True] * 10
    clone = Project(tmp_path / "clone0")
    assert clone.bytes() == project.bytes()
    values = yaml.safe_load(clone.config.read_text())
    clone.config.write_text(yaml.safe_dump(values | {"seed": 1}))
    assert jobs(clone.snakemake("-n"))["plan"] == 1
    clone.git("checkout", "-q", "config/smoke.yaml")
    source = clone.folder / "src/paraspec/stats/verify.py"
    source.write_text(source.read_text() + "\n\nEDITED = 1\n")
    assert jobs(clone.snakemake("-n")).get("verify") == 1


def test_faulty_files_stop_a_run_and_are_rebuilt_alone(project, tmp_path):
    mine = Project(tmp_path / "mine")
    shutil.copytree(project.folder, mine.folder)
    whole = mine.bytes()
    flipped = mine.results / "measure/gpt2-s/items.parquet"
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    cut = mine.results / "models/gpt2-s/model.safetensors"
    cut.write_bytes(cut.read_bytes()[:1000])
    gone = mine.results / "measure/llama-s/efficiency.csv"
    gone.unlink()
    for refusing in (
        mine.snakemake("-n", fails=True),
        mine.paraspec("push", fails=True),
        mine.paraspec("doctor", fails=True),
    ):
        assert "paraspec doctor --repair" in refusing
    assert f"{gone.relative_to(mine.folder)}: missing" in refusing
    assert "measure/gpt2-s/items.parquet: has other bytes" in refusing
    assert "model.safetensors: has 1000 bytes instead of" in refusing
    before = {path: path.stat().st_mtime_ns for path in mine.results.rglob("*.tsv")}
    mine.paraspec("doctor", "--repair")
    again = {
        path.relative_to(mine.results / "benchmarks").with_suffix("").as_posix()
        for path, time in before.items()
        if path.stat().st_mtime_ns != time
    }
    assert again == {"train/gpt2-s", "score/gpt2-s", "ablate/llama-s"}
    assert mine.bytes() == whole
    assert NOTHING in mine.snakemake("-n")


def test_two_commits_are_compared_and_an_experiment_leaves_the_study_alone(project):
    whole = project.bytes()
    seed = ("-S", "config/smoke.yaml:seed=1")
    project.run("dvc", "exp", "run", "--temp", "-n", "other", *seed, "reproduce@smoke")
    assert project.bytes() == whole and project.git("status", "--porcelain") == ""
    between = ("HEAD", "other")
    assert "seed" in project.run("dvc", "params", "diff", *between)
    assert "pss" in project.run("dvc", "metrics", "diff", *between)
    project.run("dvc", "plots", "diff", *between, "--out", "dvc_plots")
    page = (project.folder / "dvc_plots/index.html").read_text()
    assert "other" in page and "pss" in page


def test_repro_in_a_clean_clone_gives_the_same_verdicts(project, tmp_path):
    clone = project.clone(tmp_path / "clone")
    clone.run("dvc", "pull", "-q", "data/concepts.jsonl")
    clone.run("dvc", "repro", "reproduce@smoke", "--single-item")
    name = "tables/claims.csv"
    theirs, mine = (pd.read_csv(of.results / name) for of in (project, clone))
    pd.testing.assert_frame_equal(theirs, mine)
