"""Build the factbook: 525 real concepts with ten questions each.

Start at :func:`build`. Nothing here is random: wherever a choice is free, names are
hashed, so that the same libraries always give the same bytes.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from paraspec.data.factbook import cities, countries, elements
from paraspec.data.factbook.coverage import Row, coverage
from paraspec.data.factbook.facts import Entity, Relation
from paraspec.data.factbook.giveaway import fold
from paraspec.data.factbook.halves import split_halves
from paraspec.data.factbook.options import arrange, positions
from paraspec.data.factbook.plan import Category, Plan, plan
from paraspec.data.factbook.select import N_QUESTIONS
from paraspec.data.factbook.tiers import is_common_word, zipf
from paraspec.data.factbook.usable import Usable
from paraspec.data.format import Concept, Half, Question


@dataclass(frozen=True)
class Factbook:
    """The concepts, and the account of every relation that they are not asked."""

    concepts: tuple[Concept, ...]
    coverage: tuple[Row, ...]


def categories() -> tuple[Category, ...]:
    """Return the three categories with their shares of the 525 concepts.

    No two cities share more than half of their answers.
    """
    half = N_QUESTIONS // 2
    return (
        Category("country", 195, countries.RELATIONS, countries.entities()),
        Category("element", 117, elements.RELATIONS, elements.entities()),
        Category("city", 213, cities.RELATIONS, cities.entities(), half),
    )


def build(menu: Sequence[Category]) -> Factbook:
    """Build all categories into one factbook, sorted by concept."""
    concepts: list[Concept] = []
    rows: list[Row] = []
    for category in sorted(menu, key=lambda one: one.name):
        decided = plan(category)
        concepts += _concepts(category, decided)
        rows += coverage(category, decided)
    return Factbook(tuple(sorted(concepts, key=lambda c: c.concept)), tuple(rows))


def to_jsonl(concepts: Iterable[Concept]) -> str:
    """Write concepts as JSON lines, keys in the order of the format."""
    return "".join(f"{concept.model_dump_json()}\n" for concept in concepts)


def slug(name: str) -> str:
    """Turn a name into an identifier.

    >>> slug("São Tomé and Príncipe")
    'sao-tome-and-principe'
    """
    return "-".join(re.findall(r"[a-z0-9]+", fold(name)))


def render(template: str, entity: Entity) -> str:
    """Put the name into a question or statement.

    >>> netherlands = Entity("Netherlands", "country", {}, in_text="the Netherlands")
    >>> render("{name} lies in", netherlands), render("In {name},", netherlands)
    ('The Netherlands lies in', 'In the Netherlands,')
    """
    text = template.format(name=entity.in_text or entity.name)
    return text[0].upper() + text[1:]


def _concepts(category: Category, decided: Plan) -> list[Concept]:
    halves = split_halves(decided.asked)
    gold_at = positions(decided.asked)
    relations = {relation.name: relation for relation in category.relations}
    return [
        _concept(
            candidate,
            decided,
            tuple(
                _question(candidate, relations[name], halves, gold_at, decided.wrong)
                for name in decided.asked[candidate.entity.name]
            ),
        )
        for candidate in decided.concepts
    ]


def _concept(
    candidate: Usable, decided: Plan, questions: tuple[Question, ...]
) -> Concept:
    entity = candidate.entity
    return Concept(
        concept=slug(entity.name),
        name=entity.name,
        category=entity.category,
        tier=decided.tier_of[entity.name],
        zipf=zipf(entity.name),
        common_word=is_common_word(entity.name),
        entities=entity.entities,
        questions=questions,
    )


def _question(
    candidate: Usable,
    relation: Relation,
    halves: Mapping[str, Mapping[str, Half]],
    gold_at: Mapping[tuple[str, str], int],
    wrong: Mapping[tuple[str, str], tuple[str, ...]],
) -> Question:
    entity, name = candidate.entity, candidate.entity.name
    fact, key = candidate.facts[relation.name], (name, relation.name)
    return Question(
        item=f"{slug(name)}.{relation.name}",
        relation=relation.name,
        question=render(relation.question, entity),
        options=arrange(*key, fact.answer, wrong[key], gold_at[key]),
        gold=gold_at[key],
        aliases=fact.aliases,
        also_true=fact.also_true,
        statements=tuple(render(prefix, entity) for prefix in relation.statements),
        half=halves[name][relation.name],
        country_derived=relation.country_derived,
    )
