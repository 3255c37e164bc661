from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraspec.core.errors import UserError
from paraspec.core.table import checked
from paraspec.core.tables.planned import CONCEPTS, PROMPTS
from paraspec.data.study import (
    answer_frequency,
    assign_exposures,
    concept_table,
    floor_accuracy,
    held_out_statement,
    prompt_table,
    select_concepts,
)

CELLS = set(product(("ant", "bee", "cow"), ("high", "mid", "low")))


def names(concepts):
    return [c.concept for c in concepts]


def test_as_many_concepts_of_every_cell_are_chosen_and_held_out(made_up):
    everything = made_up(5)
    chosen, unseen = select_concepts(everything, 2, 0, "file")
    for part in (chosen, unseen):
        counts = Counter((c.category, c.tier) for c in part)
        assert counts == Counter(dict.fromkeys(CELLS, 2))
        assert names(part) == [n for n in names(everything) if n in set(names(part))]
    assert not set(names(chosen)) & set(names(unseen))


def test_choice_depends_on_the_seed_and_not_on_the_order_of_the_file(made_up):
    everything = made_up(5)
    chosen, unseen = (set(names(p)) for p in select_concepts(everything, 2, 0, "f"))
    backwards = select_concepts(everything[::-1], 2, 0, "f")
    assert [set(names(p)) for p in backwards] == [chosen, unseen]
    assert set(names(select_concepts(everything, 2, 1, "f")[0])) != chosen
    more, _ = select_concepts(everything, 3, 0, "f")
    assert chosen < set(names(more))


def test_zero_takes_every_concept(made_up):
    assert select_concepts(made_up(2), 0, 0, "f") == (made_up(2), [])


def test_a_cell_with_too_few_concepts_is_named(made_up):
    short = [c for c in made_up(2) if c.concept != "bee-mid-1"]
    with pytest.raises(UserError) as error:
        select_concepts(short, 2, 0, "data/mine.jsonl")
    assert str(error.value).startswith("data/mine.jsonl: 1 concepts of category 'bee'")
    assert "'mid'" in error.value.fault
    assert "per_cell asks for 2" in error.value.remedy


def test_fewer_are_held_out_where_the_cell_ends(made_up):
    _, unseen = select_concepts(made_up(3), 2, 0, "f")
    assert len(unseen) == 9


@given(per_cell=st.integers(1, 7), seed=st.integers(0, 3))
def test_exposures_are_balanced_in_every_cell_and_over_all(made_up, per_cell, seed):
    concepts = made_up(per_cell)
    levels = assign_exposures(concepts, (8, 2, 1), seed)
    assert set(levels) == set(names(concepts))
    for cell in CELLS:
        inside = [levels[c.concept] for c in concepts if (c.category, c.tier) == cell]
        counts = [inside.count(level) for level in (8, 2, 1)]
        assert max(counts) - min(counts) <= 1
    overall = Counter(levels.values())
    assert max(overall.values()) - min(overall.values()) <= 1


def test_exposure_is_random_with_respect_to_the_name(made_up):
    concepts = made_up(6)
    one, other = (assign_exposures(concepts, (8, 2, 1), seed) for seed in (0, 1))
    assert one != other
    assert one == assign_exposures(concepts[::-1], (8, 2, 1), 0)


def test_concept_table_gives_exposure_zero_to_concepts_not_trained_on(made_up):
    concepts = made_up(1)[:2]
    frame = concept_table(concepts, {concepts[0].concept: 8})
    assert frame["exposure"].tolist() == [8, 0]
    checked(frame, CONCEPTS)


def test_prompts_are_asked_in_the_held_out_wording(made_up):
    concepts = made_up(1)
    frame = checked(prompt_table(concepts, 0), PROMPTS)
    assert len(frame) == 90
    assert frame["item"].is_unique
    question = {q.item: q for c in concepts for q in c.questions}
    for row in frame.itertuples():
        q = question[row.item]
        assert row.prefix == q.statements[held_out_statement(q, 0)]
        assert row.chance == 0.25
    chosen = {held_out_statement(q, 0) for q in question.values()}
    assert chosen == set(range(5))


def test_floor_is_the_accuracy_of_naming_the_most_frequent_option(made_up):
    q = made_up(1)[0].questions[0].model_copy(update={"gold": 1})
    first, second, third, _ = q.options
    assert floor_accuracy(q, {first: 1, second: 3}) == 1
    assert floor_accuracy(q, {first: 3, second: 1}) == 0
    assert floor_accuracy(q, {first: 3, second: 3, third: 3}) == pytest.approx(1 / 3)
    assert floor_accuracy(q, {}) == 0.25


def test_answers_are_counted_within_category_and_relation(made_up):
    concepts = made_up(2)
    frequency = answer_frequency(concepts)
    assert len(frequency) == 30
    assert {sum(answers.values()) for answers in frequency.values()} == {6}
    floors = prompt_table(concepts[:1], 0, known=concepts)["floor"]
    assert set(floors) == {1.0}  # made-up answers are each one concept's own
