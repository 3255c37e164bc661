"""A small study through SLURM: same bytes, in parts, with jobs cancelled and killed."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import MEASURE, MODELS, Study, jobs
from tests.workflow.slurm.cluster import Cluster, ask, wait_for
from tests.workflow.slurm.conftest import PROFILE, Run, begin

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("slurm")]

PER_CELL = 6
TARGETS = ["tables/verify.csv", "figures/tiers.svg", "figures/sizes.svg"]
STRUCK = "1-of-2"
"""Part of a model's scoring that is cancelled, and running when Snakemake is killed."""


@dataclass(frozen=True)
class Told:
    """The study's local run, its run through SLURM, and what was said of that one."""

    local: Study
    remote: Study
    before: str
    """Snakemake's words until it was killed."""
    after: str
    """... and when it was started again."""
    chunks: int
    """Answers that the cancelled job had stored when it was cancelled."""
    retried: tuple[int, int]
    """Answers given and taken over by the job submitted in its place."""


@dataclass(frozen=True)
class Remote:
    """The study on its way through SLURM."""

    study: Study
    cluster: Cluster

    def begin(self, name: str, *arguments: str) -> Run:
        """Start Snakemake; nothing but the command line says how."""
        named = ["--configfile", str(self.study.config), "--set-scatter", "concepts=2"]
        where = ["--directory", str(self.study.results), *TARGETS]
        log = self.study.folder / f"{name}.log"
        return begin([*PROFILE, *named, *where, *arguments], log)

    @property
    def chunks(self) -> list[Path]:
        """Files of finished chunks of the part that is struck."""
        parts = self.study.results / "measure/gpt2-s/parts"
        return list((parts / f".{STRUCK}.chunks").glob("*.parquet"))

    def struck(self) -> str:
        """Number of the job that answers this part, as soon as it runs."""
        return self.cluster.named(f"rule_score_part_wildcards_gpt2-s_{STRUCK}")

    def cancel(self, run: Run) -> int:
        """Cancel that job as soon as it has stored something: how many answers."""
        wait_for("a chunk", lambda: self.chunks or run.over, 400, every=0.02)
        assert not run.over, run.log.read_text()
        number = self.struck()
        ask("scancel", number)
        wait_for("its end", lambda: number not in self.cluster.running(), 60)
        return sum(len(pd.read_parquet(path)) for path in self.chunks)

    def answers(self) -> tuple[int, int]:
        """Answers that the part's last job gave, and took over."""
        log = self.study.results / f"logs/score_part/gpt2-s.{STRUCK}.log"
        found = re.search(r"(\d+) answers given, (\d+) taken", log.read_text())
        assert found is not None, log.read_text()
        return int(found[1]), int(found[2])


def write(study: Study, concepts: str) -> Study:
    """A study of two models and 54 concepts, which are four chunks."""
    study.folder.mkdir()
    study.table.write_text(MODELS)
    path = study.folder / "concepts.jsonl"
    path.write_text(concepts)
    study.write(
        zoo={"vocab_size": 900},
        causal={"models": []},
        concepts={"file": str(path), "per_cell": PER_CELL},
        measure=MEASURE,
    )
    return study


@pytest.fixture(scope="session")
def concepts(factbook_text) -> str:
    """Some concepts of every category x tier cell, as a concept file."""
    cells = defaultdict(list)
    for line in factbook_text.splitlines():
        concept = json.loads(line)
        cells[concept["category"], concept["tier"]].append(line)
    return "\n".join(line for cell in cells.values() for line in cell[:PER_CELL]) + "\n"


@pytest.fixture(scope="session")
def told(tmp_path_factory, concepts, cluster) -> Told:
    """Run the study locally, then through SLURM with a cancelled job and a kill -9."""
    folder = tmp_path_factory.mktemp("slurm")
    local = write(Study(folder / "local"), concepts)
    ran = local.snakemake(*TARGETS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    remote = Remote(write(Study(folder / "remote"), concepts), cluster)
    first = remote.begin("before")
    chunks = remote.cancel(first)
    remote.struck()
    first.kill()
    wait_for("the end of what runs", lambda: not cluster.jobs(), 240)
    retried = remote.answers()
    remote.begin("unlocked", "--unlock").ended()
    after = remote.begin("after").ended()
    return Told(local, remote.study, first.log.read_text(), after, chunks, retried)


def same_bytes(told: Told, name: str) -> bool:
    mine, theirs = (study.results / name for study in (told.remote, told.local))
    return mine.read_bytes() == theirs.read_bytes()


def test_tables_and_figures_are_those_of_a_local_run(told):
    made = [*told.local.results.glob("tables/*"), *told.local.results.glob("figures/*")]
    names = sorted(str(path.relative_to(told.local.results)) for path in made)
    assert "tables/claims.csv" in names and "figures/tiers.svg" in names
    assert len(names) > 20
    assert [name for name in names if not same_bytes(told, name)] == []


@pytest.mark.parametrize("model", ["gpt2-s", "llama-s"])
def test_two_parts_through_slurm_gather_to_the_bytes_of_one_job(told, model):
    assert jobs(told.before)["score_part"] == 4
    assert same_bytes(told, f"measure/{model}/items.parquet")


def test_a_cancelled_scoring_job_keeps_its_finished_chunks(told):
    given, taken = told.retried
    assert taken == told.chunks > 0
    assert given > 0
    assert "CANCELLED" in told.before


def test_what_ran_when_snakemake_was_killed_counts_and_nothing_is_repeated(told):
    again = set(jobs(told.after))
    assert {"score", "pss", "correlate", "figure"} <= again
    made = {"plan", "tokenizer", "train", "check", "extract", "score_part"}
    assert not made & again


def test_small_steps_ran_on_the_login_node_and_shared_submissions(told):
    said = told.before + told.after
    submitted = re.findall(r"slurm_logs/((?:rule|group)_\w+)/", said)
    steps = {"train", "check", "extract", "score", "score_part"}
    assert {f"rule_{step}" for step in steps} <= set(submitted)
    here = {"plan", "tokenizer", "judge", "verify"}
    assert not {f"rule_{step}" for step in here} & set(submitted)
    assert 0 < sum(name.startswith("group_") for name in submitted) < 10


def test_a_second_run_has_nothing_to_do(told):
    again = Remote(told.remote, Cluster()).begin("again").ended()
    assert "Nothing to be done" in again
