"""What a category module hands to the builder: entities, relations and facts.

A category module (``countries``, ``elements``, ``cities``) exposes two names:
``RELATIONS``, its menu of relations, and ``entities()``, every candidate concept with
the facts that the pinned libraries give about it. The builder alone decides which
ten relations a concept is asked, which options stand beside the gold one, and why a
fact is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Relation:
    """One kind of fact, and the ways in which it is asked and stated."""

    name: str
    """Identifier, unique within the category, e.g. ``capital``."""
    question: str
    """Natural question with ``{name}``, e.g. ``What is the capital of {name}?``"""
    statements: tuple[str, ...]
    """At least five differently worded cloze prefixes with ``{name}``. A full statement
    is the prefix, one space and the answer, e.g. ``The capital of {name} is``."""
    country_derived: bool = False
    """True where the answer is a function of a city's country (cities only)."""
    group: str = ""
    """Relations that share a non-empty group exclude each other within one concept
    (at most one of ISO2, ISO3 and top-level domain)."""


@dataclass(frozen=True)
class Fact:
    """The answer to one relation of one entity."""

    answer: str
    """The gold option, as a reader would write it at the end of a statement."""
    aliases: tuple[str, ...] = ()
    """Other spellings that count as right in free text."""
    also_true: tuple[str, ...] = ()
    """Other true answers (second official language, further neighbours): never
    distractors."""


@dataclass(frozen=True)
class Entity:
    """A candidate concept with everything that is known about it."""

    name: str
    """English name as it stands in questions."""
    category: str
    """``country``, ``element`` or ``city``."""
    facts: Mapping[str, Fact]
    """Relation name to fact; a relation without a certain answer is absent."""
    omissions: Mapping[str, str] = field(default_factory=dict)
    """Relation name to the reason why no fact is given."""
    entities: tuple[str, ...] = ()
    """Names of other entities that this one shares its subject with (a city's country,
    a country's capital): their items are kept out of this concept's general set."""
    in_text: str = ""
    """The name as it stands inside a sentence, where that differs from ``name``:
    ``the Netherlands``. The builder capitalises it at the start of a sentence."""
