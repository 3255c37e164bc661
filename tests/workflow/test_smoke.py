"""The whole workflow in miniature: outputs, reruns, interruption, bad input."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from paraspec.core.definitions import CONTROL_MASKS, NON_KNOWLEDGE
from paraspec.core.table import read_table
from paraspec.core.tables.causal import CAUSAL_RUNS, CONTRASTS
from paraspec.core.tables.measured import ITEMS, MASKS
from tests.workflow.conftest import MODELS, Study, jobs

pytestmark = pytest.mark.xdist_group("workflow")

MEASURED = ["llama-s", "gpt2-s", "llama-s-step00000", "llama-s-step00020"]


def test_a_run_ends_with_a_report_and_every_table(finished):
    page = (finished.results / "report.html").read_text()
    claims = pd.read_csv(finished.results / "tables/claims.csv")
    assert len(claims) > 5
    assert all(claim in page for claim in claims["id"])
    assert set(claims["verdict"]) <= {"replicated", "partly", "not", "not testable"}
    models = pd.read_csv(finished.results / "tables/models.csv")
    assert set(models["model"]) == set(MEASURED)


def test_items_are_complete_and_paired(finished):
    path = finished.results / "measure/gpt2-s/items.parquet"
    items = read_table(path, ITEMS)
    assert items["concept"].nunique() == 9 + 2
    keys = ["concept", "item", "selector", "mask", "ablation", "draw", "donor", "ratio"]
    assert not items.duplicated(keys).any()
    at = items[(items["ratio"] == 0.1) & (items["ablation"] != "keep")]
    whole = at[(at["mask"] != "cross") & (at["category"] != NON_KNOWLEDGE)]
    named = ["mask", "selector", "ablation", "draw"]
    asked = whole.groupby(named, observed=True)["item"].count()
    assert set(asked) == {9 * (10 + 20)}
    kinds = {mask for mask, *_ in asked.index}
    assert kinds == {"top", "top-insample", "random", *CONTROL_MASKS}
    crossed = at[at["mask"] == "cross"].groupby("concept", observed=True)
    assert set(crossed["donor"].nunique()) == {8, 9}  # the added ones have 9 others
    # A mask that acts alike gives the same answers, whatever its name.
    swaps = items[(items["mask"] == "swap") & (items["set"] == "concept")]
    same = swaps.merge(
        items[items["mask"] == "cross"], on=["concept", "item", "donor", "half"]
    )
    assert len(same) and (same["margin_x"] == same["margin_y"]).all()


def test_an_untrained_checkpoint_has_fewer_ratios_and_draws(finished):
    path = finished.results / "measure/llama-s-step00000/items.parquet"
    items = read_table(path, ITEMS)
    models = read_table(finished.results / "measure/llama-s/items.parquet", ITEMS)
    drawn = [set(of.loc[of["mask"] == "random", "draw"]) for of in (items, models)]
    assert drawn == [{0}, {0, 1}]
    assert set(items["ratio"]) == {0, 0.05, 0.1}
    assert not (items["ablation"] == "keep").any()
    card = finished.results / "models/llama-s-step00000/model.json"
    facts = json.loads(card.read_text())
    assert facts["steps"] == facts["tokens_seen"] == 0 and facts["loss_nats"] is None


def test_every_mask_is_listed_with_what_it_hits(finished):
    path = finished.results / "measure/gpt2-s/masks.parquet"
    masks = read_table(path, MASKS)
    masks = masks[masks["selector"] != "global"]  # layers of their own k
    none = masks[masks["mask"] == "none"]
    assert (none["active_share"] == 0).all() and (none["reason"] == "").all()
    others = masks[masks["mask"] != "none"]
    assert (others["active_share"] * 32 == others["k"]).all()  # one layer of 32, dense
    assert ((others["k"] == 0) == (others["reason"] != "")).all()


def test_a_second_run_has_nothing_to_do(finished):
    run = finished.snakemake()
    assert "Nothing to be done" in run.stdout + run.stderr


def test_arms_are_in_the_tables_and_nothing_else_of_the_model_changed(finished):
    runs = read_table(finished.results / "tables/causal_runs.csv", CAUSAL_RUNS)
    assert runs["arm"].tolist() == ["original", "PV", "PV", "RV", "RV"]
    assert runs["untouched_equal"].all() and (runs["reason"] == "").all()
    contrasts = read_table(finished.results / "tables/causal_contrasts.csv", CONTRASTS)
    assert set(contrasts["other"]) == {"original", "RV"}
    claims = pd.read_csv(finished.results / "tables/claims.csv").set_index("id")
    assert np.isfinite(claims.loc["fine-tuning-entropy", "estimate"])


@pytest.mark.long
def test_a_further_ratio_answers_only_the_new_questions(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    more = Study(tmp_path)
    values = yaml.safe_load(finished.config.read_text())
    more.write(measure=values["measure"] | {"ratios": [0, 0.05, 0.1, 0.2, 0.4, 0.5]})
    target = "measure/gpt2-s/items.parquet"
    before = read_table(more.results / target, ITEMS)
    run = more.snakemake(target)
    assert run.returncode == 0, run.stdout + run.stderr
    after = read_table(more.results / target, ITEMS)
    log = (more.results / "logs/score/gpt2-s.log").read_text()
    new = int((after["ratio"] == 0.4).sum())
    assert new > 0 and len(after) == len(before) + new
    assert f"{new} answers given, {len(before)} taken from an earlier run" in log


@pytest.mark.long
def test_parts_of_a_model_are_jobs_and_gather_to_the_same_bytes(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    parted = Study(tmp_path)
    target = parted.results / "measure/gpt2-s/items.parquet"
    whole = target.read_bytes()
    target.unlink()
    values = yaml.safe_load(finished.config.read_text())
    parted.write(measure=values["measure"] | {"parts": 2})
    run = parted.snakemake("measure/gpt2-s/items.parquet")
    assert run.returncode == 0, run.stdout + run.stderr
    assert jobs(run.stdout + run.stderr).get("score_part") == 2
    log = (parted.results / "logs/score/gpt2-s.log").read_text()
    assert "0 answers given" in log
    assert target.read_bytes() == whole


def test_models_are_ordinary_folders_with_their_facts(finished):
    manifest = json.loads((finished.results / "models/gpt2-s/model.json").read_text())
    assert manifest["architecture"] == "gpt2"
    assert manifest["d_ff"] == [32]
    assert "model.safetensors" in manifest["files"]


def test_a_model_is_checked_before_it_is_measured(finished):
    for model in MEASURED:
        path = finished.results / "models" / model / "check.json"
        found = json.loads(path.read_text())
        assert found["passed"]
        measured = finished.results / "measure" / model / "activations.safetensors"
        assert path.stat().st_mtime <= measured.stat().st_mtime


def test_a_local_folder_is_measured_like_any_other(finished, tmp_path):
    folder = finished.results / "models/gpt2-s"
    table = MODELS + f"mine\t{folder}\tgpt2" + "\t" * 9 + "\n"
    finished.table.write_text(table)
    try:
        run = finished.snakemake("measure/mine/pss.csv")
    finally:
        finished.table.write_text(MODELS)
    assert run.returncode == 0, run.stdout + run.stderr
    theirs = pd.read_csv(finished.results / "measure/gpt2-s/pss.csv")
    mine = pd.read_csv(finished.results / "measure/mine/pss.csv")
    chosen = '(mask == "top") & (selector == "difference")'
    top = [frame.query(chosen) for frame in (theirs, mine)]
    assert top[0]["pss"].tolist() == top[1]["pss"].tolist()


BAD = {
    "unknown key": ({"sedd": 1}, "sedd"),
    "wrong type": ({"seed": "one"}, "seed"),
    "ratio outside 0..1": (
        {"measure": {"ratios": [0, 1.5], "general_ratios": [0], "keep_ratios": [0.5]}},
        "measure.ratios.1",
    ),
    "no concept file": ({"concepts": {"file": "data/nowhere.jsonl"}}, "nowhere.jsonl"),
}


@pytest.mark.parametrize(("change", "named"), BAD.values(), ids=BAD)
def test_bad_configuration_stops_with_one_message(study, tmp_path, change, named):
    broken = Study(tmp_path)
    broken.table.write_text(MODELS)
    broken.write(**change)
    run = broken.snakemake()
    text = run.stdout + run.stderr
    assert run.returncode == 1
    assert named in text
    assert "Traceback" not in text
    assert not (broken.results / "data").exists()


@pytest.mark.parametrize("name", ["../x", "a b", "a;b", "$(x)"])
def test_unsafe_model_names_are_refused(tmp_path, name):
    broken = Study(tmp_path)
    broken.table.write_text(MODELS.replace("gpt2-s", name))
    broken.write()
    run = broken.snakemake("-n")
    text = run.stdout + run.stderr
    assert run.returncode == 1
    assert "row 2" in text and "model" in text
    assert "Traceback" not in text


def test_too_few_concepts_for_the_tiers_leave_nothing_behind(study, tmp_path):
    broken = Study(tmp_path)
    broken.table.write_text(MODELS)
    shutil.copy(study.folder / "concepts.jsonl", tmp_path / "concepts.jsonl")
    broken.write(
        concepts={"file": str(tmp_path / "concepts.jsonl"), "per_cell": 50},
        study="smoke",
    )
    run = broken.snakemake()
    assert run.returncode == 1
    assert "per_cell" in run.stdout + run.stderr
    assert not list((broken.results / "data").glob("*.parquet"))
