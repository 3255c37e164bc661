"""Studies that travel by DVC: clones, remotes, comparisons, faulty files. Minutes."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
import yaml

from tests.workflow.conftest import MODELS, jobs
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
    repaired = mine.paraspec("doctor", "--repair", "--before-run")
    assert "bytes than before" not in repaired
    again = {
        path.relative_to(mine.results / "benchmarks").with_suffix("").as_posix()
        for path, time in before.items()
        if path.stat().st_mtime_ns != time
    }
    assert again == {"train/gpt2-s", "score/gpt2-s", "ablate/llama-s"}
    assert mine.bytes() == whole
    assert NOTHING in mine.snakemake("-n")
    assert mine.paraspec("doctor", "--repair", "--before-run") == ""
    clone = project.clone(tmp_path / "nothing-yet")
    assert clone.paraspec("doctor", "--repair", "--before-run") == ""
    assert "no finished run" in clone.paraspec("doctor", fails=True)


def test_two_studies_and_a_model_of_mine_live_side_by_side(project, tmp_path):
    mine = project.clone(tmp_path / "clone")
    mine.paraspec("pull")
    whole = mine.bytes()
    values = yaml.safe_load(mine.config.read_text())
    table = MODELS.splitlines()[0] + "\nmine\tmy-model\tgpt2" + "\t" * 9 + "\n"
    (mine.folder / "config/models/other.tsv").write_text(table)
    for key in ("causal", "zoo"):
        del values[key]
    del values["measure"]["controls"]
    changes = {"study": "other", "models": "config/models/other.tsv"}
    other = mine.folder / "config/other.yaml"
    other.write_text(yaml.safe_dump(values | changes))
    _add_stage(mine)
    of = ("--configfile", "config/other.yaml")
    mine.run("snakemake", "--cores", "2", *of, "--", "measure/mine/pss.csv")
    assert mine.bytes() == whole and NOTHING in mine.snakemake("-n")
    stages = mine.run("dvc", "stage", "list", "--name-only")
    assert {"reproduce@smoke", "reproduce@other"} <= set(stages.split())
    assert "not finished" in mine.run("paraspec", "push", *of, fails=True)


def _add_stage(project: Project) -> None:
    """The three lines of a further study, as the README has them."""
    stages = project.folder / "dvc.yaml"
    text = stages.read_text()
    known = text[text.index("      smoke:\n") : text.index("    do:\n")]
    stages.write_text(text.replace(known, known + known.replace("smoke", "other")))


LESS = (
    *("measure.controls.models=[]", "measure.controls.cross_model=null"),
    *("causal.models=[]", "zoo.trajectory_model=null", "zoo.trajectory_steps=[]"),
)


def test_an_experiment_is_compared_with_what_was_committed(project):
    """With another seed, and without what takes long."""
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


def test_made_again_from_nothing_a_study_has_the_same_bytes(project, tmp_path):
    clone = project.clone(tmp_path / "clone")
    clone.run("dvc", "pull", "-q", "data/concepts.jsonl")
    clone.run("dvc", "repro", "--single-item", "reproduce@smoke")
    again, first = clone.bytes(), project.bytes()
    assert [name for name in first if again.get(name) != first[name]] == []
    assert {"tables/claims.csv", "measure/gpt2-s/items.parquet"} <= first.keys()
    assert again.keys() == first.keys()


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
