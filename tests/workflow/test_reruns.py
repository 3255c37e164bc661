"""Change one thing, rerun one thing: the exact jobs of every row of README's table.

Settings are changed on the finished smoke study; code and pins in a copy of the
checkout that lies to a copy of the study as the checkout does to the study, so that
every path that a rule names is the same.
"""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS
from tests.workflow.conftest import BASE, MEASURE, MODELS, Study, changed, edited

pytestmark = pytest.mark.xdist_group("workflow")

JUDGED = dict.fromkeys(["judge", "verify", "provenance", "report", "all"], 1)
ACROSS = JUDGED | {"correlate": 1, "figure": 14}
"""Jobs that read all models."""
DRAWN = {"provenance": 1, "report": 1, "all": 1}
"""What follows a new figure."""
PER_MODEL = dict.fromkeys(["check", "extract", "score", "pss", "ablate"], 4)
SCORED = dict.fromkeys(["score", "pss", "ablate"], 4) | {"finetune": 1} | ACROSS
MADE = dict.fromkeys(["plan", "tokenizer", "train", "train_trajectory"], 1)
EVERYTHING = MADE | PER_MODEL | {"finetune": 1} | ACROSS


@contextmanager
def configured(study: Study, **keys):
    """Change top-level keys of a study's configuration, for a while."""
    with changed(study.config, study.config.read_text()):
        study.write(**keys)
        yield


def values(study: Study, key: str) -> dict:
    """A section of the configuration."""
    return yaml.safe_load(study.config.read_text())[key]


def test_another_model_runs_only_its_own_jobs_and_the_cross_model_ones(finished):
    row = "gpt2-t\tzoo\tgpt2\tgpt2\t16\t1\t2\t32\t0\t20\t32\t0.01\n"
    with changed(finished.table, MODELS + row):
        found = finished.planned()
    own = dict.fromkeys(["train", "check", "extract", "score", "pss", "ablate"], 1)
    assert found == own | ACROSS


def test_a_model_less_runs_only_the_cross_model_jobs(finished):
    measure = values(finished, "measure")
    del measure["controls"]  # they were for that model alone
    rest = "".join(line for line in MODELS.splitlines(True) if "gpt2-s" not in line)
    with changed(finished.table, rest), configured(finished, measure=measure):
        assert finished.planned() == ACROSS


def test_a_further_ratio_leaves_training_and_extraction_alone(finished):
    ratios = [0, 0.05, 0.1, 0.2, 0.4, 0.5]
    measure = values(finished, "measure") | {"ratios": ratios}
    with configured(finished, measure=measure):
        found = finished.planned()
    # Checkpoints have ratios of their own.
    assert found == dict.fromkeys(["score", "pss", "ablate"], 2) | ACROSS


def test_changed_arms_rerun_fine_tuning_and_what_reads_it_alone(finished):
    causal = values(finished, "causal") | {"steps": 4}
    with configured(finished, causal=causal):
        assert finished.planned() == {"finetune": 1} | ACROSS


def test_another_seed_runs_everything(finished):
    with configured(finished, seed=1):
        assert finished.planned() == EVERYTHING


def test_touched_files_and_edited_comments_and_docstrings_run_nothing(mirrored):
    source = mirrored.base / "src/paraspec"
    comment = ("WARM_UP_STEPS = 50", "# a comment\nWARM_UP_STEPS = 50  # another")
    text = ('"""Masks as they act', '"""Otherwise worded: masks as they act')
    with (
        edited(source / "models/train.py", *comment),
        edited(source / "measure/applied.py", *text),
        changed(mirrored.config, mirrored.config.read_text() + "# a comment\n"),
    ):
        for path in [*mirrored.base.rglob("*"), *mirrored.folder.glob("*.*")]:
            os.utime(path)
        for path in mirrored.results.glob("data/*"):
            os.utime(path)
        run = mirrored.snakemake("-n")
    assert "Nothing to be done" in run.stdout + run.stderr


def test_a_changed_threshold_judges_again_and_computes_no_statistic(mirrored):
    claims = mirrored.base / "config/claims.yaml"
    with edited(claims, "smallest_effect: 0.5\n", "smallest_effect: 0.6\n"):
        assert mirrored.planned() == JUDGED


def test_a_plot_style_draws_all_figures_and_an_edited_figure_only_itself(mirrored):
    report = mirrored.base / "src/paraspec/report"
    with edited(report / "figures/sizes.py", "NEAR, STEP = 0.35", "NEAR, STEP = 0.36"):
        assert mirrored.planned() == {"figure": 1} | DRAWN
    with edited(report / "style.py", 'MUTED = "#5f6670"', 'MUTED = "#5f6671"'):
        assert mirrored.planned() == {"figure": 14} | DRAWN


def test_an_edit_of_masking_scores_all_models_again_and_extracts_none(mirrored):
    path = mirrored.base / "src/paraspec/measure/applied.py"
    with edited(path, 'mask.ablation == "keep"', 'mask.ablation in ("keep",)'):
        assert mirrored.planned() == SCORED


UPGRADES = {
    "matplotlib": {"figure": 14} | DRAWN,
    "statsmodels": ACROSS,
}


@pytest.mark.parametrize("library", UPGRADES)
def test_an_upgraded_library_reruns_the_steps_that_import_it(mirrored, library):
    envs = mirrored.base / "envs"
    conda = envs / "environment.yaml"  # made from the lock, named by every rule
    with (
        edited(envs / "requirements.lock", f"\n{library}==", f"\n{library}==9."),
        edited(conda, f"- {library}==", f"- {library}==9."),
    ):
        assert mirrored.planned() == UPGRADES[library]


def of_a_local_model(folder: Path, model: Path, concepts: Path) -> Study:
    """A study of one model that was trained elsewhere, with one added concept."""
    made = Study(folder)
    header = MODELS.splitlines()[0]
    made.table.write_text(f"{header}\nmine\t{model}\tgpt2" + "\t" * 9 + "\n")
    added = folder / "added.jsonl"
    added.write_text(ADDED[0])
    controls = {"models": ["mine"], "cross_model": "mine", "draws": 2}
    made.write(
        zoo={"vocab_size": 900},
        causal={},
        concepts={"file": str(concepts), "per_cell": 1, "added": [str(added)]},
        measure={**MEASURE, "controls": controls},
    )
    return made


ADDED = (BASE / "data/non_knowledge.jsonl").read_text().splitlines(keepends=True)
MEASURED = ["items.parquet", "masks.parquet", "collateral.parquet", "pss.csv"]
EXTRACTED = ["activations.safetensors", "statistics.safetensors", "overlap.csv"]


@pytest.mark.long
def test_a_further_concept_is_asked_alone_and_ends_with_the_bytes_of_a_fresh_run(
    finished, tmp_path
):
    made = finished.results / "models/gpt2-s", finished.folder / "concepts.jsonl"
    for name in ("more", "anew"):
        (tmp_path / name).mkdir()
    more = of_a_local_model(tmp_path / "more", *made)
    target = "measure/mine/pss.csv"
    run = more.snakemake(target)
    assert run.returncode == 0, run.stdout + run.stderr
    before = read_table(more.results / "measure/mine/items.parquet", ITEMS)
    (more.folder / "added.jsonl").write_text(ADDED[0] + ADDED[1])
    own = dict.fromkeys(["plan", "extract", "score", "pss", "ablate"], 1)
    assert more.planned() == own | ACROSS
    assert more.snakemake(target).returncode == 0
    after = read_table(more.results / "measure/mine/items.parquet", ITEMS)
    n_new = len(after) - len(before)
    log = (more.results / "logs/score/mine.log").read_text()
    assert f"{n_new} answers given, {len(before)} taken from an earlier run" in log
    log = (more.results / "logs/extract/mine.log").read_text()
    assert "activations of 1 concepts read, of 10 taken over" in log
    assert "statistics of 1 concepts read, of 10 taken over" in log
    assert (~after["concept"].isin(before["concept"].unique())).sum() == n_new > 0
    anew = of_a_local_model(tmp_path / "anew", *made)
    (anew.folder / "added.jsonl").write_text(ADDED[0] + ADDED[1])
    assert anew.snakemake(target).returncode == 0
    for name in [*MEASURED, *EXTRACTED]:
        both = [study.results / "measure/mine" / name for study in (more, anew)]
        assert both[0].read_bytes() == both[1].read_bytes(), name
