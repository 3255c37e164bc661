"""Facts that were measured: masses, isotopes, temperatures, densities, energies.

Figures are rounded to what sources agree on. Where a figure's uncertainty reaches over
the edge at which it would be rounded otherwise, there is no fact; neighbors of a
rounded figure are too close to it to be wrong answers.
"""

import math

from paraspec.data.factbook.element_sources import YEARS, Element, Lifetime
from paraspec.data.factbook.facts import Fact

Outcome = Fact | str
"""A fact, or the reason why there is none."""

KELVIN_AT_0_CELSIUS = 273.15
STEP_CELSIUS = 100

COLDEST = -250
"""Below this, rounding to hundreds gives less than absolute zero."""

MASS_ERROR = 0.06
"""Natural composition varies and authors round differently, in atomic mass units."""

MELTING_ERROR = 0.005
BOILING_ERROR = 0.01
"""Spread of sources, as a share of the absolute temperature."""

HOTTEST_BOILING = 2000
"""Above this, in degrees Celsius, sources differ by hundreds of degrees."""

DENSITY_ERROR = 0.02
LAST_WEIGHED = 98
"""No piece of a heavier element than californium was large enough to weigh or melt."""

UNMEASURED = {"At", "Fr", "Ac", "Ra", "Po"}
"""Too short-lived: densities and melting points are estimates or disputed."""

CLEARLY_COMMONER = 1.02
"""Least ratio of the two largest abundances."""

OPEN_COUNT = {"Ta", "Th", "Pa", "U"}
"""Counts depend on an excited nucleus (tantalum) or on decay products."""

HALF_LIFE_ERROR = 0.2
"""Largest error of a half-life that is worth asking for."""

LAST_TIMED = 102
"""Half-lives of heavier elements rest on a handful of atoms."""

LAST_CHARTED = 105
"""For heavier elements the longest-lived isotope is not settled."""

LAST_PAULING = 56
"""From the sixth row on, tables of Pauling's values disagree."""

NOBLE_GASES = {"He", "Ne", "Ar", "Kr", "Xe", "Rn"}

LAST_IONIZED = 103
"""Ionization energies of heavier elements are calculated, not measured."""

UNITS = (
    ("billion years", YEARS["Gyear"]),
    ("million years", YEARS["Myear"]),
    ("years", YEARS["year"]),
    ("days", YEARS["day"]),
    ("hours", YEARS["hour"]),
    ("minutes", YEARS["minute"]),
)

COUNTS = (
    *("zero", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten"),
)

LATTICES = {
    "HEX": "hexagonal",
    "BCC": "body-centered cubic",
    "FCC": "face-centered cubic",
    "DIA": "diamond cubic",
    "SC": "simple cubic",
    "RHL": "rhombohedral",
    "TET": "tetragonal",
    "ORC": "orthorhombic",
    "MCL": "monoclinic",
}
"""mendeleev's lattice codes. Its CUB is left out: it covers unlike structures."""

LATTICE_ALIASES = {
    "hexagonal": ("hexagonal close-packed", "hcp"),
    "body-centered cubic": ("body-centred cubic", "bcc"),
    "face-centered cubic": ("face-centred cubic", "fcc"),
    "rhombohedral": ("trigonal",),
}

SEVERAL_LIQUEFIED = {"P", "Se", "B"}
"""White or red phosphorus, gray or glassy selenium; boron is disputed."""

SEVERAL_SOLIDS = {"B", "C", "P", "S", "Se", "Te", "Ce", "Mn", "Fr"}
"""Several solid forms at room temperature, or none seen, or sources disagree."""

ROOM_KELVIN = 298.15


def atomic_mass(element: Element) -> Outcome:
    """Standard atomic weight to the nearest whole number."""
    if not element.abundances:
        return "no natural composition to average over"
    mass = float(element.record["atomic_weight"])
    return _rounded(mass, MASS_ERROR, 1, "", near=False)


def main_isotope(element: Element) -> Outcome:
    """Mass number of the isotope with the largest natural abundance."""
    ranked = sorted(element.abundances.items(), key=lambda pair: -pair[1])
    if not ranked:
        return "no natural abundances"
    if len(ranked) > 1 and ranked[0][1] < CLEARLY_COMMONER * ranked[1][1]:
        return "two isotopes are about as common"
    return Fact(str(ranked[0][0]), (f"{element.name}-{ranked[0][0]}",))


def isotope_count(element: Element) -> Outcome:
    """Number of isotopes with a natural abundance."""
    if not element.abundances:
        return "no natural abundances"
    if element.symbol in OPEN_COUNT:
        return "sources count differently"
    count = len(element.abundances)
    return Fact(COUNTS[count], (str(count),))


def longest_lived_isotope(element: Element) -> Outcome:
    """Mass number of the radioactive isotope with the longest half-life."""
    longest = _longest(element)
    if isinstance(longest, str):
        return longest
    return Fact(str(longest.mass_number), (f"{element.name}-{longest.mass_number}",))


def half_life(element: Element) -> Outcome:
    """Half-life of the longest-lived isotope, to two digits."""
    longest = _longest(element)
    if isinstance(longest, str):
        return longest
    longest_credible = (1 + HALF_LIFE_ERROR) * longest.years
    if element.number > LAST_TIMED or longest.high > longest_credible:
        return "the half-life is not known to a fifth"
    return Fact(_duration(longest.years))


def _longest(element: Element) -> Lifetime | str:
    if not element.record["is_radioactive"]:
        return "has stable or nearly stable isotopes"
    if not element.lifetimes or element.number > LAST_CHARTED:
        return "heavier isotopes are still being found or confirmed"
    first, *others = element.lifetimes
    if any(other.high > first.low for other in others):
        return "two isotopes are about as long-lived"
    return first


def _duration(years: float) -> str:
    """Write a time in its natural unit, to two digits.

    >>> _duration(4.463e9), _duration(1600.0), _duration(22 / 525_960)
    ('4.5 billion years', '1,600 years', '22 minutes')
    """
    unit = next(name for name, least in UNITS if years >= 1.5 * least)
    value = years / dict(UNITS)[unit]
    digits = 1 - math.floor(math.log10(value))
    return f"{round(value, digits):,.{max(digits, 0)}f} {unit}"


def melting_point(element: Element) -> Outcome:
    """Melting point to the nearest hundred degrees Celsius."""
    reason = _unmeasured(element)
    return reason or _temperature(element, "melting_point", MELTING_ERROR)


def boiling_point(element: Element) -> Outcome:
    """Boiling point to the nearest hundred degrees Celsius."""
    reason = _unmeasured(element)
    outcome = reason or _temperature(element, "boiling_point", BOILING_ERROR)
    kelvin = _kelvin(element, "boiling_point")
    if kelvin and max(kelvin) - KELVIN_AT_0_CELSIUS > HOTTEST_BOILING:
        return "sources differ by hundreds of degrees"
    return outcome


def _unmeasured(element: Element) -> str:
    if element.number > LAST_WEIGHED or element.symbol in UNMEASURED:
        return "estimated, not measured, or sources disagree"
    return ""


def _temperature(element: Element, column: str, error: float) -> Outcome:
    kelvin = _kelvin(element, column)
    if len(kelvin) != 1 or element.symbol in SEVERAL_LIQUEFIED:
        return "not in mendeleev, or the forms of the element differ"
    value = kelvin.pop()
    celsius = value - KELVIN_AT_0_CELSIUS
    if celsius < COLDEST or abs(celsius) < STEP_CELSIUS / 2:
        return "rounding would give zero, or less than absolute zero"
    return _rounded(celsius, error * value, STEP_CELSIUS, " °C", near=False)


def _kelvin(element: Element, column: str) -> set[float]:
    return {
        float(row[column])
        for row in element.transitions
        if row[column] and not row["is_sublimation_point"] and not row["is_transition"]
    }


def density(element: Element) -> Outcome:
    """Grams per cubic centimeter of a solid or liquid, as a whole number."""
    if _unmeasured(element):
        return _unmeasured(element)
    if _is_gas(element):
        return "a gas"
    if element.symbol in SEVERAL_SOLIDS - {"Mn"}:
        return "the forms of the element differ"
    value = float(element.record["density"])
    return _rounded(value, DENSITY_ERROR * value, 1, " g", near=value >= 10)


def crystal_structure(element: Element) -> Outcome:
    """Lattice of the solid at room temperature."""
    code = element.record["lattice_structure"]
    melting = _kelvin(element, "melting_point")
    if element.symbol in SEVERAL_SOLIDS or code not in LATTICES:
        return "several forms, or no agreed simple lattice"
    if _is_gas(element) or min(melting, default=0.0) < ROOM_KELVIN:
        return "not solid at room temperature"
    name = LATTICES[code]
    return Fact(name, LATTICE_ALIASES.get(name, ()))


def _is_gas(element: Element) -> bool:
    boiling = _kelvin(element, "boiling_point")
    return bool(boiling) and max(boiling) < ROOM_KELVIN


def electronegativity(element: Element) -> Outcome:
    """Pauling's electronegativity to one decimal."""
    value = element.record["en_pauling"]
    if value is None or element.symbol in NOBLE_GASES:
        return "no value on Pauling's scale"
    if element.number > LAST_PAULING or element.record["is_radioactive"]:
        return "tables disagree"
    # Values have two decimals, so that only a final 5 could be rounded either way.
    return _rounded(float(value), 0.004, 0.1, "")


def ionization_energy(element: Element) -> Outcome:
    """First ionization energy in electronvolts, to one decimal."""
    if element.ionization_ev is None or element.number > LAST_IONIZED:
        return "not measured"
    return _rounded(element.ionization_ev, 0.005, 0.1, " eV", reach=3)


def _rounded(
    value: float,
    error: float,
    step: float,
    unit: str,
    *,
    near: bool = True,
    reach: int = 1,
) -> Outcome:
    low, middle, high = (
        math.floor(x / step + 0.5) for x in (value - error, value, value + error)
    )
    if low != high:
        return "too near the edge of rounding"
    steps = [d for d in range(-reach, reach + 1) if d] if near else []
    also = tuple(_figure(middle + d, step) + unit for d in steps)
    figure = _figure(middle, step)
    return Fact(figure + unit, (figure,) if unit else (), also)


def _figure(count: int, step: float) -> str:
    return f"{count * step:.1f}" if step < 1 else str(int(count * step))
