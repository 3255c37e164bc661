"""Facts that an element's place in the periodic table gives."""

import re
from collections.abc import Mapping
from functools import cache

from paraspec.data.factbook.element_sources import Element, elements
from paraspec.data.factbook.facts import Fact

Outcome = Fact | str
"""A fact, or the reason why there is none."""

GROUP_3_DISPUTE = {"La", "Lu", "Ac", "Lr"}
"""Either the first or the last of each f row stands below yttrium, by author."""

BELOW_YTTRIUM = {"La", "Lu"}

F_ROWS = (range(57, 72), range(89, 104))
"""Lanthanides and actinides; each actinide stands below the lanthanide 32 before."""

GROUP_12 = {"Zn", "Cd", "Hg", "Cn"}

NO_CHEMISTRY = 109
"""From meitnerium on, the chemistry is unknown."""

OPEN_FAMILY = {"Se", "Po", "At"}

FAMILIES = {
    "Nonmetals": "reactive nonmetals",
    "Noble gases": "noble gases",
    "Alkali metals": "alkali metals",
    "Alkaline earth metals": "alkaline earth metals",
    "Metalloids": "metalloids",
    "Halogens": "halogens",
    "Poor metals": "poor metals",
    "Transition metals": "transition metals",
    "Lanthanides": "lanthanides",
    "Actinides": "actinides",
}
"""mendeleev's series, as most textbooks call them."""

FAMILY_ALIASES = {
    "lanthanides": ("lanthanoids",),
    "actinides": ("actinoids",),
    "poor metals": ("post-transition metals", "other metals"),
    "reactive nonmetals": ("nonmetals", "other nonmetals"),
    "metalloids": ("semimetals",),
}

FAMILIES_ALSO = {"Halogens": ("reactive nonmetals",)}
"""Wider families that some authors count a family under: never wrong answers."""

F_ROW_ENDS = {
    "Lu": ("lanthanides", ("transition metals",)),
    "Lr": ("actinides", ("transition metals",)),
}
"""The end of each f row: IUPAC's family first, then that of other authors."""

SPELLINGS = {
    "aluminum": ("aluminium",),
    "cesium": ("caesium",),
    "sulfur": ("sulphur",),
}

UNSETTLED_CONFIGURATION = {"Ds", "Rg"}
"""mendeleev extrapolates from platinum and gold; calculations say otherwise."""

DIGITS = ("nil", "un", "bi", "tri", "quad", "pent", "hex", "sept", "oct", "enn")
"""IUPAC's roots for the digits of a systematic name."""

FIRST_SYSTEMATIC = 101
"""First element in IUPAC's list of systematic names (1978)."""


def symbol(element: Element) -> Outcome:
    """Chemical symbol; the builder drops those that the name gives away."""
    return Fact(element.symbol)


def atomic_number(element: Element) -> Outcome:
    """Number of protons."""
    return Fact(str(element.number))


def group(element: Element) -> Outcome:
    """Column, 1 to 18."""
    number = _column(element)
    if number is None:
        return "lanthanides and actinides have no agreed group"
    return Fact(str(number), (f"group {number}",))


def _column(element: Element) -> int | None:
    number = element.record["group_id"]
    in_f_row = any(element.number in row for row in F_ROWS)
    return None if in_f_row or number is None else int(number)


def period(element: Element) -> Outcome:
    """Row, 1 to 7."""
    return Fact(str(_row(element)))


def _row(element: Element) -> int:
    return int(element.record["period"])


def block(element: Element) -> Outcome:
    """Block of the subshell that is being filled."""
    if element.symbol in GROUP_3_DISPUTE:
        return "the limits of the f-block are disputed"
    letter = element.record["block"]
    return Fact(f"{letter}-block", (f"{letter} block", letter))


def family(element: Element) -> Outcome:
    """Chemical series, in the plural."""
    if element.number >= NO_CHEMISTRY:
        return "the chemistry is unknown"
    if element.symbol in GROUP_12:
        return "transition or post-transition metal, by author"
    if element.symbol in OPEN_FAMILY:
        return "authors place it in different families"
    usual = (FAMILIES[element.series], FAMILIES_ALSO.get(element.series, ()))
    name, also = F_ROW_ENDS.get(element.symbol, usual)
    return Fact(name, FAMILY_ALIASES.get(name, ()), also)


def previous_element(element: Element) -> Outcome:
    """Neighbor with one proton fewer."""
    if element.number == 1:
        return "the first element"
    return _named(_by_number()[element.number - 1])


def next_element(element: Element) -> Outcome:
    """Neighbor with one proton more."""
    return _named(_by_number()[element.number + 1])


def element_above(element: Element) -> Outcome:
    """Neighbor in the row before."""
    if element.symbol in BELOW_YTTRIUM:
        return "yttrium or nothing, by author"
    return _vertical(element, -1) or "nothing stands above it"


def element_below(element: Element) -> Outcome:
    """Neighbor in the row after."""
    if element.symbol == "Y":
        return "lanthanum or lutetium, by author"
    return _vertical(element, 1) or "nothing stands below it"


def _vertical(element: Element, step: int) -> Fact | None:
    if _column(element) is None:
        number = element.number + step * 32
        in_rows = any(number in row for row in F_ROWS)
        return _named(_by_number()[number]) if in_rows else None
    for other in elements():
        same_column = _column(other) == _column(element)
        if same_column and _row(other) == _row(element) + step:
            return _named(other)
    return None


@cache
def _by_number() -> Mapping[int, Element]:
    return {element.number: element for element in elements()}


def _named(element: Element) -> Fact:
    return Fact(element.name, SPELLINGS.get(element.name, ()))


def valence_configuration(element: Element) -> Outcome:
    """Ground state outside the noble-gas core and the filled inner d and f shells.

    >>> iron = next(e for e in elements() if e.symbol == "Fe")
    >>> valence_configuration(iron).answer
    '3d6 4s2'
    """
    if element.symbol in UNSETTLED_CONFIGURATION:
        return "calculations disagree"
    written = str(element.record["electronic_configuration"])
    shells = re.findall(r"\d[spdf]\d*", written)
    full = [s if s[2:] else s + "1" for s in shells]
    kept = [s for s in full if not _inner(s, full)]
    return Fact(" ".join(kept), ("".join(kept),) if len(kept) > 1 else ())


def _inner(shell: str, shells: list[str]) -> bool:
    letters = {s[1] for s in shells}
    if shell[1:] == "f14":
        return bool(letters & {"d", "p"})
    return shell[1:] == "d10" and "p" in letters


def systematic_name(element: Element) -> Outcome:
    """IUPAC's systematic name, e.g. ``unnilquadium`` for 104."""
    if element.number < FIRST_SYSTEMATIC:
        return "IUPAC's systematic names begin with element 101"
    roots = "".join(DIGITS[int(digit)] for digit in str(element.number))
    # IUPAC drops the last n of enn before nil and the i of bi and tri before ium.
    name = roots.replace("ennn", "enn").rstrip("i") + "ium"
    return Fact(name, (f"element {element.number}",))
