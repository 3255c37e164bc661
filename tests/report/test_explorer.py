"""The explorer tells what the tables hold, in a small text."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.measured import ITEMS, VECTORS
from paraspec.report import explorer as module
from paraspec.report.explorer import explorer

MODEL = "llama-64-s1"


@pytest.fixture(scope="module")
def made(root, drawn):
    return explorer(root, drawn)


@pytest.fixture(scope="module")
def data(made):
    return json.loads(made.text)


@pytest.fixture(scope="module")
def model(data):
    return next(each for each in data["models"] if each["name"] == MODEL)


@pytest.fixture(scope="module")
def items(root, drawn):
    """Own items of the model: unmasked, and at the primary ratio."""
    frame = read_table(StudyFiles(root).measure(MODEL, "items.parquet"), ITEMS)
    primary = drawn.final.set_index("model").loc[MODEL, "primary_ratio"]
    own = (frame["set"] == "concept") & frame["ratio"].isin([0, primary])
    return frame[own].astype({"item": str, "concept": str})


def questions_of(data, concept):
    place = [row[0] for row in data["concepts"]].index(concept)
    return [i for i, question in enumerate(data["questions"]) if question[0] == place]


@pytest.mark.parametrize(("mask", "key"), [("none", "before"), ("top", "top")])
def test_questions_right_are_those_of_the_items(mask, key, data, model, items):
    chosen = items[(items["mask"] == mask) & items["ablation"].isin(["-", "zero"])]
    chosen = chosen[chosen["selector"].isin(["-", "difference"])]
    for concept, rows in chosen.groupby("concept"):
        right = sum(
            model[key][i] == str(data["questions"][i][3])
            for i in questions_of(data, concept)
        )
        assert right == rows["correct"].sum()


def test_a_right_answer_is_the_gold_option_and_a_wrong_one_what_was_said():
    questions = pd.DataFrame({"item": ["i", "j", "k"], "gold": [2, 0, 1]})
    answers = pd.DataFrame(
        {
            "item": ["i", "j", "i", "i"],
            "mask": ["none", "none", "random", "random"],
            "draw": [0, 0, 0, 1],
            "correct": [True, False, True, True],
            "predicted": [2, 3, 2, 2],
            "margin": [1.26, -0.5, 0.0, 0.0],
        }
    )
    found = module._answers(answers, questions)
    assert found["before"] == "23-"
    assert found["top"] == "---"
    assert found["before_margin"] == [13, -5, 0]
    assert found["random"] == "2--"
    assert found["draws"] == 2


def test_random_counts_draws(data, model, items):
    random = items[(items["mask"] == "random") & (items["ablation"] == "zero")]
    counts = random.groupby(["concept"])["correct"].sum()
    for concept, count in counts.items():
        digits = [model["random"][i] for i in questions_of(data, concept)]
        assert sum(map(int, digits)) == count
    assert model["draws"] == 4


def test_vectors_are_the_tables_first_ones(root, data, model):
    table = read_table(StudyFiles(root).measure(MODEL, "vectors.parquet"), VECTORS)
    for place, (concept, *_) in enumerate(data["concepts"]):
        rows = table[(table["concept"] == concept) & (table["rank"] < 5)]
        rows = rows.sort_values(["layer", "rank"])
        found = model["vectors"][place]
        assert [row[:2] for row in found] == rows[["layer", "vector"]].values.tolist()
        assert [row[2] / 1000 for row in found] == pytest.approx(
            rows["related"].tolist(), abs=6e-4
        )
        assert [[data["tokens"][t] for t in row[4]] for row in found] == [
            json.loads(promoted) for promoted in rows["promoted"]
        ]


def test_no_question_and_no_token_stands_twice(data):
    assert len(data["tokens"]) == len(set(data["tokens"]))
    assert len(data["questions"]) == 10 * len(data["concepts"])


def test_markup_in_a_question_cannot_end_the_script():
    assert "<" not in module._packed({"a": "</script><b>"})
    assert json.loads(module._packed({"a": "</script>"})) == {"a": "</script>"}


def test_a_page_too_large_keeps_models_that_span_the_accuracies(
    root, drawn, made, monkeypatch
):
    monkeypatch.setattr(module, "LARGEST", len(made.text) // 2)
    small = explorer(root, drawn)
    assert len(small.text) < len(made.text)
    assert small.left_out == len(made.models) - len(small.models) > 0
    assert {small.models[0], small.models[-1]} == {made.models[0], made.models[-1]}
    monkeypatch.setattr(module, "LARGEST", 1)
    assert len(explorer(root, drawn).models) == 1


def test_the_page_of_a_miniature_stays_small(html, data):
    """What a concept costs, counted up to 30 models of 70 concepts and 4 layers."""
    per_concept = len(json.dumps(data["models"])) / len(data["models"])
    per_concept /= len(data["concepts"])
    assert per_concept * 2 * 30 * 70 < module.LARGEST
    assert len(html.encode()) < 10e6 - module.LARGEST


def test_a_model_without_masks_is_still_shown(copy, drawn):
    files = StudyFiles(copy)
    path = files.measure(MODEL, "items.parquet")
    frame = read_table(path, ITEMS)
    write_table(frame[frame["mask"] == "none"], ITEMS, path)
    data = json.loads(explorer(copy, drawn).text)
    model = next(each for each in data["models"] if each["name"] == MODEL)
    assert set(model["top"]) == {"-"}
    assert model["draws"] == 0
    assert not any(math.isnan(value) for value in np.ravel(model["top_margin"]))
