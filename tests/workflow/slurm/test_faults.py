"""Faults of a real SLURM: each ends well, and repeats nothing that was finished.

They come together in one run, for most of it is waiting: one job is cancelled, one
exceeds its memory, one its time, and the controller restarts while a fourth runs.
"""

import pytest

from tests.workflow.slurm.cluster import ask, wait_for
from tests.workflow.slurm.conftest import Toy

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("slurm")]

FAULTY = ["victim", "forgetful", "slow"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory, cluster) -> Toy:
    """The toy workflow after its faults."""
    made = Toy(tmp_path_factory.mktemp("faults"))
    run = made.start(faulty=",".join(FAULTY))
    wait_for("every first attempt", lambda: len(made.attempts) >= 4, 120)
    ask("scancel", cluster.named("rule_victim"))
    cluster.stop_controller()
    cluster.start_controller()
    (made.folder / "go").touch()
    run.ended(400)
    return made


def test_all_end_well_and_only_what_failed_runs_again(toy):
    assert toy.result_of("all") == ["steady", *FAULTY]
    again = {"victim": 2, "forgetful": 2, "slow": 2, "steady": 1, "gather": 1}
    assert {name: len(toy.attempts_of(name)) for name in again} == again
    assert len(toy.attempts) == sum(again.values())


def test_a_cancelled_job_leaves_no_half_file(toy):
    assert (toy.folder / "victim.txt").read_text() == "victim\n"
    assert "failed, SLURM status is: 'CANCELLED'" in toy.said


def test_a_job_that_exceeds_its_memory_gets_more(toy):
    assert toy.attempts_of("forgetful") == ["forgetful 600", "forgetful 1200"]
    assert "exceeded memory limit" in toy.said


def test_a_job_that_exceeds_its_time_gets_more(toy):
    assert toy.attempts_of("slow") == ["slow 1", "slow 2"]
    assert "failed, SLURM status is: 'TIMEOUT'" in toy.said


def test_a_controller_that_restarts_costs_no_job(toy):
    assert toy.attempts_of("steady") == ["steady"]
