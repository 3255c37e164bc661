"""Neutral text: of unmet facts or everyday prose, and of no concept of the study."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from paraspec.core.errors import UserError
from paraspec.core.table import checked
from paraspec.core.tables.planned import NEUTRAL
from paraspec.data.neutral import (
    MOST_SENTENCES,
    fact_sentences,
    neutral_table,
    read_sentences,
)
from paraspec.data.plan_run import run_plan

PROSE = Path("data/neutral.txt")


@pytest.fixture
def planned(tmp_path, concept_file):
    pool = concept_file(tmp_path / "pool.jsonl", 2)

    def run(per_cell, *, trained=True, prose=PROSE, seed=0):
        run_plan(
            *(pool, [], tmp_path / "out", per_cell, 8, (1,), seed),
            trained=trained,
            prose=prose,
        )
        return pd.read_parquet(tmp_path / "out/data/neutral.parquet")["text"].tolist()

    return run


def test_sentences_state_true_facts_in_a_wording_of_theirs(made_up):
    concepts = made_up(1)
    stated = {
        f"{statement} {q.options[q.gold]}."
        for c in concepts
        for q in c.questions
        for statement in q.statements
    }
    sentences = fact_sentences(concepts, seed=0)
    assert len(sentences) == len(set(sentences)) == 90
    assert set(sentences) <= stated


def test_any_number_of_first_sentences_is_spread_over_categories_and_relations(
    made_up,
):
    sentences = fact_sentences(made_up(2), seed=0)[:30]
    categories = Counter(re.findall("Ant|Bee|Cow", " ".join(sentences)))
    relations = Counter(re.findall("relation[0-9]", " ".join(sentences)))
    assert categories == {"Ant": 10, "Bee": 10, "Cow": 10}
    assert set(relations.values()) == {3} and len(relations) == 10


def test_the_seed_draws_wordings_and_order_and_the_file_s_order_does_not_matter(
    made_up,
):
    concepts = made_up(2)
    assert fact_sentences(concepts, 0) == fact_sentences(concepts[::-1], 0)
    assert fact_sentences(concepts, 0) != fact_sentences(concepts, 1)


def test_sentences_that_name_a_concept_are_left_out(made_up):
    concept = made_up(1)[0].model_copy(update={"name": "Côte d'Or"})
    kept = ["Nothing else.", "Cote d'Oran is another word."]
    sentences = [*kept, "The capital of cote d'or is small.", kept[0]]
    frame = checked(neutral_table(sentences, [concept]), NEUTRAL)
    assert frame["text"].tolist() == kept


def test_there_are_at_most_two_hundred(made_up):
    sentences = fact_sentences(made_up(3), seed=0)
    frame = neutral_table(sentences, made_up(1, ("dog",)))
    assert frame["text"].tolist() == sentences[:MOST_SENTENCES]


def test_prose_is_plain_and_names_no_concept_of_the_factbook(factbook):
    sentences = read_sentences(PROSE)
    assert len(sentences) >= 60
    assert len(neutral_table(sentences, factbook.concepts)) == len(sentences)
    assert all(re.fullmatch(r"[A-Z][A-Za-z ,'-]+\.", text) for text in sentences)


def test_a_study_that_trains_its_models_reads_facts_never_met(planned):
    assert all("relation" in text for text in planned(1))


def test_other_studies_read_prose(planned):
    prose = read_sentences(PROSE)
    assert planned(1, trained=False) == prose
    assert planned(0) == prose  # all concepts are asked: none is left that is unmet
    assert planned(0, prose=None) == []


def test_a_missing_file_is_a_user_error(planned, tmp_path):
    with pytest.raises(UserError, match="one sentence to a line"):
        planned(0, prose=tmp_path / "none.txt")
