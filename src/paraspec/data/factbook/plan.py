"""Everything that is decided about one category, before anything is written.

:func:`plan` chooses concepts, relations and wrong options, checks the outcome, takes
back what was unfair and chooses again until nothing is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from paraspec.core.errors import UserError
from paraspec.core.seeds import seed_for
from paraspec.data.factbook.facts import Entity, Relation
from paraspec.data.factbook.giveaway import fold
from paraspec.data.factbook.options import Item, draw
from paraspec.data.factbook.select import (
    ANSWER_SHARE,
    MOST_DERIVED,
    N_QUESTIONS,
    choose,
)
from paraspec.data.factbook.tiers import tiers
from paraspec.data.factbook.usable import Usable, exclusive_sets, usable
from paraspec.data.format import Tier

ROUNDS = 200
"""Corrections after which a category is given up; a few dozen suffice."""

SHARE_STEP = 0.02
"""How much rarer a relation's most frequent answers become in a correction."""


LEAST_SHARE = 0.2
"""Where even that does not help, the relation is left out of the category."""

HOPELESS = "no balanced wrong options in this category"


@dataclass(frozen=True)
class Category:
    """Candidates of one category, and how many of them are wanted."""

    name: str
    size: int
    relations: tuple[Relation, ...]
    entities: tuple[Entity, ...]
    most_shared: int = N_QUESTIONS
    """Answers that two concepts may have in common."""


@dataclass(frozen=True)
class Plan:
    """The concepts of a category and what they are asked."""

    concepts: tuple[Usable, ...]
    left_over: tuple[Usable, ...]
    """Candidates that are not needed or cannot have ten questions."""
    tier_of: Mapping[str, Tier]
    """Concept name to tier."""
    asked: Mapping[str, tuple[str, ...]]
    """Concept name to its ten relations, in menu order."""
    wrong: Mapping[tuple[str, str], tuple[str, ...]]
    """Concept name and relation to the three wrong options."""


@dataclass(frozen=True)
class Fault:
    """A fact that turned out unfair to ask."""

    concept: str
    relation: str
    reason: str


def plan(category: Category) -> Plan:
    """Choose a category's concepts, relations and wrong options."""
    pool = tuple(usable(entity, category.relations) for entity in category.entities)
    shares: dict[str, float] = {}
    for _ in range(ROUNDS):
        concepts = _richest(pool, category)
        tier_of = tiers([concept.entity.name for concept in concepts])
        asked = choose(concepts, tier_of, category.relations, shares)
        short = {name for name, chosen in asked.items() if len(chosen) < N_QUESTIONS}
        if short:
            pool = _withdraw(pool, short, category)
            continue
        outcome = _options(concepts, asked, pool)
        faults = [
            *outcome.faults,
            *_too_alike(concepts, asked, category.most_shared),
        ]
        if not faults and not outcome.overused:
            left_over = tuple(c for c in pool if c.entity.name not in tier_of)
            return Plan(concepts, left_over, tier_of, asked, outcome.wrong)
        pool = _take_back(pool, faults)
        for relation in outcome.overused:
            shares[relation] = shares.get(relation, ANSWER_SHARE) - SHARE_STEP
            if shares[relation] < LEAST_SHARE:
                hopeless = [Fault(c.entity.name, relation, HOPELESS) for c in pool]
                pool = _take_back(pool, hopeless)
    raise UserError(
        category.name,
        f"no fair set of questions after {ROUNDS} corrections",
        "Give the category more relations or more candidates.",
    )


def _richest(pool: Sequence[Usable], category: Category) -> tuple[Usable, ...]:
    """Return as many candidates as wanted, those with the widest choice first."""
    able = [one for one in pool if _choice(one, category.relations) >= N_QUESTIONS]
    if len(able) < category.size:
        lacking = sorted({c.entity.name for c in pool} - {c.entity.name for c in able})
        raise UserError(
            category.name,
            f"{len(able)} candidates can have {N_QUESTIONS} questions, {category.size} "
            f"are wanted; lacking: {', '.join(lacking)}",
            "Give them more facts, or lower the category's share.",
        )
    ranked = sorted(
        able,
        key=lambda one: (
            -_choice(one, category.relations),
            seed_for("candidate", one.entity.name),
        ),
    )
    return tuple(ranked[: category.size])


def _choice(candidate: Usable, relations: Iterable[Relation]) -> int:
    """Most questions that the candidate could have, taken by itself."""
    groups = {relation.name: relation.group for relation in relations}
    derived = {relation.name for relation in relations if relation.country_derived}
    sets = exclusive_sets(candidate.facts, groups)
    n_derived = sum(not derived.isdisjoint(one) for one in sets)
    return len(sets) - max(0, n_derived - MOST_DERIVED)


def _withdraw(
    pool: Sequence[Usable], short: set[str], category: Category
) -> tuple[Usable, ...]:
    if len(pool) - len(short) < category.size:
        raise UserError(
            category.name,
            f"not {N_QUESTIONS} questions for {', '.join(sorted(short))}",
            "Give them more facts, or add candidates.",
        )
    return tuple(
        replace(one, facts={}) if one.entity.name in short else one for one in pool
    )


@dataclass(frozen=True)
class _Options:
    wrong: Mapping[tuple[str, str], tuple[str, ...]]
    faults: tuple[Fault, ...]
    overused: tuple[str, ...]


def _options(
    concepts: Sequence[Usable],
    asked: Mapping[str, Sequence[str]],
    pool: Sequence[Usable],
) -> _Options:
    wrong: dict[tuple[str, str], tuple[str, ...]] = {}
    faults: list[Fault] = []
    overused: list[str] = []
    for relation in sorted({name for names in asked.values() for name in names}):
        drawn = draw(
            relation,
            [
                Item(one.entity.name, one.facts[relation])
                for one in concepts
                if relation in asked[one.entity.name]
            ],
            {one.facts[relation].answer for one in pool if relation in one.facts},
        )
        wrong |= {(name, relation): three for name, three in drawn.distractors.items()}
        reason = "too few clean wrong options"
        faults += [Fault(name, relation, reason) for name in drawn.unfilled]
        if drawn.overused and not drawn.unfilled:
            overused.append(relation)
    return _Options(wrong, tuple(faults), tuple(overused))


def _too_alike(
    concepts: Sequence[Usable], asked: Mapping[str, Sequence[str]], most_shared: int
) -> list[Fault]:
    """Find pairs that share too many answers; one of the two gives way."""
    answers = {
        one.entity.name: {
            (relation, fold(one.facts[relation].answer))
            for relation in asked[one.entity.name]
        }
        for one in concepts
    }
    faults: dict[str, Fault] = {}
    for one, other in combinations(sorted(answers), 2):
        shared = sorted(answers[one] & answers[other])
        if len(shared) > most_shared and not {one, other} & faults.keys():
            relation = min(shared, key=lambda s: seed_for("alike", one, other, *s))[0]
            reason = f"too many answers in common with {one}"
            faults[other] = Fault(other, relation, reason)
    return list(faults.values())


def _take_back(pool: Sequence[Usable], faults: Sequence[Fault]) -> tuple[Usable, ...]:
    by_name: dict[str, list[Fault]] = {}
    for fault in faults:
        by_name.setdefault(fault.concept, []).append(fault)
    return tuple(_without(one, by_name.get(one.entity.name, [])) for one in pool)


def _without(candidate: Usable, faults: Iterable[Fault]) -> Usable:
    for fault in faults:
        candidate = candidate.without(fault.relation, fault.reason)
    return candidate
