"""The page's first table: each claim with its verdict, effect, control and figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from paraspec.core.definitions import NONE
from paraspec.report.catalogue import CATALOGUE
from paraspec.report.numbers import interval, number, with_interval

SIGNS = {
    "replicated": "\N{CHECK MARK}",
    "partly": "\N{CIRCLE WITH LEFT HALF BLACK}",
    "not": "\N{MULTIPLICATION X}",
    "not testable": "\N{EN DASH}",
}
"""A shape beside the colour and the word of each verdict."""

PASSED = {
    "yes": "\N{CHECK MARK} passed:",
    "no": "\N{MULTIPLICATION X} failed:",
    "unknown": "? open:",
}
"""What became of the named control."""
SURVIVES = "\N{CHECK MARK} survives:"
"""The same of an effect that is there."""

SYMBOLS = {"pearson": "r", "spearman": "\N{GREEK SMALL LETTER RHO}", "partial": "r"}
"""Statistic's first word to the symbol that stands before its value."""

SPAN = (-1.5, 2.5)
"""Ends of the small plot, in smallest effects of interest."""
WIDTH, HEIGHT = 132, 18


@dataclass(frozen=True)
class Group:
    """Claims of one origin."""

    title: str
    rows: list[dict[str, object]]


def groups(
    claims: pd.DataFrame, figures: Sequence[str] = tuple(CATALOGUE)
) -> list[Group]:
    """Claims of the paper, and those that ask what else could explain them.

    The first claim of the table is the study's primary endpoint. ``figures`` are those
    that the page shows, in its order.
    """
    first = claims["id"].iloc[:1].tolist()
    paper = claims["source"].str.startswith("paper")
    parts = (
        ("What the paper claims", claims[paper]),
        (
            "What a sceptic asks: is the effect specific, and does it survive?",
            claims[~paper],
        ),
    )
    return [
        Group(
            title,
            [
                _row(row, figures) | {"primary": row["id"] in first}
                for _, row in rows.iterrows()
            ],
        )
        for title, rows in parts
        if len(rows)
    ]


def _row(row: pd.Series, figures: Sequence[str]) -> dict[str, object]:
    """What the template writes of one claim."""
    ends = row["estimate_low"], row["estimate_high"]
    figure = str(row["figure"])
    return {
        "id": row["id"],
        "claim": row["claim"],
        "verdict": row["verdict"],
        "css": str(row["verdict"]).replace(" ", "-"),
        "sign": SIGNS[str(row["verdict"])],
        "sentence": _sentence(row),
        "symbol": SYMBOLS.get(str(row["statistic"]).split(" ")[0], ""),
        "sort": f"{row['estimate']:.6g}",
        "estimate": number(row["estimate"]),
        "interval": interval(*ends),
        "forest": forest(row),
        "control": "" if row["control"] == NONE else row["control"],
        "passed": _passed(row),
        "passed_css": f"passed-{row['control_passed']}",
        "figure": figure if figure in figures else "",
        "figure_number": figures.index(figure) + 1 if figure in figures else 0,
    }


def _passed(row: pd.Series) -> str:
    passed, verdict = str(row["control_passed"]), str(row["verdict"])
    if passed == "yes" and verdict in ("replicated", "partly"):
        return SURVIVES
    return PASSED.get(passed, "")


def _sentence(row: pd.Series) -> str:
    """The reason as a sentence."""
    text = str(row["reason"])
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def forest(row: pd.Series) -> Markup:
    """Small plot of the interval, in units of the claim's smallest effect of interest.

    Zero is a line, the smallest effect a dashed one, the equivalence margin a band. An
    interval that leaves the plot ends in an arrow. A claim with a negative direction
    is turned round, so that to the right is always the claim's direction.
    """
    unit = float(row["smallest_effect"])
    turn = -1.0 if row["direction"] == "negative" else 1.0
    ends = [turn * float(row[c]) / unit for c in ("estimate_low", "estimate_high")]
    if not all(math.isfinite(end) for end in ends):
        return Markup("")
    low, high = sorted(ends)
    parts = [*_frame(float(row["margin"]) / unit), _line(low, high)]
    middle = turn * float(row["estimate"]) / unit
    if SPAN[0] <= middle <= SPAN[1]:
        parts.append(f'<circle cx="{_x(middle)}" cy="{HEIGHT / 2:g}" r="3"/>')
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return Markup(
        f'<svg class="forest" aria-hidden="true" {size}>{"".join(parts)}</svg>'
    )


def _frame(margin: float) -> list[str]:
    band = (
        f'<rect class="band" x="{_x(-margin)}" y="0" height="{HEIGHT}" '
        f'width="{_x(margin) - _x(-margin):g}"/>'
        if math.isfinite(margin)
        else ""
    )
    return [
        band,
        f'<path class="zero" d="M{_x(0)} 0V{HEIGHT}"/>',
        f'<path class="unit" d="M{_x(1)} 0V{HEIGHT}"/>',
    ]


def _line(low: float, high: float) -> str:
    """The interval, with an arrow at each end that is cut off."""
    y = HEIGHT / 2
    left, right = (_x(min(max(end, SPAN[0]), SPAN[1])) for end in (low, high))
    heads = ""
    if low < SPAN[0]:
        heads += f"M{left + 4:g} {y - 4:g}L{left} {y:g}L{left + 4:g} {y + 4:g}"
    if high > SPAN[1]:
        heads += f"M{right - 4:g} {y - 4:g}L{right} {y:g}L{right - 4:g} {y + 4:g}"
    return f'<path class="interval" d="M{left} {y:g}H{right}{heads}"/>'


def _x(value: float) -> float:
    """Horizontal place of a value, whole tenths of a pixel."""
    share = (value - SPAN[0]) / (SPAN[1] - SPAN[0])
    return round(2 + share * (WIDTH - 4), 1)


def control_value(row: pd.Series) -> str:
    """Estimate of the control with its interval; empty where there is none."""
    ends = row["control_estimate_low"], row["control_estimate_high"]
    value = row["control_estimate"]
    return with_interval(value, *ends) if math.isfinite(value) else ""
