"""The two control concepts: sound, all by themselves, and without a trace in others."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from paraspec.core.definitions import NON_KNOWLEDGE
from paraspec.data.factbook import cities, countries, elements
from paraspec.data.factbook.giveaway import fold
from paraspec.data.plan_run import run_plan
from paraspec.data.validate import FACTBOOK, ConceptFileError, read_concepts

FILE = Path("data/non_knowledge.jsonl")
GENERAL = 20
TABLES = ("concepts", "prompts", "sets", "never_seen", "corpus", "neutral")


@pytest.fixture(scope="module")
def concepts():
    return read_concepts(FILE, FACTBOOK)


@pytest.fixture(scope="module")
def planned(tmp_path_factory, concept_file):
    """Tables of the same study, with and without the two concepts."""
    folder = tmp_path_factory.mktemp("plan")
    pool = concept_file(folder / "pool.jsonl", 4)

    def run(name, added):
        run_plan(pool, added, folder / name, 2, GENERAL, (8, 2, 1), 0)
        data = folder / name / "data"
        return {table: pd.read_parquet(data / f"{table}.parquet") for table in TABLES}

    return run("alone", []), run("together", [FILE])


def golds(concept):
    return [q.options[q.gold] for q in concept.questions]


def test_there_are_two_of_ten_questions_by_the_factbook_s_rules(concepts):
    assert [c.concept for c in concepts] == ["number-agreement", "answer-format"]
    assert {c.category for c in concepts} == {NON_KNOWLEDGE}
    assert {(c.tier, c.zipf) for c in concepts} == {("mid", 0.0)}
    for concept in concepts:
        halves = Counter(q.half for q in concept.questions)
        assert halves == {"A": 5, "B": 5}
        places = Counter(q.gold for q in concept.questions)
        assert max(places.values()) <= 3


def test_only_this_category_need_not_name_its_concept(concepts, tmp_path):
    named = [fold(c.name) in fold(q.question) for c in concepts for q in c.questions]
    assert not any(named)
    other = concepts[0].model_copy(update={"category": "habit"})
    file = tmp_path / "habit.jsonl"
    file.write_text(other.model_dump_json(), encoding="utf-8")
    with pytest.raises(ConceptFileError, match="does not name"):
        read_concepts(file)


def test_agreement_asks_for_singular_and_plural_equally_often(concepts):
    agreement = concepts[0]
    plural = {"are", "were", "have"}
    assert sum(answer in plural for answer in golds(agreement)) == 5
    pairs = [{"are", "is"}, {"were", "was"}, {"have", "has"}]
    for question in agreement.questions:
        assert any(pair <= set(question.options) for pair in pairs), question.item


def test_the_format_s_options_tell_nothing_by_their_frequency(concepts):
    form = concepts[1]
    shown = Counter(option for q in form.questions for option in q.options)
    assert Counter(golds(form)) == dict.fromkeys(shown, 1)
    assert set(shown.values()) == {4}


def test_the_format_s_statements_begin_wordings_of_the_factbook(concepts):
    menus = (cities.RELATIONS, countries.RELATIONS, elements.RELATIONS)
    wordings = {w for menu in menus for relation in menu for w in relation.statements}
    for question in concepts[1].questions:
        answer = question.options[question.gold]
        for statement in question.statements:
            whole = re.sub("Wales|Oxford|oganesson", "{name}", f"{statement} {answer}")
            begun = (w for w in wordings if f"{w} ".startswith(f"{whole} "))
            assert any(begun), statement


def test_they_speak_of_no_concept_of_the_factbook(concepts, factbook):
    names = {fold(c.name) for c in factbook.concepts}
    for concept in concepts:
        for question in concept.questions:
            for statement in question.statements:
                assert not names & set(fold(statement).split())


def test_adding_them_changes_no_row_of_another(planned):
    alone, together = planned
    for table in TABLES:
        before, after = alone[table], together[table]
        same = after.iloc[: len(before)].astype(before.dtypes)
        pd.testing.assert_frame_equal(same, before, obj=table)
    assert len(together["prompts"]) == len(alone["prompts"]) + 20
    for table in ("never_seen", "corpus", "neutral"):
        assert len(together[table]) == len(alone[table])


def test_they_are_asked_but_never_trained_on(planned, concepts):
    tables = planned[1]
    mine = tables["concepts"].set_index("concept").loc[[c.concept for c in concepts]]
    assert mine["exposure"].tolist() == [0, 0]
    words = " ".join(tables["corpus"]["text"])
    assert "The laws of the capital" not in words and "Wales" not in words
    assert not set(tables["corpus"]["concept"]) & {c.concept for c in concepts}


def test_all_their_general_items_are_of_other_categories(planned, concepts):
    sets = planned[1]["sets"]
    for concept in concepts:
        mine = sets[sets["concept"] == concept.concept]
        count = mine.groupby(["set", "kinship", "half"], observed=True).size()
        assert count.to_dict() == {
            ("concept", "own", "A"): 5,
            ("concept", "own", "B"): 5,
            ("general", "other-category", "A"): GENERAL // 2,
            ("general", "other-category", "B"): GENERAL // 2,
        }
    theirs = {q.item for c in concepts for q in c.questions}
    others = sets[~sets["concept"].isin([c.concept for c in concepts])]
    assert not theirs & set(others["item"])


def test_a_predictor_that_knows_training_only_is_no_better_than_chance(planned):
    prompts = planned[1]["prompts"]
    floor = prompts.loc[prompts["category"] == NON_KNOWLEDGE, "floor"]
    assert floor.tolist() == [0.25] * 20
