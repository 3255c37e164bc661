"""What elements are read from: the reviewed list and mendeleev's tables."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mendeleev.fetch import fetch_table

from paraspec.core.errors import UserError

REVIEWED = Path(__file__).parents[4] / "data" / "elements.tsv"
"""The reviewed list, beside the package in the repository."""

YEARS = {
    "minute": 1 / 525_960,
    "hour": 1 / 8_766,
    "day": 1 / 365.25,
    "year": 1.0,
    "kyear": 1e3,
    "Myear": 1e6,
    "Gyear": 1e9,
    "Eyear": 1e18,
    "sec": 1 / 31_557_600,
}
"""mendeleev's units of half-life that matter here, in years."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Lifetime:
    """Half-life of one isotope, with the span of its uncertainty, in years."""

    mass_number: int
    years: float
    low: float
    high: float


@dataclass(frozen=True)
class Element:
    """One element: its reviewed row and mendeleev's records."""

    number: int
    symbol: str
    name: str
    """English name in lower case, as it stands inside a sentence."""
    record: Row
    """mendeleev's row of the table ``elements``."""
    series: str
    reviewed: Mapping[str, str]
    omit: Mapping[str, str]
    """Relation to the reviewer's reason to leave it out."""
    abundances: Mapping[int, float]
    """Mass number of each isotope with a natural abundance, in percent."""
    lifetimes: tuple[Lifetime, ...]
    """Radioactive isotopes with a known half-life, longest first."""
    transitions: tuple[Row, ...]
    """Melting and boiling points, one row per allotrope."""
    ionization_ev: float | None


@cache
def elements(reviewed: Path = REVIEWED) -> tuple[Element, ...]:
    """Read the 118 elements by atomic number; ``reviewed`` lacks oganesson."""
    rows = _reviewed(reviewed)
    records = _rows("elements")
    missing = {record["symbol"] for record in records} - set(rows) - {"Og"}
    if missing:
        fault = f"no row for {', '.join(sorted(missing))}"
        raise UserError(reviewed, fault, "Give every element but oganesson a row.")
    return tuple(_element(record, rows.get(record["symbol"], {})) for record in records)


def _reviewed(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        raise UserError(path, "no such file", "Run from a checkout of the project.")
    with path.open(encoding="utf-8", newline="") as stream:
        lines = [line for line in stream if not line.startswith("#")]
    return {row["symbol"]: row for row in csv.DictReader(lines, delimiter="\t")}


def _element(record: Row, reviewed: Mapping[str, str]) -> Element:
    number = int(record["atomic_number"])
    isotopes = _of("isotopes", number)
    charges = {int(r["ion_charge"]): r for r in _of("ionizationenergies", number)}
    energy = charges.get(0, {}).get("ionization_energy")
    omit = split(reviewed.get("omit", ""))
    return Element(
        number=number,
        symbol=record["symbol"],
        name=record["name"].lower(),
        record=record,
        series=_series()[record["series_id"]],
        reviewed=reviewed,
        omit=dict(pair.split("=", 1) for pair in omit),
        abundances={
            int(r["mass_number"]): float(r["abundance"])
            for r in isotopes
            if r["abundance"] is not None
        },
        lifetimes=_lifetimes(isotopes),
        transitions=tuple(_of("phasetransitions", number)),
        ionization_ev=None if energy is None else float(energy),
    )


def split(cell: str) -> list[str]:
    """Take the parts of a cell that semicolons divide.

    >>> split("Bussy; Wöhler"), split("")
    (['Bussy', 'Wöhler'], [])
    """
    return [part.strip() for part in cell.split(";") if part.strip()]


def _lifetimes(isotopes: list[Row]) -> tuple[Lifetime, ...]:
    found = []
    for row in isotopes:
        unit = YEARS.get(row["half_life_unit"] or "")
        if unit and row["half_life"] and row["half_life_uncertainty"]:
            value, error = row["half_life"] * unit, row["half_life_uncertainty"] * unit
            mass = int(row["mass_number"])
            found.append(Lifetime(mass, value, value - error, value + error))
    return tuple(sorted(found, key=lambda isotope: -isotope.years))


def _of(table: str, number: int) -> list[Row]:
    return [row for row in _rows(table) if int(row["atomic_number"]) == number]


@cache
def _series() -> dict[int, str]:
    return {row["id"]: row["name"] for row in _rows("series")}


@cache
def _rows(table: str) -> tuple[Row, ...]:
    frame = fetch_table(table)
    # Missing numbers come as NaN, missing words as None: here both are None.
    tidy = frame.astype(object).where(frame.notna(), None)
    return tuple(tidy.to_dict("records"))
