"""The factbook: what must hold for all 5,250 questions."""

import csv
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from paraspec.data.factbook import cities, countries, elements
from paraspec.data.factbook.giveaway import fold, gives_away
from paraspec.data.factbook.tiers import COMMON_WORDS, tiers
from paraspec.data.validate import FACTBOOK, read_concepts

DATA = Path(__file__).parents[2] / "data"
SIZES = {"country": 195, "element": 117, "city": 213}


@pytest.fixture(scope="module")
def concepts(factbook_text, tmp_path_factory):
    path = tmp_path_factory.mktemp("factbook") / "factbook.jsonl"
    path.write_text(factbook_text, encoding="utf-8")
    return read_concepts(path, FACTBOOK)


@pytest.fixture(scope="module")
def asked(concepts):
    return [(c, q) for c in concepts for q in c.questions]


@pytest.fixture(scope="module")
def facts():
    modules = (countries, elements, cities)
    return {
        (entity.category, entity.name): entity.facts
        for module in modules
        for entity in module.entities()
    }


def gold(question):
    return question.options[question.gold]


def test_there_are_525_concepts_with_ten_questions_each(concepts):
    assert Counter(c.category for c in concepts) == SIZES
    assert sum(len(c.questions) for c in concepts) == 5250


def test_tiers_are_equal_terciles_of_zipf_within_each_category(concepts):
    for category, size in SIZES.items():
        mine = [c for c in concepts if c.category == category]
        assert set(Counter(c.tier for c in mine).values()) == {size // 3}
        assert {c.name: c.tier for c in mine} == tiers([c.name for c in mine])
        by_tier = {t: [c.zipf for c in mine if c.tier == t] for t in ("high", "mid")}
        low = [c.zipf for c in mine if c.tier == "low"]
        assert min(by_tier["high"]) >= max(by_tier["mid"])
        assert min(by_tier["mid"]) >= max(low)


def test_every_gold_option_is_the_fact_of_the_libraries(asked, facts):
    for concept, question in asked:
        fact = facts[concept.category, concept.name][question.relation]
        assert gold(question) == fact.answer
        assert question.aliases == fact.aliases


def test_no_wrong_option_is_true(asked, facts):
    for concept, question in asked:
        fact = facts[concept.category, concept.name][question.relation]
        true = {fold(t) for t in (fact.answer, *fact.aliases, *fact.also_true)}
        for position, option in enumerate(question.options):
            assert position == question.gold or fold(option) not in true, question.item


def test_no_option_can_be_guessed_from_the_name(asked):
    for concept, question in asked:
        for option in question.options:
            assert not gives_away(option, concept.name), (question.item, option)


def test_no_option_is_part_of_another(asked):
    for _, question in asked:
        for one, other in combinations(map(fold, question.options), 2):
            assert one not in other, question.item
            assert other not in one, question.item


def test_the_right_option_stands_equally_often_in_each_place(asked):
    places = Counter(q.gold for _, q in asked)
    assert max(places.values()) - min(places.values()) <= 60
    by_relation = defaultdict(Counter)
    for concept, question in asked:
        by_relation[concept.category, question.relation][question.gold] += 1
    for places in by_relation.values():
        times = [places[p] for p in range(4)]
        assert max(times) - min(times) <= 1


def test_no_option_is_gold_in_more_than_35_percent_of_its_appearances(asked):
    shown, right = Counter(), Counter()
    for concept, question in asked:
        key = (concept.category, question.relation)
        shown.update((*key, fold(option)) for option in question.options)
        right[(*key, fold(gold(question)))] += 1
    too_often = {k: (n, shown[k]) for k, n in right.items() if n > 0.35 * shown[k]}
    assert not too_often


def test_halves_hold_five_questions_and_each_relation_equally(asked, concepts):
    for concept in concepts:
        assert Counter(q.half for q in concept.questions) == {"A": 5, "B": 5}
    halves = defaultdict(Counter)
    for concept, question in asked:
        halves[concept.category, question.relation][question.half] += 1
    for relation, times in halves.items():
        assert abs(times["A"] - times["B"]) <= 3, relation


def test_no_answer_is_asked_twice_of_one_concept(concepts):
    for concept in concepts:
        answers = [fold(gold(q)) for q in concept.questions]
        assert len(set(answers)) == len(answers), concept.name


def test_one_code_per_country(concepts):
    for concept in concepts:
        codes = {"iso2", "iso3", "tld"} & {q.relation for q in concept.questions}
        assert len(codes) <= 1


def test_tiers_are_asked_the_same_relations_as_far_as_facts_allow(asked):
    mixes = defaultdict(Counter)
    for concept, question in asked:
        mixes[concept.category, concept.tier][question.relation] += 1
    most_moved = {"country": 0.04, "element": 0.06, "city": 0.03}
    for category, most in most_moved.items():
        for one, other in combinations(("high", "mid", "low"), 2):
            a, b = mixes[category, one], mixes[category, other]
            moved = (a - b).total() / a.total()
            assert moved <= most, (category, one, other, moved)


def test_at_least_four_of_a_citys_questions_do_not_follow_from_its_country(concepts):
    for concept in concepts:
        derived = sum(q.country_derived for q in concept.questions)
        assert derived <= 6
        assert concept.category == "city" or derived == 0


def test_no_two_cities_share_more_than_half_of_their_answers(concepts):
    answers = [
        {(q.relation, fold(gold(q))) for q in c.questions}
        for c in concepts
        if c.category == "city"
    ]
    assert max(len(a & b) for a, b in combinations(answers, 2)) <= 5


def test_common_words_are_flagged(concepts):
    flagged = {fold(c.name) for c in concepts if c.common_word}
    assert flagged == COMMON_WORDS, "a listed word is no concept, or the reverse"
    assert {"lead", "turkey"} <= flagged


def test_statements_are_distinct_and_complete(asked):
    for _, question in asked:
        assert len(set(question.statements)) >= 5
        for text in (question.question, *question.statements):
            assert "{" not in text
            assert text == text.strip()
            assert text[0] == text[0].upper()


def test_coverage_accounts_for_every_relation_of_every_concept(concepts):
    with (DATA / "coverage.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    asked = {
        (c.name, c.category, c.tier, q.relation) for c in concepts for q in c.questions
    }
    table = {
        (r["concept"], r["category"], r["tier"], r["relation"])
        for r in rows
        if r["status"] == "asked"
    }
    assert table == asked
    assert all((r["reason"] == "-") == (r["status"] == "asked") for r in rows)
    menus = {"country": countries, "element": elements, "city": cities}
    n_relations = {name: len(module.RELATIONS) for name, module in menus.items()}
    per_concept = Counter((r["concept"], r["category"]) for r in rows)
    assert all(n == n_relations[key[1]] for key, n in per_concept.items())
