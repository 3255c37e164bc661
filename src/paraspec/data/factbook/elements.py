"""Facts about the chemical elements, from mendeleev and the reviewed list.

Start at :func:`entities`. Each relation has one small function from an element to a
:class:`~paraspec.data.factbook.facts.Fact`, or to the reason why there is none.
"""

import math
from collections.abc import Callable
from functools import cache

from paraspec.data.factbook import element_physics as physics
from paraspec.data.factbook import element_table as table
from paraspec.data.factbook.element_relations import RELATIONS
from paraspec.data.factbook.element_sources import Element, elements, split
from paraspec.data.factbook.facts import Entity, Fact

__all__ = ["RELATIONS", "entities"]

Outcome = Fact | str
"""A fact, or the reason why there is none."""

HALF_CENTURY = 50

ALIASES = {
    "Britain": ("Great Britain", "the United Kingdom", "England"),
    "the United States": ("United States", "USA", "America"),
    "Ørsted": ("Oersted",),
    "Turku": ("Åbo",),
    "Freyja": ("Vanadis", "Freya"),
    "Lecoq de Boisbaudran": ("Boisbaudran",),
    "Auer von Welsbach": ("Welsbach", "Auer"),
    "Klaus": ("Claus",),
    "color": ("colour",),
}
"""Other spellings of reviewed answers that count as right."""


@cache
def entities() -> tuple[Entity, ...]:
    """Return the 117 elements up to tennessine with their facts."""
    return tuple(_entity(element) for element in elements() if element.reviewed)


def _entity(element: Element) -> Entity:
    facts: dict[str, Fact] = {}
    omissions: dict[str, str] = {}
    for relation in RELATIONS:
        outcome = element.omit.get(relation.name) or FACTS[relation.name](element)
        if isinstance(outcome, Fact):
            facts[relation.name] = outcome
        else:
            omissions[relation.name] = outcome
    return Entity(
        name=element.name.capitalize(),
        category="element",
        facts=facts,
        omissions=omissions,
        in_text=element.name,
    )


def _discoverer(element: Element) -> Outcome:
    name, full = element.reviewed["discoverer"], element.reviewed["full_name"]
    if not name:
        return "no discoverer whom sources agree on"
    aliases = (full, *ALIASES.get(name, ()))
    return Fact(name, aliases, tuple(split(element.reviewed["with"])))


def _years(element: Element) -> tuple[int, int] | None:
    cell = element.reviewed["years"]
    if not cell:
        return None
    first, _, last = cell.partition("-")
    return int(first), int(last or first)


def _discovery_year(element: Element) -> Outcome:
    years = _years(element)
    if years is None:
        return "no year of discovery on record"
    if years[0] != years[1]:
        return f"sources give years from {years[0]} to {years[1]}"
    return Fact(str(years[0]))


def _discovery_period(element: Element) -> Outcome:
    years = _years(element)
    if years is None:
        return "no year of discovery on record"
    starts = {HALF_CENTURY * math.floor(year / HALF_CENTURY) for year in years}
    if len(starts) > 1:
        return f"sources give years from {years[0]} to {years[1]}"
    start = starts.pop()
    return Fact(f"{start} to {start + HALF_CENTURY - 1}")


def _reviewed(column: str, also: str, reason: str) -> Callable[[Element], Outcome]:
    def fact(element: Element) -> Outcome:
        answer = element.reviewed[column]
        if not answer:
            return reason
        others = split(element.reviewed[also]) if also else []
        return Fact(answer, ALIASES.get(answer, ()), tuple(others))

    return fact


FACTS: dict[str, Callable[[Element], Outcome]] = {
    "symbol": table.symbol,
    "atomic_number": table.atomic_number,
    "group": table.group,
    "period": table.period,
    "block": table.block,
    "family": table.family,
    "discoverer": _discoverer,
    "discovery_year": _discovery_year,
    "discovery_period": _discovery_period,
    "discovery_country": _reviewed(
        "country", "country_too", "no country that sources agree on"
    ),
    "discovery_city": _reviewed("city", "city_too", "no one city is certain"),
    "named_after": _reviewed("named_after", "", "not named after a person or place"),
    "name_meaning": _reviewed("meaning", "", "the name is not a word of known meaning"),
    "previous_element": table.previous_element,
    "next_element": table.next_element,
    "element_above": table.element_above,
    "element_below": table.element_below,
    "valence_configuration": table.valence_configuration,
    "systematic_name": table.systematic_name,
    "atomic_mass": physics.atomic_mass,
    "main_isotope": physics.main_isotope,
    "longest_lived_isotope": physics.longest_lived_isotope,
    "half_life": physics.half_life,
    "isotope_count": physics.isotope_count,
    "melting_point": physics.melting_point,
    "boiling_point": physics.boiling_point,
    "density": physics.density,
    "crystal_structure": physics.crystal_structure,
    "electronegativity": physics.electronegativity,
    "ionization_energy": physics.ionization_energy,
}
