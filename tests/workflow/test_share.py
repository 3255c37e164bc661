"""Studies that travel by DVC: clones, remotes, comparisons, faulty files. Minutes."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
import yaml

from tests.workflow.conftest import jobs
from tests.workflow.project import NOTHING, Project, make_project
from tests.workflow.s3_server import s3_server

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("workflow")]


SECRET = "not-for-everyone"


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
    assert (clone.folder / "my-model/model.safetensors").is_file()
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


LESS = (
    *("measure.controls.models=[]", "measure.controls.cross_model=null"),
    *("causal.models=[]", "zoo.trajectory_model=null", "zoo.trajectory_steps=[]"),
)


def test_an_experiment_is_compared_and_made_again_from_nothing(project, tmp_path):
    """With another seed, and without what takes long: two runs from nothing."""
    whole = project.bytes()
    changes = [f"config/smoke.yaml:{change}" for change in ("seed=1", *LESS)]
    set_params = [word for change in changes for word in ("-S", change)]
    stage = "reproduce@smoke"
    project.run("dvc", "exp", "run", "--temp", "-n", "other", *set_params, stage)
    assert project.bytes() == whole and project.git("status", "--porcelain") == ""
    between = ("HEAD", "other")
    assert "seed" in project.run("dvc", "params", "diff", *between)
    assert "pss" in project.run("dvc", "metrics", "diff", *between)
    project.run("dvc", "plots", "diff", *between, "--out", "dvc_plots")
    page = (project.folder / "dvc_plots/index.html").read_text()
    assert "other" in page and "pss" in page
    project.run("dvc", "exp", "branch", "other", "other")
    clone = project.clone(tmp_path / "clone")
    clone.git("checkout", "-q", "other")
    locked = tables_of(clone)
    clone.run("dvc", "pull", "-q", "data/concepts.jsonl")
    clone.run("dvc", "repro", "--single-item", stage)
    assert tables_of(clone) == locked


def tables_of(project: Project) -> str:
    """Hash of all tables, the claims with their verdicts among them, in dvc.lock."""
    stages = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
    outs = stages["reproduce@smoke"]["outs"]
    return next(of["md5"] for of in outs if of["path"] == "results/smoke/tables")


def test_a_study_travels_by_s3_with_credentials_outside_the_repository(
    project, tmp_path
):
    clone = project.clone(tmp_path / "clone")
    with s3_server() as address:
        _set_remote(project, address)
        project.run("dvc", "push", "-q", "-r", "cloud", "reproduce@smoke")
        stored = httpx2.get(f"{address}/shared?list-type=2").text
        assert stored.count("<Key>study/files/md5/") > 100
        _set_remote(clone, address)
        clone.run("dvc", "pull", "-q", "-r", "cloud", "reproduce@smoke")
    assert clone.bytes() == project.bytes()
    assert SECRET not in clone.git("diff", "HEAD") + clone.git("status", "--porcelain")
    assert ".dvc/config.local" in clone.git("check-ignore", ".dvc/config.local")


def _set_remote(project: Project, address: str) -> None:
    """The bucket stands in the repository's configuration, who may use it does not."""
    modify = ("dvc", "remote", "modify", "-q")
    project.run("dvc", "remote", "add", "-q", "cloud", "s3://shared/study")
    project.run(*modify, "cloud", "endpointurl", address)
    project.run(*modify, "--local", "cloud", "access_key_id", "someone")
    project.run(*modify, "--local", "cloud", "secret_access_key", SECRET)


def test_a_pull_that_was_interrupted_is_named_and_goes_on(project, tmp_path):
    clone = project.clone(tmp_path / "clone")
    clone.run("dvc", "pull", "-q", "reproduce@smoke")
    lost = clone.results / "measure/gpt2-s/items.parquet"
    lost.unlink()
    (clone.results / "tables/models.csv").unlink()
    told = clone.paraspec("doctor", fails=True)
    assert "measure/gpt2-s/items.parquet: missing" in told
    clone.paraspec("pull")
    assert clone.bytes() == project.bytes()
