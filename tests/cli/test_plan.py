"""A study's plan: its jobs as Snakemake counts them, its needs as the jobs ask."""

import re

import pytest
from tests.command import paraspec

from paraspec.core.config import read_study
from paraspec.core.model_table import read_models
from paraspec.core.needs import needs_of
from paraspec.core.study_plan import study_plan


def planned(config):
    study = read_study(config)
    return study_plan(study, read_models(study.models))


def test_the_paper_s_plan_names_every_model_and_its_jobs():
    found = paraspec("plan", "--configfile", "config/paper.yaml")
    assert found.returncode == 0, found.stderr
    models = [row.model for row in read_models("config/models/paper.tsv")]
    lines = found.stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : len(models) + 1]] == models
    totals = r"^(jobs|disk|memory|GPU hours) +(\d+)"
    told = dict(re.findall(totals, found.stdout, re.MULTILINE))
    jobs = dict(re.findall(r"(\w+) (\d+)(?=,|$)", found.stdout, re.MULTILINE))
    for rule in ("fetch_model", "check", "extract", "score", "pss", "ablate"):
        assert int(jobs[rule]) == len(models)
    assert int(told["jobs"]) == sum(map(int, jobs.values()))
    assert 270 < int(told["disk"]) < 400


def test_weights_statistics_and_hours_grow_with_the_model():
    by_name = {plan.model: plan for plan in planned("config/paper.yaml")}
    small, large = by_name["qwen1.5-0.5b"], by_name["qwen1.5-14b"]
    assert large.gpu_hours == pytest.approx(28 * small.gpu_hours)
    assert 14e9 * 2 < large.disk_bytes < 14e9 * 2.5
    row = next(
        r for r in read_models("config/models/paper.tsv") if r.model == large.model
    )
    assert large.mem_mb == needs_of(row, "score").mem_mb
    assert large.h100_hours < large.gpu_hours


def test_models_trained_here_need_no_gpu():
    plans = planned("config/miniature.yaml")
    assert len(plans) == 18
    assert all(plan.gpus == plan.gpu_hours == plan.h100_hours == 0 for plan in plans)


def test_fine_tuning_is_planned_where_the_study_fine_tunes():
    study = read_study("config/paper.yaml")
    rows = read_models(study.models)
    causal = study.causal.model_copy(update={"models": ("qwen2-7b",)})
    more = study_plan(study.model_copy(update={"causal": causal}), rows)
    plain = study_plan(study, rows)
    dearer = [b.model for a, b in zip(plain, more, strict=True) if b != a]
    assert dearer == ["qwen2-7b"]


def test_a_missing_configuration_is_one_line(tmp_path):
    found = paraspec("plan", "--configfile", str(tmp_path / "none.yaml"))
    assert found.returncode == 1
    assert "none.yaml: no such file" in found.stderr
    assert "Traceback" not in found.stderr
