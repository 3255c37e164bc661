"""Wrong options from a study's own answers: false, clean, and telling nothing."""

import json
from collections import Counter, defaultdict

import pandas as pd
import pytest

from paraspec.data.factbook.giveaway import gives_away
from paraspec.data.factbook.options import clash
from paraspec.data.plan_run import run_plan
from paraspec.data.redrawn import with_own_options
from paraspec.data.study import answer_frequency, floor_accuracy, select_concepts
from paraspec.data.validate import FACTBOOK, read_concepts

PER_CELL = 7


@pytest.fixture(scope="module")
def study(factbook):
    """A study's concepts and those it holds out, as the file has them."""
    return select_concepts(factbook.concepts, PER_CELL, 0, "factbook")


@pytest.fixture(scope="module")
def redrawn(study):
    return [with_own_options(group, seed=0) for group in study]


@pytest.fixture(scope="module")
def facts():
    """What the libraries say, by name and relation."""
    from paraspec.data.factbook.build import categories

    return {
        (entity.category, entity.name, relation): fact
        for menu in categories()
        for entity in menu.entities
        for relation, fact in entity.facts.items()
    }


def pairs(concepts):
    return [(c, q) for c in concepts for q in c.questions]


def gold(question):
    return question.options[question.gold]


def changed(before, after):
    """Questions whose options were drawn anew, with their concepts."""
    both = zip(pairs(before), pairs(after), strict=True)
    return [(c, new) for (c, old), (_, new) in both if new.options != old.options]


def floor(concepts, known):
    frequency = answer_frequency(known)
    values = [
        floor_accuracy(q, frequency[c.category, q.relation]) for c, q in pairs(concepts)
    ]
    return sum(values) / len(values)


def test_nothing_but_the_wrong_options_changes(study, redrawn):
    for before, after in zip(study, redrawn, strict=True):
        for (_, old), (_, new) in zip(pairs(before), pairs(after), strict=True):
            assert gold(old) == gold(new)
            assert old == new.model_copy(update={"options": old.options})


def test_no_wrong_option_is_true(redrawn, facts):
    for concept, question in pairs([*redrawn[0], *redrawn[1]]):
        fact = facts[concept.category, concept.name, question.relation]
        assert gold(question) == fact.answer
        true = (fact.answer, *fact.aliases, *fact.also_true)
        wrong = [o for o in question.options if o != fact.answer]
        assert len(wrong) == 3
        for option in wrong:
            assert not any(clash(option, one) for one in true), question.item
            assert not gives_away(option, concept.name), question.item


def test_new_options_are_answers_of_the_same_relation_in_the_same_group(study, redrawn):
    for before, after in zip(study, redrawn, strict=True):
        answers = answer_frequency(before)
        fresh = changed(before, after)
        assert len(fresh) > 0.9 * len(pairs(before))
        for concept, question in fresh:
            own = answers[concept.category, question.relation]
            assert set(question.options) <= set(own), question.item


def test_an_answer_is_right_in_about_a_quarter_of_its_appearances(study, redrawn):
    shown, right = defaultdict(Counter), defaultdict(Counter)
    fresh = {q.item for _, q in changed(study[0], redrawn[0])}
    whole = defaultdict(list)
    for concept, question in pairs(redrawn[0]):
        place = concept.category, question.relation
        shown[place].update(question.options)
        right[place][gold(question)] += 1
        whole[place].append(question.item in fresh)
    shares = [
        count / shown[place][answer]
        for place, answers in right.items()
        for answer, count in answers.items()
        # With an answer to every fourth question or more there is no such balance.
        if all(whole[place]) and count <= 0.25 * answers.total()
    ]
    assert len(shares) > 300
    assert max(shares) <= 0.5
    assert sum(shares) / len(shares) == pytest.approx(0.25, abs=0.02)


def test_a_predictor_of_answer_frequencies_falls_to_a_little_above_chance(
    study, redrawn
):
    asked, _ = study
    assert floor(asked, asked) > 0.55
    assert floor(redrawn[0], asked) < 0.32
    # Facts never met, whose answers are not more or less familiar than wrong options.
    assert floor(redrawn[1], asked) == pytest.approx(0.25, abs=0.03)


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_file(study, redrawn):
    reverse = with_own_options(study[0][::-1], seed=0)[::-1]
    assert reverse == redrawn[0]
    assert with_own_options(study[0], seed=1) != redrawn[0]


def true_lists(concepts, also_true):
    """The concepts with these other true answers to all of their questions."""
    return [
        c.model_copy(
            update={
                "questions": tuple(
                    q.model_copy(update={"also_true": also_true}) for q in c.questions
                )
            }
        )
        for c in concepts
    ]


def test_a_file_that_does_not_list_all_true_answers_keeps_its_options(made_up):
    concepts = made_up(3)
    assert with_own_options(concepts, 0) == concepts
    assert with_own_options(true_lists(concepts, ()), 0) != concepts


def test_other_true_answers_are_never_drawn(made_up):
    concepts = true_lists(made_up(3, ("ant",)), ())
    barred = tuple(sorted(gold(c.questions[0]) for c in concepts[1:4]))
    concepts[0] = true_lists(concepts[:1], barred)[0]
    for seed in range(5):
        question = with_own_options(concepts, seed)[0].questions[0]
        assert not set(barred) & set(question.options)


def test_too_few_answers_leave_the_file_s_options(made_up):
    concepts = true_lists(made_up(1, ("ant",)), ())  # three concepts, three answers
    assert with_own_options(concepts, 0) == concepts


def test_only_studies_that_train_their_models_draw_anew(tmp_path, made_up):
    file = tmp_path / "pool.jsonl"
    pool = true_lists(made_up(4), ())
    file.write_text("".join(f"{c.model_dump_json()}\n" for c in pool), "utf-8")
    as_given = {q.item: list(q.options) for _, q in pairs(pool)}

    def shown(name, *, trained):
        run_plan(file, [], tmp_path / name, 2, 8, (1,), 0, trained=trained)
        tables = [
            pd.read_parquet(tmp_path / name / f"data/{table}.parquet")
            for table in ("prompts", "never_seen")
        ]
        frame = pd.concat(tables)
        return dict(zip(frame["item"], map(json.loads, frame["options"]), strict=True))

    published = shown("published", trained=False)
    assert published == {item: as_given[item] for item in published}
    trained = shown("trained", trained=True)
    assert sum(trained[item] != as_given[item] for item in trained) == len(trained)


def test_the_factbook_lists_all_true_answers(factbook_text, tmp_path):
    file = tmp_path / "factbook.jsonl"
    file.write_text(factbook_text, encoding="utf-8")
    asked = {q.item: q for _, q in pairs(read_concepts(file, FACTBOOK))}
    assert all(question.also_true is not None for question in asked.values())
    neighbour = asked["germany.neighbour"]
    all_nine = {gold(neighbour), *neighbour.also_true}
    assert len(all_nine) == 9 and {"France", "Poland", "Denmark"} <= all_nine
