"""Faults of a real SLURM: each run ends complete, and repeats nothing finished."""

import pytest

from tests.workflow.slurm.cluster import ask, wait_for

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("slurm")]


def test_jobs_run_through_the_profile(toy):
    said = toy.start().ended()
    assert toy.result == ["n0", "n1", "n2"]
    assert sorted(toy.attempts) == ["gather", "n0", "n1", "n2"]
    assert "profiles/slurm" in said


def test_a_cancelled_job_runs_again_and_nothing_else_does(toy, cluster):
    run = toy.start(faulty="victim")
    wait_for("the first attempt", lambda: "victim" in toy.attempts, 60)
    ask("scancel", cluster.named("rule_victim"))
    run.ended()
    assert toy.result == ["n0", "n1", "n2", "victim"]
    assert sorted(toy.attempts) == ["gather", "n0", "n1", "n2", "victim", "victim"]


def test_a_job_that_exceeds_its_memory_gets_more(toy):
    said = toy.start(steady=1, faulty="forgetful").ended()
    assert toy.result == ["n0", "forgetful"]
    tried = [line for line in toy.attempts if line.startswith("forgetful")]
    assert tried == ["forgetful 600", "forgetful 1200"]
    assert "failed, SLURM status is" in said


def test_a_job_that_exceeds_its_time_gets_more(toy):
    said = toy.start(steady=1, faulty="slow").ended()
    assert toy.result == ["n0", "slow"]
    tried = [line for line in toy.attempts if line.startswith("slow")]
    assert tried == ["slow 1", "slow 2"]
    assert "'TIMEOUT'" in said


def test_a_controller_that_restarts_costs_no_job(toy, cluster):
    run = toy.start(steady=3, seconds=8)
    wait_for("running jobs", lambda: len(toy.attempts) == 3, 60)
    cluster.stop_controller()
    cluster.start_controller()
    run.ended()
    assert toy.result == ["n0", "n1", "n2"]
    assert sorted(toy.attempts) == ["gather", "n0", "n1", "n2"]


def test_snakemake_killed_and_started_again_repeats_no_finished_job(toy, cluster):
    first = toy.start("--jobs", "1", steady=3, seconds=3)
    wait_for("a finished job", lambda: len(toy.attempts) == 2, 90)
    first.kill()
    wait_for("the end of what runs", lambda: not cluster.running(), 60)
    finished = toy.attempts[0]
    toy.start("--unlock", steady=3, seconds=3).ended()
    toy.start(steady=3, seconds=3).ended()
    assert toy.result == ["n0", "n1", "n2"]
    assert toy.attempts.count(finished) == 1
