"""Studies of published models: planned whole, and fetched from a real server."""

import json
import subprocess
import sys

import pytest

from tests.workflow.conftest import BASE, MEASURE, Study, jobs


def plan(study, *arguments):
    """Dry run of one of the repository's own studies."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "-n"),
            *("--configfile", f"config/{study}.yaml", *arguments),
        ],
        cwd=BASE,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("study", "n"), [("paper", 20), ("trajectory", 10), ("scale", 7)]
)
def test_a_published_study_is_planned_whole_and_trains_nothing(study, n, tmp_path):
    run = plan(study, "--directory", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    planned = jobs(run.stdout)
    for rule in ("fetch_model", "check", "extract", "score", "pss", "ablate"):
        assert planned[rule] == n, rule
    assert not {"train", "train_trajectory", "tokenizer", "register"} & set(planned)


def test_the_plan_shows_what_each_job_needs_and_splits_scoring_at_will(tmp_path):
    scattered = ["--set-scatter", "concepts=3"]
    listing = plan("paper", "--directory", str(tmp_path), *scattered).stdout
    planned = jobs(listing)
    assert (planned["score"], planned["score_part"]) == (20, 60)
    blocks = listing.split("rule ")
    (largest,) = (b for b in blocks if b.startswith("score:") and "qwen2.5-14b" in b)
    assert largest.count("measure/qwen2.5-14b/parts/") >= 3
    for resource in ("mem_mb=37400", "runtime=588", "gpu=1"):
        assert resource in largest
    (fetched,) = (b for b in blocks if b.startswith("fetch_model") and "gemma-7b" in b)
    assert "downloads=1" in fetched and "runtime=600" in fetched


def test_a_model_is_locked_fetched_and_not_fetched_again(hub, tmp_path):
    study = Study(tmp_path)
    header = "model\tsource\trevision\tfamily"
    study.table.write_text(f"{header}\ntiny\thub:owner/tiny\tmain\tllama\n")
    study.write(zoo={}, causal={}, measure=MEASURE)
    run = study.snakemake("models/tiny/model.json")
    assert run.returncode == 0, run.stdout + run.stderr
    manifest = json.loads((study.results / "models/tiny/model.json").read_text())
    commit = hub.repositories["owner/tiny"].commit
    assert manifest["commit"] == commit
    assert commit in (tmp_path / "models.lock.tsv").read_text()
    again = study.snakemake("-n", "models/tiny/model.json")
    assert "Nothing to be done" in again.stdout + again.stderr
    # A further row is fetched; the first model stays as it is.
    hub.repositories["owner/second"] = hub.repositories["owner/tiny"]
    with study.table.open("a") as table:
        table.write("second\thub:owner/second\tmain\tllama\n")
    both = ["models/tiny/model.json", "models/second/model.json"]
    planned = jobs(study.snakemake("-n", *both).stdout)
    assert planned == {"fetch_model": 1}
    # Another commit in a model's own row fetches that model.
    lock = tmp_path / "models.lock.tsv"
    lock.write_text(lock.read_text().replace(commit, "0" * 40))
    assert jobs(study.snakemake("-n", both[0]).stdout) == {"fetch_model": 1}
    # A row that contradicts its lock is told, not guessed.
    study.table.write_text(study.table.read_text().replace("\tmain\t", "\tv2\t"))
    refused = study.snakemake("-n", *both)
    assert refused.returncode == 1
    assert "paraspec resolve --models" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
