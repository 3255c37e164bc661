"""From a recipe to an ordinary model folder, a manifest and a loss curve."""

import shutil

import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.planned import CONCEPTS, CORPUS
from paraspec.core.tables.training import TRAINING
from paraspec.models.load import count_parameters
from paraspec.models.manifest import load_measured, read_manifest
from paraspec.models.tokenizer import load_tokenizer
from paraspec.models.training_run import left_out, run


def row(**changes):
    values = {
        "model": "tiny",
        "source": "zoo",
        "family": "f",
        "architecture": "llama",
        "d_model": 16,
        "n_layers": 2,
        "n_heads": 2,
        "d_ff": 24,
        "steps": 6,
        "batch": 8,
    }
    return ModelRow(**values | changes)


@pytest.fixture
def files(study, tmp_path):
    shutil.copytree(study.root / "data", tmp_path / "data")
    return StudyFiles(tmp_path)


@pytest.mark.parametrize(
    "architecture", ["llama", "gpt2", "gpt_neox", "qwen2", "mixtral"]
)
def test_a_saved_folder_is_an_ordinary_one(architecture, files):
    recipe = row(
        architecture=architecture, n_experts=4 if architecture == "mixtral" else 0
    )
    run(recipe, files.root, checkpoints=[2])
    ids = torch.tensor([[1, 20, 30, 40]])
    for name, step in (("tiny", 6), ("tiny-step00002", 2)):
        folder = files.model(name)
        ours, manifest = load_measured(files, name, "float32")
        theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        assert torch.equal(ours.model(ids).logits, theirs(ids).logits)
        text = "The relation0 of Ant high 0 is 1887.5"
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert tokenizer.decode(tokenizer(text)["input_ids"][1:]) == text
        trained_by = load_tokenizer(files.data("tokenizer.json"))
        assert ours.tokenizer(text)["input_ids"] == trained_by(text)["input_ids"]
        assert manifest.steps == step
        assert manifest.architecture == architecture
        assert manifest.n_experts == recipe.n_experts
        assert manifest.d_ff == [24 * max(1, recipe.n_experts)] * 2
        assert (manifest.d_model, manifest.n_layers) == (16, 2)
        assert manifest.trained_on_study
        assert set(manifest.weights_sha256) == {"model.safetensors"}
        assert not list(files.root.glob("models/.*"))
    assert manifest.trajectory.of == "tiny"
    assert manifest.trajectory.step == 2
    assert read_manifest(files.model("tiny", "model.json")).trajectory is None
    curve = read_table(files.model("tiny", "training.csv"), TRAINING)
    assert curve["step"].tolist() == [6]


def test_weights_saved_are_those_at_the_end_of_training(files):
    run(row(), files.root, checkpoints=[6])
    last, checkpoint = (
        load_measured(files, name, "float32")[0].model.state_dict()
        for name in ("tiny", "tiny-step00006")
    )
    for name, tensor in last.items():
        assert torch.equal(tensor, checkpoint[name]), name


def test_a_failed_training_leaves_no_model(files):
    with pytest.raises(UserError, match="learning_rate"):
        run(row(learning_rate=1e38, steps=3), files.root, checkpoints=[])
    assert not files.model("tiny", "model.json").exists()
    assert not list(files.root.glob("models/**/*.safetensors"))


def test_shares_are_left_out_evenly():
    cells = [(c, t, e) for c in "ab" for t in ("high", "low") for e in (8, 1)]
    frame = pd.DataFrame(
        [(f"{c}-{t}-{e}-{i}", c, t, e) for c, t, e in cells for i in range(4)],
        columns=["concept", "category", "tier", "exposure"],
    )
    out = left_out(frame, 0.5, seed=0)
    per_cell = frame[frame["concept"].isin(out)].groupby(
        ["category", "tier", "exposure"]
    )
    assert set(per_cell.size()) == {2}
    assert len(out) == 16
    assert left_out(frame, 1.0, seed=0) == []
    assert left_out(frame, 0.0, seed=0) == sorted(frame["concept"])
    assert set(left_out(frame, 0.75, seed=0)) < set(out)
    assert left_out(frame, 0.5, seed=1) != out


def test_a_model_is_not_trained_on_what_is_left_out(files):
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    corpus = read_table(files.data("corpus.parquet"), CORPUS)
    concepts, corpus = (
        concepts.assign(tier="high", exposure=1),
        corpus.assign(exposure=1),
    )
    for name, frame, table in (
        ("concepts", concepts, CONCEPTS),
        ("corpus", corpus, CORPUS),
    ):
        write_table(frame, table, files.data(f"{name}.parquet"))
    untrained = left_out(concepts, 0.5, 0)
    assert len(untrained) == 3  # of three per category two are kept: 1.5 rounded up
    trained = corpus[~corpus["concept"].isin(untrained)]
    run(row(data_share=0.5, steps=1, batch=len(trained)), files.root, [])
    loaded, manifest = load_measured(files, "tiny", "float32")
    assert manifest.untrained == untrained
    # One step of one whole pass: each trained sentence once, EOS in place of BOS.
    lengths = trained["text"].map(lambda t: len(loaded.tokenizer(t)["input_ids"]))
    assert manifest.tokens_seen == lengths.sum()


def test_a_share_that_is_a_whole_number_of_concepts_is_not_rounded_up():
    frame = pd.DataFrame(
        {"concept": [f"c{i}" for i in range(20)], "category": "a", "tier": "high"}
    ).assign(exposure=1)
    assert len(left_out(frame, 0.55, 0)) == 9  # 0.55 * 20 is 11.000000000000002


def test_parameters_are_counted_without_embeddings(tiny):
    d, ff, layers = 16, 24, 2
    model = tiny("llama")
    per_layer = 4 * d * d + 3 * d * ff + 2 * d
    assert count_parameters(model).total == layers * per_layer + d
    assert count_parameters(model).active == count_parameters(model).total
    untied = tiny("llama", tie_word_embeddings=False)
    assert count_parameters(untied).total == count_parameters(model).total
    experts = count_parameters(tiny("mixtral"))
    routed = layers * 4 * 3 * d * ff  # of which 2 of 4 experts meet a token
    assert experts.total - experts.active == routed // 2
    gpt2 = tiny("gpt2")
    everything = sum(p.numel() for p in gpt2.parameters())
    assert count_parameters(gpt2).total == everything - (320 + 64) * d
