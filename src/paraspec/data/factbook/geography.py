"""Nearest and farthest places, and compass directions, where they are beyond doubt."""

from collections.abc import Iterable, Sequence
from math import asinh, atan2, cos, degrees, pi, radians, sin, tan

from paraspec.data.factbook.sources import Place

COMPASS = (
    "north",
    "northeast",
    "east",
    "southeast",
    "south",
    "southwest",
    "west",
    "northwest",
)

SECTOR = 360 / len(COMPASS)

CLEAR_DEGREES = 4.0
"""A bearing this near the edge of its sector could be read either way."""


def nearest(
    here: Place, others: Iterable[tuple[str, Place]], clearly: float
) -> tuple[str, float]:
    """Name and distance of the nearest place.

    The name is empty where the second nearest is not ``clearly`` times as far.

    >>> towns = [("near", Place(0, 1)), ("far", Place(0, 2))]
    >>> nearest(Place(0, 0), towns, 1.1)[0], nearest(Place(0, 0), towns, 3.0)[0]
    ('near', '')
    """
    (first, name), (second, _) = _by_distance(here, others)[:2]
    return (name if second >= clearly * first else ""), first


def farthest(
    here: Place, others: Iterable[tuple[str, Place]], clearly_km: float
) -> str:
    """Name of the farthest place; empty where the next is nearly as far.

    >>> farthest(Place(0, 0), [("near", Place(0, 1)), ("far", Place(0, 9))], 100)
    'far'
    """
    (second, _), (first, name) = _by_distance(here, others)[-2:]
    return name if first >= second + clearly_km else ""


def direction(start: Place, end: Place) -> str:
    """Compass direction from ``start`` to ``end``; empty where maps could disagree.

    Both the course on a Mercator map and the great circle must point the same way.

    >>> direction(Place(0, 0), Place(1, 0)), direction(Place(0, 0), Place(5, 2))
    ('north', '')
    """
    bearings = _rhumb_bearing(start, end), _great_circle_bearing(start, end)
    points = {_point(b + s) for b in bearings for s in (-CLEAR_DEGREES, CLEAR_DEGREES)}
    return points.pop() if len(points) == 1 else ""


def _by_distance(
    here: Place, others: Iterable[tuple[str, Place]]
) -> Sequence[tuple[float, str]]:
    return sorted((here.distance_km(place), name) for name, place in others)


def _point(bearing: float) -> str:
    return COMPASS[round(bearing / SECTOR) % len(COMPASS)]


def _rhumb_bearing(start: Place, end: Place) -> float:
    east = radians(end.longitude - start.longitude)
    east = (east + pi) % (2 * pi) - pi
    north = asinh(tan(radians(end.latitude))) - asinh(tan(radians(start.latitude)))
    return degrees(atan2(east, north))


def _great_circle_bearing(start: Place, end: Place) -> float:
    lat, end_lat = radians(start.latitude), radians(end.latitude)
    east = radians(end.longitude - start.longitude)
    north = cos(lat) * sin(end_lat) - sin(lat) * cos(end_lat) * cos(east)
    return degrees(atan2(sin(east) * cos(end_lat), north))
