"""SVG files made fit for standing inside one HTML page."""

import re
from html import escape

from markupsafe import Markup

from paraspec.report.style import ASCENDING, BLUE, GREY, INK, MUTED, PAPER, RULE

VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    PAPER: "var(--card)",
    GREY: "var(--grey)",
    BLUE: "var(--blue)",
    ASCENDING[0][0]: "var(--weakest)",
    ASCENDING[1][0]: "var(--weak)",
}
"""Colours that follow the page's light or dark scheme (templates/report.css)."""

PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
SIZE = re.compile(r'(<svg\b[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"', re.DOTALL)
SIZE_TURNED = re.compile(
    r'(<svg\b[^>]*?) width="[^"]*"([^>]*?) height="[^"]*"', re.DOTALL
)
DEFINED = re.compile(r'\bid="([^"]+)"')
USED = re.compile(r'(url\(#|href="#)')


def inline_svg(svg: str, name: str, alt: str) -> Markup:
    """Return the ``<svg>`` element, described, with identifiers of its own.

    Parameters
    ----------
    svg
        Text of the file.
    name
        Prefix that keeps this figure's identifiers apart from other figures'.
    alt
        Description for readers who cannot see the figure.
    """
    text = METADATA.sub("", PROLOGUE.sub("", svg, count=1), count=1)
    for pattern in (SIZE, SIZE_TURNED):
        text = pattern.sub(r"\1\2", text, count=1)
    text = DEFINED.sub(rf'id="{name}-\1"', text)
    text = USED.sub(rf"\g<1>{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, variable)
    label = escape(alt, quote=True)
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))
