"""A small made-up study with its tables, figures and page, made once."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.synthetic import Fake, write_study, zoo

from paraspec.core.config import read_study as read_config
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables import judged
from paraspec.report.figures import FIGURES, write_figure
from paraspec.report.inputs import read_tables
from paraspec.report.page import Sources, page
from paraspec.stats.claims import read_claims
from paraspec.stats.run import read_study, study_tables, write_tables

BASE = Path(__file__).parents[2]
CLAIMS = BASE / "config" / "claims.yaml"
CONFIG = BASE / "config" / "miniature.yaml"
DRAWS = 100
FAKES = (
    Fake("llama-16", "llama", 3_000, 0.35, 0.1),
    Fake("llama-64-s0", "llama", 50_000, 0.93, 0.4),
    Fake("llama-64-s1", "llama", 50_000, 0.94, 0.38),
    Fake("gpt2-32", "gpt2", 12_000, 0.7, 0.25),
    Fake("gpt2-64", "gpt2", 50_000, 0.92, 0.35),
    Fake("moe-64", "moe", 90_000, 0.9, 0.3, n_experts=4),
)
BENCHMARK = "s\th:m:s\tmax_rss\n{s}\t0:00:00\t{rss}\n"


def checkpoints():
    """Three checkpoints of llama-64-s0."""
    made = [fake for fake in zoo() if fake.of][::3]
    return [
        replace(fake, model=f"llama-64-s0-step{fake.steps:05d}", of="llama-64-s0")
        for fake in made
    ]


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """Results folder with tables, a comparison, benchmarks and figures."""
    root = tmp_path_factory.mktemp("results") / "made-up"
    names = write_study(root, [*FAKES, *checkpoints()], n_concepts=9, draws=DRAWS)
    claims = read_claims(CLAIMS)
    study = read_study(root, names, DRAWS, seed=0)
    write_tables(root, study_tables(study, claims, CLAIMS))
    _write_benchmarks(root / "benchmarks")
    drawn = read_tables(root)
    for name in FIGURES:
        write_figure(name, drawn, root)
    return root


def _write_benchmarks(folder):
    (folder / "train").mkdir(parents=True)
    for name, seconds, rss in (("a", 61.5, 300), ("b", 30, 1536)):
        text = BENCHMARK.format(s=seconds, rss=rss)
        (folder / "train" / f"{name}.tsv").write_text(text)
    (folder / "plan.tsv").write_text(BENCHMARK.format(s=0.5, rss="-"))


@pytest.fixture(scope="session")
def drawn(root):
    """The study's tables."""
    return read_tables(root)


@pytest.fixture(scope="session")
def factbook(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "factbook.jsonl"
    path.write_text("{}\n")
    return path


@pytest.fixture(scope="session")
def sources(factbook):
    """Files that the page names."""
    return Sources(CONFIG, CLAIMS, factbook)


@pytest.fixture(scope="session")
def make_page(sources):
    """Make the page of a folder."""
    return lambda root: page(root, read_config(CONFIG), sources)


@pytest.fixture(scope="session")
def html(root, make_page):
    return make_page(root)


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the results folder that a test may damage."""
    target = tmp_path / "made-up"
    keep = shutil.ignore_patterns("*.parquet", "model.json")
    shutil.copytree(root, target, ignore=keep)
    return target


@pytest.fixture(scope="session")
def claims(root):
    return read_table(StudyFiles(root).table("claims.csv"), judged.CLAIMS)
