"""Building the factbook: determinism, and each decision on a case done by hand."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraspec.core.errors import UserError
from paraspec.data.factbook import build as building
from paraspec.data.factbook.bands import bands, label_of
from paraspec.data.factbook.coverage import to_tsv
from paraspec.data.factbook.facts import Entity, Fact, Relation
from paraspec.data.factbook.flow import Network
from paraspec.data.factbook.giveaway import fold, gives_away, is_code
from paraspec.data.factbook.halves import split_halves
from paraspec.data.factbook.options import (
    Item,
    arrange,
    clash,
    draw,
    may_stand_beside,
    positions,
)
from paraspec.data.factbook.plan import Category, plan
from paraspec.data.factbook.sources import Place, countries
from paraspec.data.factbook.tiers import tiers
from paraspec.data.factbook.usable import exclusive_sets, usable

DATA = Path(__file__).parents[2] / "data"

WORDS = st.text("abcdefghijklmnopqrstuvwxyzéøşĞ -'", min_size=1, max_size=20)


def test_the_factbook_on_disk_is_what_the_libraries_give(factbook_text):
    on_disk = DATA / "factbook.jsonl"
    if not on_disk.exists():
        pytest.skip("data/factbook.jsonl is tracked by DVC and was not pulled")
    assert factbook_text == on_disk.read_text(encoding="utf-8")


def test_the_committed_coverage_table_is_what_the_libraries_give(factbook):
    committed = (DATA / "coverage.tsv").read_text(encoding="utf-8")
    assert to_tsv(factbook.coverage) == committed


def made_up(n):
    """A category of n concepts that share a few answers in each of 12 relations."""
    relations = tuple(
        Relation(
            f"r{k}", "What of {name}?", tuple(f"{s} of {{name}} is" for s in "VWXYZ")
        )
        for k in range(12)
    )
    entities = tuple(
        Entity(
            f"Q{chr(97 + i // 26)}{chr(97 + i % 26)}",
            "thing",
            {f"r{k}": Fact(f"{'tuvwx'[(i + k) % 5]}{k:02}") for k in range(12)},
        )
        for i in range(n)
    )
    return Category("thing", n, relations, entities)


def test_building_does_not_depend_on_the_order_of_candidates():
    category = made_up(30)
    turned = Category("thing", 30, category.relations, category.entities[::-1])
    one, other = building.build([category]), building.build([turned])
    assert building.to_jsonl(one.concepts) == building.to_jsonl(other.concepts)
    assert to_tsv(one.coverage) == to_tsv(other.coverage)


def test_a_category_without_enough_candidates_says_who_lacks_facts():
    category = made_up(12)
    poor = Entity("Poor", "thing", {"r0": Fact("t00")})
    wanted = Category("thing", 13, category.relations, (*category.entities, poor))
    with pytest.raises(UserError, match=r"12 candidates.*13 are wanted; lacking: Poor"):
        plan(wanted)


def test_a_candidate_without_ten_facts_is_replaced_by_another():
    category = made_up(13)
    poor = Entity("Poor", "thing", {"r0": Fact("t00")})
    decided = plan(
        Category("thing", 12, category.relations, (poor, *category.entities))
    )
    assert "Poor" not in decided.asked
    assert len(decided.asked) == 12
    assert {len(relations) for relations in decided.asked.values()} == {10}


@pytest.mark.parametrize(
    ("answer", "name", "reason"),
    [
        ("Mexico City", "Mexico", "the name is in the answer"),
        ("Oman", "Romania", "the answer is in the name"),
        ("Sao Tome", "São Tomé and Príncipe", "the answer is in the name"),
        ("Tunisian", "Tunis", "the name is in the answer"),
        ("Malagasy", "Madagascar", "share 4 letters"),
        ("FRC", "France", "letters of the code"),
        (".dk", "Denmark", "letters of the code"),
        ("Fe", "Ferrum", "the answer is in the name"),
        ("Mg", "Magnesium", "letters of the code"),
        ("HRV", "Croatia", ""),
        ("Pb", "Lead", ""),
        ("one", "Montenegro", ""),
        ("+33", "France", ""),
        ("under 1,000", "Malta", ""),
    ],
)
def test_give_aways(answer, name, reason):
    found = gives_away(answer, name)
    assert reason in found
    assert bool(reason) == bool(found)


@given(WORDS, WORDS)
def test_give_away_ignores_case_and_accents(answer, name):
    plain = gives_away(answer.lower(), name.lower())
    assert bool(plain) == bool(gives_away(answer.lower(), name.upper()))


@given(WORDS)
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


def test_codes_are_short_and_marked():
    assert is_code("EUR")
    assert not is_code("euro")
    assert not is_code("New York")


def test_two_options_clash_if_one_is_in_the_other():
    assert clash("franc", "CFA franc")
    assert not clash("15 to 30 degrees east", "30 to 45 degrees east")


def test_a_true_answer_is_no_wrong_option():
    item = Item("Belgium", Fact("Dutch", ("Flemish",), ("French", "German")))
    refused = ("French", "dutch", "Flemish", "Swiss German")
    assert not any(may_stand_beside(option, item) for option in refused)
    assert may_stand_beside("Spanish", item)


def test_distractors_make_every_answer_gold_in_a_quarter_of_its_appearances():
    items = [Item(f"n{i:03}", Fact("uvwxyz"[i % 6] * 5)) for i in range(120)]
    drawn = draw("r", items)
    assert not drawn.unfilled
    assert not drawn.overused
    used = Counter(a for wrong in drawn.distractors.values() for a in wrong)
    assert all(abs(n - 60) <= 3 for n in used.values())


def test_too_few_answers_leave_items_unfilled():
    items = [Item(f"n{i}", Fact("uvw"[i % 3] * 5)) for i in range(9)]
    assert len(draw("r", items).unfilled) == 9
    assert not draw("r", items, spare=["zzzzz"]).unfilled


def test_an_answer_that_is_gold_too_often_is_reported():
    items = [
        Item(f"n{i}", Fact("u" * 5 if i < 6 else "vwxy"[i - 6] * 5)) for i in range(9)
    ]
    assert draw("r", items, spare=["yyyyy"]).overused == ("uuuuu",)


@given(st.integers(1, 60), st.integers(1, 8))
def test_positions_are_balanced_within_each_relation(n_concepts, n_relations):
    asked = {f"c{i}": [f"r{k}" for k in range(n_relations)] for i in range(n_concepts)}
    placed = positions(asked)
    for k in range(n_relations):
        times = Counter(p for (_, r), p in placed.items() if r == f"r{k}")
        counts = [times[p] for p in range(4)]
        assert max(counts) - min(counts) <= 1


def test_the_right_option_goes_where_it_should():
    options = arrange("c", "r", "gold", ("x", "y", "z"), 2)
    assert options[2] == "gold"
    assert sorted(options) == ["gold", "x", "y", "z"]


@given(
    st.lists(
        st.sets(st.integers(0, 20), min_size=10, max_size=10), min_size=1, max_size=40
    )
)
def test_halves_are_equal_and_relations_balanced(menus):
    asked = {f"c{i}": [f"r{k}" for k in sorted(menu)] for i, menu in enumerate(menus)}
    halves = split_halves(asked)
    surplus = Counter()
    for concept, relations in asked.items():
        assert Counter(halves[concept].values()) == {"A": 5, "B": 5}
        surplus.update({r: 1 if halves[concept][r] == "A" else -1 for r in relations})
    assert max(map(abs, surplus.values())) <= 8


def test_relations_with_the_same_answer_or_group_exclude_each_other():
    facts = {
        "capital": Fact("Tunis"),
        "iso2": Fact("TN"),
        "largest_city": Fact("TUNIS"),
        "tld": Fact(".tn"),
        "continent": Fact("Africa"),
    }
    sets = exclusive_sets(facts, {"iso2": "code", "tld": "code"})
    assert set(sets) == {("capital", "largest_city"), ("iso2", "tld"), ("continent",)}


def test_usable_says_why_a_fact_is_not_asked():
    menu = made_up(1).relations[:3]
    entity = Entity("Mexico", "x", {"r0": Fact("Mexico City")}, {"r1": "contested"})
    reasons = usable(entity, menu).reasons
    assert reasons["r0"] == "Mexico City: the name is in the answer"
    assert reasons["r1"] == "contested"
    assert reasons["r2"] == "no fact"


def test_the_cheapest_flow_fills_cheap_pipes_first():
    network = Network()
    network.pipe("in", "a", 3, 0.0)
    network.pipe("a", "out", 1, 1.0)
    network.pipe("a", "b", 1, 2.0)
    network.pipe("b", "out", 5, 0.0)
    flow = network.run("in", "out", 10.0)
    assert flow["in", "a"] == 2
    assert flow["a", "b"] == 1


def test_a_figure_near_an_edge_has_no_band():
    menu = bands([0, 10, 20], ["low", "high"])
    assert label_of(3, 5, menu) == "low"
    assert label_of(9, 11, menu) == ""


def test_tiers_break_ties_by_name():
    names = [f"Zzqx{letter}" for letter in "fedcba"]
    assert [n for n, tier in tiers(names).items() if tier == "high"] == [
        "Zzqxa",
        "Zzqxb",
    ]


def test_distance_from_paris_to_london_is_344_km():
    paris, london = Place(48.8566, 2.3522), Place(51.5074, -0.1278)
    assert paris.distance_km(london) == pytest.approx(344, abs=1)


def test_the_reviewed_list_has_195_countries_and_land_borders_are_mutual():
    by_code = {country.iso2: country for country in countries()}
    assert len(by_code) == 195
    assert len({country.name for country in by_code.values()}) == 195
    for country in by_code.values():
        for other in country.neighbours:
            assert country.iso2 in by_code[other].neighbours, (country.iso2, other)
        for other in country.disputed_neighbours:
            assert country.iso2 in by_code[other].disputed_neighbours
