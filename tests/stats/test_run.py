"""The whole room on a made-up study, by function and by command line."""

import json
import shutil
from dataclasses import replace
from types import NoneType

import numpy as np
import pytest
import typer
from scipy import stats
from tests.judged import with_verdicts
from tests.stats.conftest import CLAIMS, DRAWS, TUNED
from tests.synthetic import Fake
from tests.synthetic_study import write_study
from typer.testing import CliRunner

from paraspec.cli import stats as commands
from paraspec.core.definitions import CONTROL_MASKS
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.table import checked, read_table, write_table
from paraspec.core.tables.across_models import MODELS
from paraspec.core.tables.causal import CAUSAL, CONTRASTS
from paraspec.core.tables.induced import INDUCED
from paraspec.core.tables.judged import CLAIMS as CLAIMED
from paraspec.stats.correlations import correlations_table
from paraspec.stats.evidence_files import read_evidence
from paraspec.stats.items import MaskKind
from paraspec.stats.judging import judge_study
from paraspec.stats.run import TABLES, read_study, study_tables, write_tables
from paraspec.stats.summary import models_table
from paraspec.stats.tails import Drawn, Student


def test_every_table_is_as_described(found):
    for table in TABLES:
        rows = checked(found[table.name], table)
        assert len(rows) > 0 or table is INDUCED  # no model here has a mechanism


def test_checkpoints_and_experts_stay_out_of_the_primary_analysis(found, study):
    assert len(study.records) == 22
    assert len(study.models) == 14
    assert len(study.primary_models) == 11
    rows = found["correlations"]
    rows = rows[~rows["against"].isin(["released", "mmlu"])]
    n = rows.groupby("models")["n"].unique()
    assert (n["dense"].tolist(), n["all"].tolist()) == ([11], [14])
    assert not found["sizes"]["model"].str.contains("step").any()


def test_the_headline_is_scipys_correlation_of_the_models_table(found):
    models = found["models"]
    dense = models[models["in_primary"]]
    row = found["correlations"].set_index("id").loc["pss.accuracy.same.pearson.dense"]
    theirs = stats.pearsonr(dense["accuracy"], dense["pss"])
    assert row["estimate"] == pytest.approx(theirs.statistic, abs=1e-4)
    assert row["p"] == pytest.approx(theirs.pvalue, rel=1e-2)


def test_disjoint_halves_use_disjoint_items(found, study, items_of):
    rs = []
    for a, b in (("A", "B"), ("B", "A")):
        x, y = [], []
        for record in study.primary_models:
            items = items_of(record.card.model)
            own = items[items["set"] == "concept"]
            plain = own[(own["mask"] == "none") & (own["half"] == a)]
            x.append(plain["correct"].mean())
            y.append(study.effects(record, "top", half=b).signed_floor[0])
        rs.append(np.corrcoef(x, y)[0, 1])
    name = "signed_floor.accuracy.disjoint.pearson.dense"
    row = found["correlations"].set_index("id").loc[name]
    assert row["estimate"] == pytest.approx(np.tanh(np.arctanh(rs).mean()))


def test_a_model_at_chance_leaves_the_others_their_correlation(tmp_path):
    fakes = [
        Fake(f"m{i}", "fg"[i % 2], 5000, knows, 0.3 * knows)
        for i, knows in enumerate((0.2, 0.5, 0.7, 0.8, 0.9))
    ]
    names = write_study(tmp_path, fakes, n_concepts=18, draws=100)
    study = read_study(tmp_path, names, 100, 0)
    rows = correlations_table(study).frame.set_index("id")
    undefined = [study.effects(r, "top").pss_chance[0] for r in study.records]
    assert np.isnan(undefined).tolist() == [True, False, False, False, False]
    row = rows.loc["pss_chance.accuracy.same.pearson.dense"]
    accuracy = [study.accuracy(r)[0] for r in study.records]
    assert row["n"] == 4
    expected = np.corrcoef(accuracy[1:], undefined[1:])[0, 1]
    assert row["estimate"] == pytest.approx(expected)
    assert rows.loc["pss.accuracy.same.pearson.dense", "n"] == 5


def test_models_with_fewer_than_eight_families_are_descriptive(found):
    rows = found["correlations"].set_index("method")
    assert rows.loc["family-bootstrap", "descriptive"].all()
    assert not rows.loc["pearson", "descriptive"].any()


def test_the_made_up_effects_are_found(found):
    verdicts = found["claims"].set_index("id")["verdict"]
    assert verdicts["models-disjoint"] == "replicated"
    assert verdicts["specific-beyond-random"] == "replicated"
    assert verdicts["specific-beyond-swap"] == "replicated"
    assert verdicts["trajectory"] == "replicated"
    assert verdicts["unrelated-improve"] == "not"
    assert verdicts["frequency-exposure"] in ("replicated", "partly")
    assert verdicts["frequency-tier"] == "not testable"
    for name in ("entropy", "dimension", "specialises"):
        assert verdicts[f"fine-tuning-{name}"] == "replicated"
    for name in ("fine-tuning", "fine-tuning-parameters"):
        assert verdicts[name] in ("replicated", "partly")


def test_size_and_tokens_are_held_constant_where_tokens_are_known(found, study):
    rows = found["correlations"].set_index("id")
    models = found["models"][found["models"]["in_primary"]].astype({"tokens": float})
    columns = np.log2(models[["parameters_total", "tokens"]].to_numpy(np.float64))
    held = np.column_stack([np.ones(len(models)), columns])
    x, y = (
        values - held @ np.linalg.lstsq(held, values, rcond=None)[0]
        for values in models[["accuracy", "pss"]].to_numpy().T
    )
    row = rows.loc["pss.accuracy.same.partial-tokens.dense"]
    assert row["estimate"] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-3)
    unknown = replace(
        study,
        records=tuple(
            replace(r, card=r.card.model_copy(update={"tokens_seen": 0}))
            for r in study.records
        ),
    )
    row = correlations_table(unknown).frame.set_index("id").loc[row.name]
    assert np.isnan(row["estimate"])
    assert row["reason"] == "training tokens are known of 0 models only"


def test_grids_are_corrected_within_method_and_models(found):
    rows = found["correlations"]
    for _, grid in rows.groupby(["method", "models"]):
        p = grid["p"].dropna()
        if len(p):
            expected = stats.false_discovery_control(p)
            assert grid.loc[p.index, "p_bh"].to_numpy() == pytest.approx(expected)
    assert (rows["p_bh"].isna() == rows["p"].isna()).all()


def test_random_masks_give_the_null_of_the_headline(found, study):
    row = found["correlations"].set_index("id").loc[NULL]
    effects = [
        study.draw_effects(r, MaskKind("random", "random")).pss
        for r in study.primary_models
    ]
    accuracy = [study.accuracy(r)[0] for r in study.primary_models]
    rng = np.random.default_rng(1)
    null = [
        np.corrcoef(accuracy, [rng.choice(one) for one in effects])[0, 1]
        for _ in range(2000)
    ]
    ends = np.quantile(null, [0.025, 0.975])
    assert (row["estimate_low"], row["estimate_high"]) == pytest.approx(ends, abs=0.1)
    assert row["p"] < 0.05  # made up: the top mask's PSS rises with accuracy


NULL = "pss.accuracy.same.random-mask-null.dense"


def test_the_model_table_tells_dates_and_scores(folder, names, tmp_path):
    table = tmp_path / "models.tsv"
    head = "model\tsource\trevision\tfamily\treleased\tmmlu\tmmlu_source\n"
    rows = [
        f"{name}\thub:a/{name}\tmain\tf\t20{10 + i}-07-02\t{40 + i}\tpaper\n"
        for i, name in enumerate(sorted(n for n in names if "step" not in n)[:6])
    ]
    table.write_text(head + "".join(rows))
    study = read_study(folder, names, 100, 0, table=table)
    models = models_table(study)
    known = models[models["mmlu"].notna() & models["in_primary"]]
    assert set(known["released"].str[-5:]) == {"07-02"}
    rows = correlations_table(study).frame.set_index("id")
    row = rows.loc["pss.mmlu.same.pearson.dense"]
    theirs = stats.pearsonr(known["mmlu"], known["pss"])
    assert row["n"] == len(known)
    assert row["estimate"] == pytest.approx(theirs.statistic, abs=1e-4)
    years = known["released"].str[:4].astype(int)
    theirs = stats.pearsonr(years, known["pss"])
    row = rows.loc["pss.released.same.pearson.dense"]
    assert row["estimate"] == pytest.approx(theirs.statistic, abs=1e-3)


def test_claims_without_data_are_not_testable_by_it(found):
    claims = found["claims"].set_index("id")
    for name, fact in (("newer-models", "released"), ("benchmark", "mmlu")):
        row = claims.loc[name]
        assert row["verdict"] == "not testable"
        assert row["reason"].startswith(f"{fact} is known of 0 models")


def test_known_items_are_those_that_are_right_without_a_mask(found, items_of):
    models = found["models"].set_index("model")
    names = list(models.index[~models["checkpoint"]])
    knows_half = models["n_known"] >= models["n_concepts"] / 2
    right, rows = {}, {}
    for name in names:
        items = items_of(name)
        plain = items[items["mask"] == "none"].set_index(["concept", "item"])
        right[name] = plain["correct"]
        top = items[(items["mask"] == "top") & (items["selector"] == "difference")]
        top = top[np.isclose(top["ratio"], models.loc[name, "primary_ratio"])]
        top = top[(top["ablation"] == "zero") & (top["kinship"] != "other-category")]
        rows[name] = top.set_index(["concept", "item"])

    def lost(name, wanted):
        frame = rows[name][wanted.reindex(rows[name].index).to_numpy()]
        share = 1 - frame.groupby("kinship", observed=True)["correct"].mean()
        return share["own"] - share["same-category"]

    for name in ("llama-128", "gpt2-16"):
        row = models.loc[name]
        assert row["signed_known"] == pytest.approx(lost(name, right[name]))
        own = right[name][rows[name].index[rows[name]["kinship"] == "own"]]
        assert row["n_known_items"] == own.sum()
    by_all = None
    for name in names:
        if knows_half[name]:
            each = right[name].groupby("item", observed=True).first()
            by_all = each if by_all is None else by_all & each
    row = models.loc["llama-128"]
    items = right["llama-128"].index.get_level_values("item")
    wanted = right["llama-128"].copy()
    wanted[:] = by_all.reindex(items.astype(str)).to_numpy()
    assert row["signed_known_by_all"] == pytest.approx(lost("llama-128", wanted))
    assert 0 < row["n_known_by_all_items"] < row["n_known_items"]
    assert not knows_half["gpt2-16"]
    assert np.isnan(models.loc["gpt2-16", "signed_known_by_all"])


def test_curves_start_at_the_unmasked_model(found):
    starts = found["curves"][found["curves"]["ratio"] == 0]
    spread = starts.groupby(["model", "set", "kinship"])["accuracy"].nunique()
    assert (spread == 1).all()
    masks = {"top", "top-insample", "random", *CONTROL_MASKS}
    assert set(found["curves"]["mask"]) == masks


def test_never_seen_concepts_are_the_positive_control(found):
    models = found["models"].set_index("model")
    assert models.loc["llama-128", "never_seen_gap"] > 0.4
    assert models.loc["llama-16", "n_known_shared"] > 0
    assert np.isnan(models.loc["llama-16", "k50_shared_top"])
    row = models.loc["llama-128"]
    assert row["k50_shared_top"] < row["k50_shared_random"]


def test_verdicts_from_the_written_evidence_are_the_same_bytes(
    computed, found, tmp_path
):
    write_tables(tmp_path, computed)
    files = StudyFiles(tmp_path)
    judge_study(tmp_path, CLAIMS)
    read = read_evidence(files)
    assert list(read) == list(computed.evidence)
    assert {type(each.tails) for each in read.values()} == {Drawn, Student, NoneType}
    direct = tmp_path / "direct.csv"
    write_table(found["claims"], CLAIMED, direct)
    assert files.table("claims.csv").read_bytes() == direct.read_bytes()


def test_a_claim_on_an_unknown_statistic_is_refused_when_judged(computed, tmp_path):
    write_tables(tmp_path, computed)
    claims = tmp_path / "claims.yaml"
    named = CLAIMS.read_text().replace("statistic: pss.", "statistic: pps.", 1)
    assert named != CLAIMS.read_text()
    claims.write_text(named)
    with pytest.raises(UserError, match="there is no statistic"):
        judge_study(tmp_path, claims)
    assert not StudyFiles(tmp_path).table("metrics.json").exists()


def test_written_metrics_are_flat_json_without_nan(computed, found, tmp_path):
    write_tables(tmp_path, computed)
    judge_study(tmp_path, CLAIMS)
    text = StudyFiles(tmp_path).table("metrics.json").read_text()
    values = json.loads(text)
    assert "NaN" not in text
    assert all(v is None or isinstance(v, int | float) for v in values.values())
    assert values["n_models"] == 14
    verdicts = [v for k, v in values.items() if k.startswith("n_claims")]
    assert sum(verdicts) == len(found["claims"])
    models = read_table(StudyFiles(tmp_path).table("models.csv"), MODELS)
    assert models["model"].tolist() == found["models"]["model"].tolist()


def small(n):
    return [Fake(f"m{i}", "f", 5000, 0.6, 0.2, seed=i) for i in range(n)]


@pytest.mark.parametrize(
    ("n_models", "knows"), [(1, 0.6), (2, 0.6), (3, 0.6), (3, 0.0), (3, 1.0)]
)
def test_tiny_and_degenerate_studies_give_reasons_and_no_crash(
    tmp_path, n_models, knows
):
    fakes = [Fake(f"m{i}", "f", 5000, knows, 0.2) for i in range(n_models)]
    names = write_study(tmp_path, fakes, n_concepts=9, draws=100)
    study = read_study(tmp_path, names, 100, 0)
    computed = study_tables(study)
    write_tables(tmp_path, computed)
    found = with_verdicts(computed)
    rows = found["correlations"]
    undefined = rows[rows["estimate"].isna()]
    assert (undefined["reason"] != "").all()
    estimates = found["estimates"]
    assert (estimates.loc[estimates["estimate_low"].isna(), "reason"] != "").all()
    if n_models < 3:
        assert (found["claims"]["verdict"] == "not testable").all()
        assert "n = " in found["claims"].iloc[0]["reason"]


def test_bad_model_files_are_named(tmp_path):
    names = write_study(tmp_path, small(1), n_concepts=9, draws=100)
    path = StudyFiles(tmp_path).model(names[0], "model.json")
    good = json.loads(path.read_text())
    for text, part in (
        (json.dumps({k: v for k, v in good.items() if k != "family"}), "key family"),
        (json.dumps(good | {"n_experts": -1}), "key n_experts"),
        ("[1]", "not a JSON object"),
        ("{", "not a JSON object"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=part):
            read_study(tmp_path, names, 100, 0)
    with pytest.raises(UserError, match="no such file"):
        read_study(tmp_path, ["absent"], 100, 0)


@pytest.fixture
def app():
    made = typer.Typer()
    for name in ("pss", "ablate", "correlate", "judge", "verify"):
        made.command(name)(getattr(commands, name))
    return made


def test_the_commands_chain(app, folder, names, tmp_path):
    root = tmp_path / "study"
    shutil.copytree(folder, root)
    files = StudyFiles(root)
    some = names[:3]

    def run(*arguments):
        found = CliRunner().invoke(app, [str(a) for a in arguments])
        assert found.exception is None or isinstance(found.exception, SystemExit)
        return found

    for name in some:
        items = files.measure(name, "items.parquet")
        before = files.measure(name, "pss.csv").read_text()
        run("pss", items, "--out", files.measure(name, "pss.csv"), "--draws", DRAWS)
        run("ablate", items, "--out", files.measure(name, "efficiency.csv"))
        assert files.measure(name, "pss.csv").read_text() == before
    models = [part for name in some for part in ("--model", name)]
    shared = ("--results", root)
    done = run("correlate", *shared, *models, "--draws", 100)
    assert done.exit_code == 0
    assert run("judge", *shared, "--claims", CLAIMS).exit_code == 0
    assert {f"{t.name}.csv" for t in TABLES} <= {
        path.name for path in (root / "tables").iterdir()
    }
    assert read_table(files.table("causal.csv"), CAUSAL).empty
    claims = read_table(files.table("claims.csv"), CLAIMED).set_index("id")
    for name in ("fine-tuning", "fine-tuning-entropy"):
        assert claims.loc[name, "verdict"] == "not testable"
        assert claims.loc[name, "reason"].startswith("no model was fine-tuned")
    tuned = ("--draws", 100, "--fine-tuned", TUNED)
    run("correlate", *shared, *models, *tuned)
    assert len(read_table(files.table("causal.csv"), CAUSAL))
    assert len(read_table(files.table("causal_contrasts.csv"), CONTRASTS))
    rules = ("--tolerances", CLAIMS.with_name("verify.yaml"))
    reference = tmp_path / "reference"
    absent = run("verify", *shared, "--reference", reference, *rules)
    assert absent.exit_code == 0
    assert "no such table in the reference" in absent.output
    shutil.copytree(root / "tables", reference)
    same = run("verify", *shared, "--reference", reference, *rules, "--strict")
    assert same.exit_code == 0
    assert "same as the reference" in same.output
    (reference / "claims.csv").unlink()
    assert run(
        "verify", *shared, "--reference", reference, *rules, "--strict"
    ).exit_code
    assert files.table("verify.csv").is_file()
