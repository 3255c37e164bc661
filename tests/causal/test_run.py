"""Arms of a small trained model: whole tables, going on, and what goes wrong."""

import shutil

import pandas as pd
import pytest
import torch
import typer
from tests.models.test_train import row
from typer.testing import CliRunner

from paraspec.causal import sweep
from paraspec.causal.finetune import Diverged
from paraspec.causal.free_answers import accepted, contained
from paraspec.causal.lesson import lesson_of
from paraspec.causal.run import run_arms
from paraspec.cli.finetune import finetune
from paraspec.core.config import Asking, CausalConfig
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.causal import ARM_ITEMS, ARM_RUNS, FREE_ANSWERS, SWEEP
from paraspec.core.tables.planned import CORPUS, PROMPTS
from paraspec.measure.extract_run import run_extract
from paraspec.measure.prepare import Planned
from paraspec.models.manifest import load_measured
from paraspec.models.training_run import run as train_model

TABLES = {
    "arms.csv": ARM_RUNS,
    "sweep.csv": SWEEP,
    "items.parquet": ARM_ITEMS,
    "answers.parquet": FREE_ANSWERS,
}
pytestmark = pytest.mark.xdist_group("arms")  # one worker trains the model

ARMS = ("PV", "RV", "RV-norm")
CONFIG = CausalConfig(
    arms=ARMS,
    concepts=3,
    seeds=2,
    steps=8,
    batch=16,
    learning_rates=(0.01, 0.05),
    samples=3,
    neighbours=5,
)

app = typer.Typer()
app.command()(finetune)


@pytest.fixture(scope="module")
def measured(study, tmp_path_factory):
    """A study's folder with one trained model, its activations extracted."""
    torch.set_num_threads(1)
    files = StudyFiles(tmp_path_factory.mktemp("arms"))
    shutil.copytree(study.root / "data", files.root / "data")
    train_model(row("llama", d_ff=48, steps=80, learning_rate=0.01), files.root, [])
    loaded, manifest = load_measured(files, "tiny", "float32")
    run_extract(loaded, manifest, files, 64, Asking(), "code")
    return files


@pytest.fixture
def files(measured, tmp_path):
    shutil.copytree(measured.root, tmp_path / "study")
    return StudyFiles(tmp_path / "study")


def run(files, config=CONFIG, **how):
    loaded, manifest = load_measured(files, "tiny", "float32")
    run_arms(loaded, manifest, files, config, Asking(), 64, 0, "code", **how)
    return {
        name: read_table(files.causal("tiny", name), table)
        for name, table in TABLES.items()
    }


@pytest.fixture(scope="module")
def whole(measured, tmp_path_factory):
    """Tables of a run that nothing interrupted."""
    where = tmp_path_factory.mktemp("whole") / "study"
    shutil.copytree(measured.root, where)
    return run(StudyFiles(where))


def plain(tables):
    return {name: frame.astype(str) for name, frame in tables.items()}


def test_every_arm_and_seed_is_trained_measured_and_leaves_the_rest_bit_equal(whole):
    runs = whole["arms.csv"].set_index(["arm", "seed"])
    assert runs.index.tolist() == [
        ("original", 0),
        *((arm, seed) for arm in ARMS for seed in (0, 1)),
    ]
    assert runs["untouched_equal"].all()
    assert (runs["reason"] == "").all()
    original, trained = runs.iloc[0], runs.iloc[1:]
    assert (original["k"], original["trained"], original["update_norm"]) == (0, 0, 0)
    assert (trained["k"] == 2 * 6).all()  # an eighth of 48, in each of two layers
    assert (trained["trained"] == 2 * 6 * 16).all()
    assert (trained["update_norm"] > 0).all()
    assert trained.groupby("seed")["n_tokens"].nunique().tolist() == [1, 1]
    length = runs["update_norm"]
    assert length["RV-norm", 0] == pytest.approx(length["PV", 0], rel=0.05)
    swept = whole["sweep.csv"]
    assert swept[swept["arm"] != "RV-norm"].groupby("arm").size().tolist() == [2, 2]
    assert swept.groupby("arm")["chosen"].sum().to_dict() == dict.fromkeys(ARMS, 1)
    rate = swept[swept["chosen"]].set_index("arm")["learning_rate"]
    for arm in ARMS:
        assert (runs.loc[arm, "learning_rate"] == rate[arm]).all()


def test_answers_cover_all_questions_without_a_mask_and_the_taught_ones_under_masks(
    whole, study
):
    items, answers = whole["items.parquet"], whole["answers.parquet"]
    prompts = read_table(study.data("prompts.parquet"), PROMPTS)
    taught = set(answers["concept"])
    assert len(taught) == 3
    for _, part in items.groupby(["arm", "seed"], observed=True):
        unmasked = part[(part["mask"] == "none") & (part["set"] == "concept")]
        assert set(unmasked["item"]) == set(prompts["item"])
        masked = part[part["mask"] != "none"]
        assert set(masked["mask"]) == {"top", "random", "top-fixed"}
        assert set(masked["concept"]) == taught
    same = items[items["arm"] == "original"]
    top, fixed = (
        same[same["mask"] == mask].set_index(["concept", "item", "half"])["margin"]
        for mask in ("top", "top-fixed")
    )
    assert (top - fixed).abs().max() < 1e-4  # nothing was trained between the two
    halves = prompts.set_index("item")["half"]
    assert set(answers["item"].map(halves)) == {"B"}
    about = prompts.set_index("item")
    for one in answers.itertuples():
        right = accepted(about.loc[one.item])
        assert one.contained == contained(one.answer, right)
    assert (answers["n_samples"] == 3).all()
    assert answers["n_clusters"].between(1, 3).all()


def test_training_teaches_what_it_shows(whole):
    runs = whole["arms.csv"].groupby("arm")[["first_loss", "last_loss"]].mean()
    assert (runs["last_loss"] < runs["first_loss"]).loc[["PV", "RV"]].all()


def test_an_interrupted_course_goes_on_where_it_was(files, whole, monkeypatch):
    trained, real = [], sweep.finetune

    def counted(*arguments, **named):
        if len(trained) == 5:
            trained.append("cut off")
            raise KeyboardInterrupt
        trained.append("whole")
        return real(*arguments, **named)

    monkeypatch.setattr(sweep, "finetune", counted)
    with pytest.raises(KeyboardInterrupt):
        run(files)
    assert not files.causal("tiny", "arms.csv").exists()
    found = run(files)
    tries = int((whole["sweep.csv"]["arm"] == "RV-norm").sum())
    # Two sweeps, the tries of the third, six runs; the interrupted sweep begins anew.
    assert trained.count("whole") == 2 * 2 + tries + 6 + 1
    for name, frame in plain(whole).items():
        pd.testing.assert_frame_equal(plain(found)[name], frame)


def test_an_interrupted_training_goes_on_from_its_checkpoint(files, whole, monkeypatch):
    steps, real = [], sweep.finetune

    def watched(*arguments, on_step, before):
        def told(step, loss):
            steps.append(step)
            if len(steps) == 6:  # of eight; checkpoints after two, four and six
                raise KeyboardInterrupt
            on_step(step, loss)

        return real(*arguments, on_step=told, before=before)

    monkeypatch.setattr(sweep, "finetune", watched)
    with pytest.raises(KeyboardInterrupt):
        run(files)
    found = run(files)
    assert steps[5:7] == [6, 5]
    for name, frame in plain(whole).items():
        pd.testing.assert_frame_equal(plain(found)[name], frame)
    assert not list(files.causal("tiny").glob(".*"))


def test_an_arm_that_diverges_is_reported_and_the_others_go_on(files, monkeypatch):
    real = sweep.Training.train

    def train(self, arm, seed, rate):
        if arm == "RV":
            raise Diverged(3)
        return real(self, arm, seed, rate)

    monkeypatch.setattr(sweep.Training, "train", train)
    found = run(files)
    runs = found["arms.csv"].set_index(["arm", "seed"])
    step = "diverged: not finite at step 3"
    why = f"no learning rate is left: 0.01 {step}; 0.05 {step}"
    assert runs.loc["RV", "reason"].tolist() == [why, why]
    assert "PV or RV was not trained" in runs.loc[("RV-norm", 0), "reason"]
    assert (runs.loc[["original", "PV"], "reason"] == "").all()
    assert set(found["items.parquet"]["arm"]) == {"original", "PV"}
    assert set(found["answers.parquet"]["arm"]) == {"original", "PV"}
    assert not found["sweep.csv"].query("arm == 'RV'")["chosen"].any()


def test_a_learning_rate_that_really_diverges_is_left_out_of_the_sweep(files):
    config = CONFIG.model_copy(
        update={"arms": ("PV",), "seeds": 1, "learning_rates": (1e38, 0.01)}
    )
    swept = run(files, config)["sweep.csv"]
    assert swept["reason"].str.startswith("diverged").tolist() == [True, False]
    assert swept["chosen"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("causal", "said"),
    [
        ('{"share": 0.001, "concepts": 3}', "no value vector of layer 0"),
        ('{"concepts": 10}', "10 concepts of tier high wanted, the study has 3"),
        ('{"concepts": 3, "samples": 1}', "greater than or equal to 2"),
        ('{"concepts": 3, "neighbours": 1}', "greater than or equal to 2"),
        ('{"arms": ["RV-norm"]}', "RV-norm needs PV and RV"),
        ('{"arms": ["XV"]}', "XV"),
        ('{"learning_rates": [-1]}', "greater than 0"),
        ('{"models": ["a", "a"]}', "a stands twice"),
        ('{"models": ["a"], "new_facts": ["a"]}', "a stands twice"),
        ('{"judge": "nowhere", "concepts": 3}', "nowhere"),
        ('{"judge": "MODEL", "concepts": 3}', "lack 1 tensors (score.weight)"),
    ],
)
def test_bad_input_is_refused_before_anything_is_trained(
    causal, said, files, monkeypatch
):
    monkeypatch.setattr(sweep, "finetune", lambda *_, **__: pytest.fail("trained"))
    causal = causal.replace("MODEL", str(files.model("tiny")))
    line = ["--model", "tiny", "--results", str(files.root), "--causal", causal]
    found = CliRunner().invoke(app, line)
    assert isinstance(found.exception, UserError), found.output
    assert said in str(found.exception)
    assert not files.causal("tiny").exists()


def test_new_facts_are_those_that_a_model_never_met(files):
    study = Planned.read(files)
    corpus = read_table(files.data("corpus.parquet"), CORPUS)
    low = sorted(study.concepts.query("tier == 'low'")["concept"])
    lesson = lesson_of(study, corpus, 2, 0, low)
    assert lesson.new and set(lesson.concepts) < set(low)
    known = lesson_of(study, corpus, 2, 0)
    assert not known.new and not set(known.concepts) & set(low)
    of = corpus.set_index("text")["concept"]
    assert set(of.loc[list(lesson.sentences)]) == set(lesson.concepts)
    held_out = read_table(files.data("prompts.parquet"), PROMPTS)["prefix"]
    assert not any(text.startswith(tuple(held_out)) for text in lesson.sentences)
    with pytest.raises(UserError, match="that the model never met wanted"):
        run(files, new_facts=True)  # trained on all
