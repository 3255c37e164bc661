"""A made-up study carried through to its figures, for tests of the page.

Its numbers come from :mod:`tests.synthetic_study`, its tables from the steps
``correlate`` and ``judge``.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from paraspec.core.config import read_study as read_config
from paraspec.core.layout import StudyFiles
from paraspec.report.figures import FIGURES, write_figure
from paraspec.report.inputs import read_tables
from paraspec.report.page import page
from paraspec.report.provenance import gather
from paraspec.report.provenance_record import NAME, write_provenance
from paraspec.stats.judging import judge_study
from paraspec.stats.run import read_study, read_tuned, study_tables, write_tables
from tests.synthetic import Fake, zoo
from tests.synthetic_arms import write_arms
from tests.synthetic_study import write_study

BASE = Path(__file__).parents[1]
CLAIMS = BASE / "config" / "claims.yaml"
CONFIG = BASE / "config" / "miniature.yaml"
DRAWS = 100
FAKES = (
    Fake("llama-16", "llama", 3_000, 0.35, 0.1),
    Fake("llama-64-s0", "llama", 50_000, 0.93, 0.4, controls=True, planted=True),
    Fake("llama-64-s1", "llama", 50_000, 0.94, 0.38, controls=True, cross=True),
    Fake("gpt2-32", "gpt2", 12_000, 0.7, 0.25, controls=True),
    Fake("gpt2-64", "gpt2", 50_000, 0.92, 0.35),
    Fake("moe-64", "moe", 90_000, 0.9, 0.3, n_experts=4),
)
TUNED = "llama-64-s0"
"""Model with arms."""
BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{s}\t0:00:00\t{rss}\t{cpu}\n"


def checkpoints():
    """Three checkpoints of llama-64-s0."""
    made = [fake for fake in zoo() if fake.of][::3]
    return [
        replace(fake, model=f"llama-64-s0-step{fake.steps:05d}", of="llama-64-s0")
        for fake in made
    ]


def induced():
    """A routed and a dropped-out model beside each of llama-64-s0 and -s1."""
    plain = {"controls": False, "planted": False, "cross": False}
    return [
        replace(
            fake,
            model=f"{mechanism}-{fake.model}",
            accuracy=fake.accuracy + gain,
            damage=fake.damage + gain,
            mechanism=mechanism,
            strength=0.5,
            baseline=fake.model,
            **plain,
        )
        for fake in FAKES[1:3]
        for mechanism, gain in (("routing", 0.05), ("dropout", -0.2))
    ]


@cache
def made_up(folder):
    """Results folder with tables, benchmark files and figures, made once."""
    root = folder / "results" / "made-up"
    fakes = [*FAKES, *checkpoints(), *induced()]
    names = write_study(root, fakes, n_concepts=9, draws=DRAWS, non_knowledge=True)
    study = read_study(root, names, DRAWS, seed=0)
    write_arms(root, TUNED, n_concepts=9, taught=3, failed=[("CV", 0)])
    tuned = read_tuned(StudyFiles(root), [TUNED])
    write_tables(root, study_tables(study, tuned))
    judge_study(root, CLAIMS)
    _write_benchmarks(root / "benchmarks")
    drawn = read_tables(root)
    for name in FIGURES:
        write_figure(name, drawn, root)
    _write_provenance(root)
    return root


def _write_provenance(root):
    concepts = root.parent / "factbook.jsonl"
    concepts.write_text("{}\n")
    sources = {"configuration": CONFIG, "claims": CLAIMS, "concepts": concepts}
    found = gather(root, read_config(CONFIG), sources)
    write_provenance(found, root / NAME)


def _write_benchmarks(folder):
    (folder / "train").mkdir(parents=True)
    for name, seconds, rss, cpu in (("a", 61.5, 300, 30.25), ("b", 30, 1536, 10.25)):
        text = BENCHMARK.format(s=seconds, rss=rss, cpu=cpu)
        (folder / "train" / f"{name}.tsv").write_text(text)
    (folder / "plan.tsv").write_text(BENCHMARK.format(s=0.5, rss="-", cpu=0.2))


def page_of(root, claims=CLAIMS):
    """Make the page of a results folder."""
    return page(root, read_config(CONFIG), claims)
