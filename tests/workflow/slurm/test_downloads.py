"""A published model under SLURM: locked and fetched on the login node only."""

import re

import pytest

from tests.workflow.conftest import BASE, MEASURE, Study
from tests.workflow.slurm.conftest import PROFILE, begin

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("slurm")]


def test_a_model_is_locked_and_fetched_here_and_checked_by_a_job(
    hub, cluster, tmp_path
):
    study = Study(tmp_path)
    header = "model\tsource\trevision\tfamily"
    study.table.write_text(f"{header}\ntiny\thub:owner/tiny\tmain\tllama\n")
    study.write(zoo={}, causal={}, measure=MEASURE)
    # Without --directory: files go to results/<study>, seen from here.
    where = ["--snakefile", str(BASE / "Snakefile"), "--configfile", str(study.config)]
    target = ["--retries", "0", "models/tiny/check.json"]
    run = begin([*PROFILE, *where, *target], tmp_path / "said.log", tmp_path)
    said = run.ended()
    locked = (tmp_path / "models.lock.tsv").read_text()
    assert hub.repositories["owner/tiny"].commit in locked
    submitted = re.findall(r"slurm_logs/(?:rule|group)_(\w+)/", said)
    assert set(submitted) == {"check"}
    assert (tmp_path / "results/smoke/models/tiny/check.json").is_file()
