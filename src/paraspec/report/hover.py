"""Names that a figure's marks tell to a pointer, a finger or the arrow keys."""

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote, unquote

import numpy as np
from matplotlib.axes import Axes

NAMES = "names:"
"""Beginning of the identifier of a group of named marks; their names follow."""


def name_points(
    axes: Axes, xs: Iterable[float], ys: Iterable[float], texts: Iterable[str]
) -> None:
    """Lay unseen marks over points, where pointers find their names in an SVG."""
    found = [p for p in zip(xs, ys, texts, strict=True) if np.isfinite(p[:2]).all()]
    if found:
        x, y, named = zip(*found, strict=True)
        marks = axes.scatter(x, y, s=130, facecolors="none", linewidths=0, zorder=9)
        marks.set_in_layout(False)
        marks.set_gid(NAMES + " ".join(quote(text, safe="") for text in named))


def with_names(svg: str) -> str:
    """Give each mark of :func:`name_points` its ``<title>``.

    >>> with_names('<g id="names:a%20%3C%20b c"><use x="1"/><use x="2"/></g>')
    ... # doctest: +NORMALIZE_WHITESPACE
    '<g id="names-0"><g class="tip" pointer-events="all"><title>a &lt; b</title><use
    x="1"/></g><g class="tip" pointer-events="all"><title>c</title><use x="2"/></g></g>'
    """
    head, *parts = svg.split(f'<g id="{NAMES}')
    return head + "".join(_named(part, place) for place, part in enumerate(parts))


def _named(part: str, place: int) -> str:
    """Text after the start of a group of marks, with titles on its first marks."""
    names, rest = part.split('"', maxsplit=1)
    texts = iter(names.split(" "))

    def title(mark: re.Match[str]) -> str:
        text = escape(unquote(next(texts)), quote=False)
        begin = f'<g class="tip" pointer-events="all"><title>{text}</title>'
        return f"{begin}{mark[0]}</g>"

    marks = re.sub(r"<use [^>]*/>", title, rest, count=names.count(" ") + 1)
    return f'<g id="{NAMES[:-1]}-{place}"{marks}'
