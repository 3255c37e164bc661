"""A small study through SLURM: its bytes, its parts, and a job that is cancelled."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass

import pandas as pd
import pytest

from tests.workflow.conftest import MEASURE, MODELS, Study, jobs
from tests.workflow.slurm.cluster import ask, wait_for
from tests.workflow.slurm.conftest import PROFILE, begin

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("slurm")]

PER_CELL = 6
CANCELLED = "1-of-2"


@dataclass(frozen=True)
class Told:
    """The study's local run, its run through SLURM, and what that one said."""

    local: Study
    remote: Study
    said: str
    chunks: int
    """Answers that the cancelled job had stored when it was cancelled."""


def write(study: Study, concepts: str, parts: int) -> Study:
    """A study of two models and 54 concepts, which are four chunks, to its tables."""
    study.folder.mkdir()
    study.table.write_text(MODELS)
    path = study.folder / "concepts.jsonl"
    path.write_text(concepts)
    study.write(
        zoo={"vocab_size": 900},
        causal={"models": []},
        concepts={"file": str(path), "per_cell": PER_CELL},
        measure={**MEASURE, "parts": parts},
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
    """Run the study locally in one part, and through SLURM in two."""
    folder = tmp_path_factory.mktemp("slurm")
    local = write(Study(folder / "local"), concepts, parts=1)
    ran = local.snakemake("tables/verify.csv")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    remote = write(Study(folder / "remote"), concepts, parts=2)
    where = ["--directory", str(remote.results), "--configfile", str(remote.config)]
    run = begin([*PROFILE, *where, "tables/verify.csv"], folder / "remote.log")
    parts = remote.results / "measure/gpt2-s/parts" / f".{CANCELLED}.chunks"
    wait_for("a chunk", lambda: list(parts.glob("*.parquet")), 400, every=0.02)
    wildcards = f"rule_score_part_wildcards_gpt2-s_{CANCELLED}"
    ask("scancel", cluster.named(wildcards))
    kept = sum(len(pd.read_parquet(path)) for path in parts.glob("*.parquet"))
    return Told(local, remote, run.ended(), kept)


def test_the_tables_are_those_of_a_local_run(told):
    names = sorted(path.name for path in (told.local.results / "tables").iterdir())
    assert "claims.csv" in names and len(names) > 15
    for name in names:
        theirs = (told.local.results / "tables" / name).read_bytes()
        assert (told.remote.results / "tables" / name).read_bytes() == theirs, name


@pytest.mark.parametrize("model", ["gpt2-s", "llama-s"])
def test_two_parts_through_slurm_gather_to_the_bytes_of_one_job(told, model):
    assert jobs(told.said)["score_part"] == 4
    name = f"measure/{model}/items.parquet"
    theirs = (told.local.results / name).read_bytes()
    assert (told.remote.results / name).read_bytes() == theirs


def test_a_cancelled_scoring_job_keeps_its_finished_chunks(told):
    log = told.remote.results / f"logs/score_part/gpt2-s.{CANCELLED}.log"
    found = re.search(r"(\d+) answers given, (\d+) taken", log.read_text())
    assert found is not None
    given, taken = map(int, found.groups())
    assert taken == told.chunks > 0
    assert given > 0
    assert "CANCELLED" in told.said


def test_small_steps_ran_on_the_login_node(told):
    submitted = set(re.findall(r"slurm_logs/(?:rule|group)_(\w+)/", told.said))
    assert {"train", "check", "extract", "score", "score_part"} <= submitted
    assert not {"plan", "tokenizer", "verify"} & submitted


def test_a_second_run_has_nothing_to_do(told):
    where = ["--directory", str(told.remote.results)]
    named = ["--configfile", str(told.remote.config)]
    log = told.remote.folder.parent / "again.log"
    said = begin([*PROFILE, *where, *named, "tables/verify.csv"], log).ended()
    assert "Nothing to be done" in said
