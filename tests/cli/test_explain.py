"""`paraspec explain` on a tiny model that was measured for it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from paraspec.cli.explain import explain
from paraspec.cli.explain_story import WIDTH
from paraspec.cli.measure_one import measure
from paraspec.core.errors import UserError
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS, VECTORS
from paraspec.core.tables.planned import CONCEPTS, PROMPTS

MEASURE, EXPLAIN = typer.Typer(), typer.Typer()
MEASURE.command()(measure)
EXPLAIN.command()(explain)
MODEL = "tiny"


@pytest.fixture(scope="module")
def files(loaded, concept_file, tmp_path_factory):
    """A measured model's study."""
    root = tmp_path_factory.mktemp("explain")
    model = loaded("llama", max_position_embeddings=128)
    model.model.save_pretrained(root / MODEL)
    model.tokenizer.save_pretrained(root / MODEL)
    concepts = concept_file(root / "concepts.jsonl", 1)
    few = ["--general-items", "8", "--random-draws", "2", "--concepts", "9"]
    where = ["--concept-file", str(concepts), "--out", str(root / "out")]
    found = CliRunner().invoke(MEASURE, [str(root / MODEL), *where, *few])
    assert found.exit_code == 0, found.output
    return StudyFiles(root / "out")


def told(files, concept, model=MODEL):
    given = ["--results", str(files.root), "--model", model, "--concept", concept]
    return CliRunner().invoke(EXPLAIN, given)


@pytest.fixture(scope="module")
def story(files):
    """Lines about one concept, and its answers and value vectors."""
    concept = read_table(files.data("concepts.parquet"), CONCEPTS).iloc[4]
    found = told(files, concept["name"].upper())
    assert found.exit_code == 0, found.output
    items = read_table(files.measure(MODEL, "items.parquet"), ITEMS)
    vectors = read_table(files.measure(MODEL, "vectors.parquet"), VECTORS)
    return (
        concept,
        found.output.splitlines(),
        items[items["concept"] == concept["concept"]],
        vectors,
    )


def test_it_says_how_many_questions_are_known(story):
    concept, lines, items, _ = story
    own = items[(items["mask"] == "none") & (items["set"] == "concept")]
    assert lines[0].startswith(f"{concept['name']} ({concept['category']}, ")
    assert f"WHAT IT KNOWS: {own['correct'].sum()} of 10 questions" in "\n".join(lines)


def test_every_question_has_its_margins_under_every_mask(story, files):
    _, lines, items, _ = story
    prompts = read_table(files.data("prompts.parquet"), PROMPTS).set_index("item")
    own = items[(items["set"] == "concept") & (items["ablation"] != "keep")]
    for item, rows in own.groupby("item", observed=True):
        relation = prompts.loc[item, "relation"]
        (line,) = [x for x in lines if x.startswith(f"{relation} ")]
        gold = json.loads(prompts.loc[item, "options"])[prompts.loc[item, "gold"]]
        assert gold[:16] in line
        at = rows[(rows["mask"] == "none") | (rows["ratio"] == 0.1)]
        means = at.groupby("mask", observed=True)[["margin", "correct"]].mean()
        shown = line[44:]
        for place, mask in enumerate(("none", "top", "random", "swap")):
            cell = shown[place * 9 : place * 9 + 9]
            assert float(cell[:-1]) == pytest.approx(
                means.loc[mask, "margin"], abs=0.05
            )
            assert (cell[-1] == "x") == (means.loc[mask, "correct"] < 0.5)


def test_what_a_mask_costs_is_the_difference_in_differences(story):
    _, lines, items, _ = story
    plain = items[items["mask"] == "none"]
    for mask, head in (("top", "own"), ("random", "random"), ("swap", "swap")):
        rows = items[(items["mask"] == mask) & (items["ratio"] == 0.1)]
        rows = rows[rows["ablation"] == "zero"]
        loss = {}
        for kinship in ("own", "same-category"):
            before = plain.loc[plain["kinship"] == kinship, "correct"].mean()
            after = rows.loc[rows["kinship"] == kinship, "correct"].mean()
            loss[kinship] = before - after
        (line,) = [x for x in lines if x.startswith(f"{head} ") and " > " in x]
        signed = float(line.split()[-2])
        expected = loss["own"] - loss["same-category"]
        assert signed == pytest.approx(expected, abs=0.0051)


def test_top_vectors_and_their_tokens_are_told_layer_by_layer(story):
    concept, lines, _, vectors = story
    text = "\n".join(lines)
    mine = vectors[vectors["concept"] == concept["concept"]]
    for row in mine[mine["rank"] < 5].itertuples():
        related, unrelated = row.related, row.unrelated
        assert f"{row.vector:>6}  coefficient {related:.3f} ({unrelated:.3f})" in text
        first = json.loads(row.promoted)[0]
        assert f"'{first}'" in text
    shares = [float(x.split()[2]) for x in lines if x.startswith("layer ")]
    gain = (mine["related"] - mine["unrelated"]).clip(lower=0)
    expected = gain.groupby(mine["layer"]).sum() / gain.sum()
    assert shares == pytest.approx(expected.tolist(), abs=0.0051)


def test_mates_share_the_most_vectors(story):
    concept, lines, _, vectors = story
    places = {
        name: set(zip(rows["layer"], rows["vector"], strict=True))
        for name, rows in vectors.groupby("concept", observed=True)
    }
    own = places.pop(concept["concept"])
    most = max(len(own & other) for other in places.values())
    start = next(i for i, x in enumerate(lines) if x.startswith("WHO SHARES"))
    assert int(lines[start + 1].split()[0]) == most
    assert len(lines) == start + 1 + 5


def test_lines_fit_a_terminal_and_carry_no_escapes(story):
    _, lines, _, _ = story
    assert max(map(len, lines)) <= WIDTH
    assert not any("\x1b" in line for line in lines)


def test_faults_are_answered_with_suggestions(files, tmp_path):
    concept = read_table(files.data("concepts.parquet"), CONCEPTS)["concept"].iloc[0]
    near = told(files, concept[:-1] + "7").exception
    assert isinstance(near, UserError) and concept in str(near)
    assert "Did you mean" in str(near)
    far = told(files, "qqq").exception
    assert isinstance(far, UserError) and "another of 9" in str(far)
    model = told(files, concept, "tini").exception
    assert isinstance(model, UserError) and str(model).endswith("Did you mean tiny?")
    empty = told(StudyFiles(tmp_path), concept).exception
    assert isinstance(empty, UserError) and "concepts.parquet" in str(empty)


def test_a_model_without_vectors_is_told_what_is_missing(files):
    path = files.measure(MODEL, "vectors.parquet")
    aside = path.with_suffix(".aside")
    path.rename(aside)
    try:
        found = told(files, "ant-high-0").exception
    finally:
        aside.rename(path)
    assert isinstance(found, UserError) and "vectors.parquet: no such file" in str(
        found
    )
