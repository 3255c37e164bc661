"""General sets: size, kinship, tier, conflicts, balance, stability."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraspec.core.errors import UserError
from paraspec.core.table import checked
from paraspec.core.tables.planned import SETS
from paraspec.data.sets import PoolItem, in_conflict, set_table

GENERAL = 20


def with_answer(concept, q, answer):
    """The concept with another gold answer to its q-th question."""
    question = concept.questions[q]
    options = list(question.options)
    options[question.gold] = answer
    changed = question.model_copy(update={"options": tuple(options)})
    questions = list(concept.questions)
    questions[q] = changed
    return concept.model_copy(update={"questions": tuple(questions)})


@pytest.fixture(scope="module")
def pool(made_up):
    return made_up(4)


@pytest.fixture(scope="module")
def frame(pool):
    return checked(set_table(pool, [], GENERAL, 0), SETS)


def about(pool):
    return {q.item: (c, q) for c in pool for q in c.questions}


def test_every_concept_has_its_items_and_a_general_set_half_same_category(pool, frame):
    counts = frame.groupby(["concept", "set", "kinship"], observed=True).size()
    for concept in pool:
        assert counts[concept.concept].to_dict() == {
            ("concept", "own"): 10,
            ("general", "same-category"): GENERAL // 2,
            ("general", "other-category"): GENERAL // 2,
        }
    assert not frame.duplicated(["concept", "item"]).any()
    items = about(pool)
    for row in frame.itertuples():
        other, question = items[row.item]
        concept = next(c for c in pool if c.concept == row.concept)
        same = other.category == concept.category
        kin = "same-category" if same else "other-category"
        assert row.kinship == ("own" if other is concept else kin)
        if row.set == "concept":
            assert row.half == question.half


def test_general_items_are_of_the_concept_s_own_tier(pool, frame):
    items = about(pool)
    tier = {c.concept: c.tier for c in pool}
    for row in frame[frame["set"] == "general"].itertuples():
        assert items[row.item][0].tier == tier[row.concept]


def test_same_category_items_have_the_concept_s_mix_of_relations(pool, frame):
    items = about(pool)
    kin = frame[frame["kinship"] == "same-category"]
    for _, group in kin.groupby("concept"):
        relations = Counter(items[item][1].relation for item in group["item"])
        assert set(relations.values()) == {1}
        assert len(relations) == 10


def test_both_halves_are_evaluated_and_follow_the_relation(pool, frame):
    items = about(pool)
    general = frame[frame["set"] == "general"]
    for _, group in general.groupby(["concept", "kinship"], observed=True):
        assert Counter(group["half"]) == {"A": 5, "B": 5}
    for row in general[general["kinship"] == "same-category"].itertuples():
        assert row.half == items[row.item][1].half


def test_items_are_used_about_equally_often(pool, frame):
    uses = Counter(dict.fromkeys(about(pool), 0))
    uses.update(frame.loc[frame["set"] == "general", "item"])
    assert len(uses) == 360
    assert sum(uses.values()) == len(pool) * GENERAL
    # The mean is 2; equal use is what makes concept and general baselines equal.
    assert min(uses.values()) >= 1
    assert max(uses.values()) <= 3


@pytest.mark.parametrize("kinship", ["same-category", "other-category"])
def test_concept_and_general_baselines_agree_in_all_and_within_tiers(
    pool, frame, kinship
):
    items = about(pool)
    hard = {"relation1", "relation7"}  # accuracy that depends on the relation

    def accuracy(rows):
        return rows["item"].map(lambda i: items[i][1].relation not in hard).mean()

    tier = frame["concept"].map({c.concept: c.tier for c in pool})
    for level in ("high", "mid", "low"):
        of_tier = frame[tier == level]
        own = accuracy(of_tier[of_tier["set"] == "concept"])
        assert accuracy(of_tier[of_tier["kinship"] == kinship]) == pytest.approx(
            own, abs=0.05
        )


def test_items_in_conflict_are_kept_out_and_listed(made_up):
    pool = made_up(4)
    subject = pool[0]
    shared = subject.questions[0].options[subject.questions[0].gold]
    pool[1] = with_answer(pool[1], 3, shared.upper())  # an answer, folded
    pool[2] = with_answer(pool[2], 4, subject.name)  # the concept as an answer
    pool[20] = pool[20].model_copy(update={"entities": (subject.name,)})
    pool[0] = with_answer(subject, 5, pool[21].name)  # another as its answer
    frame = set_table(pool, [], GENERAL, 0)
    mine = frame[frame["concept"] == subject.concept]
    expected = {
        pool[1].questions[3].item,
        pool[2].questions[4].item,
        *(q.item for q in pool[20].questions),
        *(q.item for q in pool[21].questions),
    }
    conflict = mine[mine["set"] == "conflict"]
    assert set(conflict["item"]) == expected
    assert set(conflict["half"]) == {"-"}
    assert not set(mine.loc[mine["set"] == "general", "item"]) & expected


def test_conflict_holds_between_accents_and_cases(made_up):
    a, b = made_up(1)[:2]
    a = with_answer(a, 0, "São Tomé")
    item = PoolItem("x", "relation0", b, "sao tome")
    assert in_conflict(item, a)
    assert not in_conflict(PoolItem("x", "relation0", b, "sao"), a)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), n_added=st.integers(1, 3))
def test_adding_concepts_changes_no_row_of_the_others(made_up, seed, n_added):
    pool = made_up(2)
    added = made_up(2, ("dog",))[:n_added]
    alone = set_table(pool, [], 8, seed)
    with_more = set_table(pool, added[:1], 8, seed)
    last = set_table(pool, added[-1:], 8, seed)
    with_most = set_table(pool, added, 8, seed)
    assert with_more.iloc[: len(alone)].equals(alone)
    assert with_most.iloc[: len(with_more)].equals(with_more)
    of_last = with_most.iloc[-(len(last) - len(alone)) :]
    assert of_last.reset_index(drop=True).equals(
        last.iloc[len(alone) :].reset_index(drop=True)
    )
    extra = with_most.iloc[len(alone) :]
    assert set(extra["concept"]) == {c.concept for c in added}
    own = {q.item for c in added for q in c.questions}
    assert set(extra.loc[extra["set"] == "concept", "item"]) == own
    general = extra[extra["set"] == "general"]
    assert not set(general["item"]) & own
    assert len(general) == 8 * n_added


def test_the_table_does_not_depend_on_the_order_of_the_file(made_up):
    pool = made_up(2)

    def as_set(frame):
        return set(frame.itertuples(index=False, name=None))

    one, other = (as_set(set_table(p, [], 8, 0)) for p in (pool, pool[::-1]))
    strip = [{row[:4] for row in rows} for rows in (one, other)]
    assert strip[0] == strip[1]
    assert as_set(set_table(pool, [], 8, 1)) != one


def test_a_pool_too_small_for_the_general_set_is_a_user_error(made_up):
    with pytest.raises(UserError) as error:
        set_table(made_up(1)[:3], [], 40, 0)
    assert "general_items asks for 40" in error.value.remedy
    assert "20 general items are free of conflict" in error.value.fault
