"""Ranges that turn a number into a short answer, and numbers too near an edge."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """A half-open range ``low <= value < high`` and the answer it stands for."""

    low: float
    high: float
    label: str


def bands(edges: Sequence[float], labels: Sequence[str]) -> tuple[Band, ...]:
    """Return the ranges between consecutive ``edges``, one per label.

    >>> bands([0, 1, 5], ["under 1", "1 to 5"])[1]
    Band(low=1, high=5, label='1 to 5')
    """
    pairs = zip(edges[:-1], edges[1:], labels, strict=True)
    return tuple(Band(low, high, label) for low, high, label in pairs)


def label_of(low: float, high: float, ranges: Sequence[Band]) -> str:
    """Label of the one range that holds all of ``low`` to ``high``; empty if none does.

    The caller widens a figure to the span in which its true value may lie.

    >>> menu = bands([0, 1, 5], ["under 1", "1 to 5"])
    >>> label_of(1.1, 1.4, menu), label_of(0.9, 1.1, menu)
    ('1 to 5', '')
    """
    fitting = [b.label for b in ranges if b.low <= low and high < b.high]
    return fitting[0] if fitting else ""
