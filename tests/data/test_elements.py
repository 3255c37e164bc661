"""The elements' facts against what a textbook says, and the shape of their menu."""

import re

import pytest

from paraspec.data.factbook.element_sources import elements
from paraspec.data.factbook.elements import FACTS, RELATIONS, entities
from paraspec.data.factbook.giveaway import gives_away

BY_NAME = {entity.name: entity for entity in entities()}

# Typed from textbook knowledge, not from the library.
KNOWN = {
    "Hydrogen": {
        "discoverer": "Cavendish",
        "discovery_year": "1766",
        "next_element": "helium",
        "ionization_energy": "13.6 eV",
        "valence_configuration": "1s1",
        "isotope_count": "two",
    },
    "Carbon": {
        "atomic_number": "6",
        "group": "14",
        "atomic_mass": "12",
        "element_below": "silicon",
        "name_meaning": "charcoal",
        "valence_configuration": "2s2 2p2",
    },
    "Neon": {
        "discoverer": "Ramsay",
        "discovery_city": "London",
        "family": "noble gases",
        "main_isotope": "20",
        "name_meaning": "new",
    },
    "Sodium": {
        "symbol": "Na",
        "discoverer": "Davy",
        "family": "alkali metals",
        "melting_point": "100 °C",
        "previous_element": "neon",
        "element_below": "potassium",
    },
    "Chlorine": {
        "discoverer": "Scheele",
        "discovery_year": "1774",
        "name_meaning": "pale green",
        "main_isotope": "35",
        "electronegativity": "3.2",
    },
    "Iron": {
        "symbol": "Fe",
        "atomic_number": "26",
        "valence_configuration": "3d6 4s2",
        "melting_point": "1500 °C",
        "density": "8 g",
        "crystal_structure": "body-centered cubic",
    },
    "Copper": {
        "symbol": "Cu",
        "named_after": "Cyprus",
        "element_below": "silver",
        "main_isotope": "63",
        "valence_configuration": "3d10 4s1",
    },
    "Gallium": {
        "discoverer": "Lecoq de Boisbaudran",
        "named_after": "France",
        "element_above": "aluminum",
        "valence_configuration": "4s2 4p1",
    },
    "Tin": {
        "symbol": "Sn",
        "isotope_count": "ten",
        "melting_point": "200 °C",
        "crystal_structure": "tetragonal",
        "family": "poor metals",
    },
    "Neodymium": {
        "discoverer": "Auer von Welsbach",
        "discovery_year": "1885",
        "discovery_city": "Vienna",
        "element_below": "uranium",
        "atomic_mass": "144",
    },
    "Tungsten": {
        "symbol": "W",
        "discovery_country": "Spain",
        "name_meaning": "heavy stone",
        "melting_point": "3400 °C",
        "element_above": "molybdenum",
    },
    "Gold": {
        "symbol": "Au",
        "main_isotope": "197",
        "isotope_count": "one",
        "crystal_structure": "face-centered cubic",
        "valence_configuration": "5d10 6s1",
        "melting_point": "1100 °C",
    },
    "Mercury": {
        "symbol": "Hg",
        "boiling_point": "400 °C",
        "element_below": "copernicium",
        "atomic_mass": "201",
    },
    "Radium": {
        "discoverer": "Curie",
        "discovery_year": "1898",
        "half_life": "1,600 years",
        "longest_lived_isotope": "226",
        "family": "alkaline earth metals",
    },
    "Uranium": {
        "discoverer": "Klaproth",
        "block": "f-block",
        "half_life": "4.5 billion years",
        "atomic_mass": "238",
        "family": "actinides",
    },
    "Rutherfordium": {
        "systematic_name": "unnilquadium",
        "element_above": "hafnium",
        "group": "4",
    },
    "Darmstadtium": {
        "systematic_name": "ununnilium",
        "discoverer": "Hofmann",
        "discovery_year": "1994",
    },
    "Nihonium": {
        "named_after": "Japan",
        "discovery_country": "Japan",
        "discoverer": "Morita",
        "systematic_name": "ununtrium",
    },
}


@pytest.mark.parametrize(
    ("name", "relation", "answer"),
    [(n, r, a) for n, facts in KNOWN.items() for r, a in facts.items()],
)
def test_a_fact_agrees_with_the_textbook(name, relation, answer):
    assert BY_NAME[name].facts[relation].answer == answer


def test_there_are_117_elements_without_oganesson():
    assert len(BY_NAME) == 117
    assert "Oganesson" not in BY_NAME
    assert BY_NAME["Tennessine"].facts["next_element"].answer == "oganesson"


@pytest.mark.parametrize("name", BY_NAME)
def test_every_element_has_ten_relations_that_the_name_does_not_give_away(name):
    group = {relation.name: relation.group or relation.name for relation in RELATIONS}
    facts = BY_NAME[name].facts.items()
    left = {group[r] for r, fact in facts if not gives_away(fact.answer, name)}
    assert len(left) >= 10


@pytest.mark.parametrize("name", BY_NAME)
def test_every_relation_has_a_fact_or_a_reason(name):
    entity = BY_NAME[name]
    assert set(entity.facts) | set(entity.omissions) == {r.name for r in RELATIONS}
    assert not set(entity.facts) & set(entity.omissions)
    assert all(reason.strip() for reason in entity.omissions.values())


@pytest.mark.parametrize("name", BY_NAME)
def test_answers_are_clean(name):
    for fact in BY_NAME[name].facts.values():
        assert fact.answer == fact.answer.strip() != ""
        assert fact.answer not in fact.aliases
        assert fact.answer not in fact.also_true
        assert "nan" not in fact.answer.split()
        assert "None" not in fact.answer
        assert all(also.strip() for also in (*fact.aliases, *fact.also_true))


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.name)
def test_the_wording_of_a_relation_is_well_formed(relation):
    assert relation.name in FACTS
    assert relation.question.count("{name}") == 1
    assert relation.question.endswith("?")
    assert len(set(relation.statements)) == len(relation.statements) >= 5
    for prefix in relation.statements:
        assert prefix.count("{name}") == 1
        assert prefix == prefix.strip()
        assert prefix[-1] not in ".?!:"
        # "a iron atom": half of the names begin with a vowel or none do.
        assert not re.search(r"\b[Aa]n? \{name\}", prefix)


def test_relation_names_are_unique():
    assert (
        len({relation.name for relation in RELATIONS}) == len(RELATIONS) == len(FACTS)
    )


def test_the_reviewed_list_names_only_known_relations_and_elements():
    known = {relation.name for relation in RELATIONS}
    for element in elements():
        assert set(element.omit) <= known, element.symbol
        named = {"discoverer", "named_after"} & set(element.omit)
        assert not any(element.reviewed[column] for column in named)


def test_neighbors_point_at_each_other():
    before = {n: e.facts.get("previous_element") for n, e in BY_NAME.items()}
    for name, entity in BY_NAME.items():
        after = entity.facts["next_element"].answer.capitalize()
        if after in before:
            assert before[after].answer == name.lower()
        below = entity.facts.get("element_below")
        if below and below.answer.capitalize() in BY_NAME:
            above = BY_NAME[below.answer.capitalize()].facts["element_above"]
            assert above.answer == name.lower()


def test_a_credit_that_is_contested_is_not_asked():
    for name in ("Oxygen", "Vanadium", "Holmium", "Lutetium", "Nobelium", "Dubnium"):
        assert "discoverer" in BY_NAME[name].omissions
        assert "discovery_country" in BY_NAME[name].omissions


def test_a_fellow_discoverer_is_never_a_wrong_answer():
    assert "Kirchhoff" in BY_NAME["Cesium"].facts["discoverer"].also_true
    assert "Hisinger" in BY_NAME["Cerium"].facts["discoverer"].also_true


def test_elements_on_a_disputed_border_have_no_group_or_block():
    for name in ("Lanthanum", "Lutetium", "Actinium", "Lawrencium"):
        assert {"group", "block"} <= set(BY_NAME[name].omissions)


def test_figures_at_the_edge_of_rounding_are_left_out():
    assert "atomic_mass" in BY_NAME["Chlorine"].omissions
    assert "density" in BY_NAME["Titanium"].omissions
