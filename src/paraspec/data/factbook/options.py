"""Wrong options for each question, and where the right one stands.

Within one relation every answer should be gold in about a quarter of the questions
where it appears, so that the options alone tell nothing. Distractors are therefore the
gold answers of other questions of the relation, each used about three times as often
as it is gold.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from paraspec.core.seeds import seed_for
from paraspec.data.factbook.facts import Fact
from paraspec.data.factbook.giveaway import fold, gives_away

N_OPTIONS = 4

MOST_GOLD = 0.35
"""Largest share of an answer's appearances in which it may be gold (rule 13)."""


SPARE = -1.0
"""Rank of an answer that is never gold: after all that are, unless they appear far more
often than is their due."""


@dataclass(frozen=True)
class Item:
    """A concept's name and its fact, for one relation."""

    name: str
    fact: Fact


@dataclass(frozen=True)
class Drawn:
    """Distractors of one relation's items."""

    distractors: Mapping[str, tuple[str, ...]]
    """Concept name to its three wrong options."""
    unfilled: tuple[str, ...]
    """Concepts for which there are not three clean wrong options."""
    overused: tuple[str, ...]
    """Answers that are gold in too large a share of their appearances."""


def clash(one: str, other: str) -> bool:
    """Tell whether two options cannot stand together: one is part of the other.

    >>> clash("+1", "+1 268"), clash("rial", "Rial"), clash("+1", "+33")
    (True, True, False)
    """
    a, b = fold(one), fold(other)
    return a in b or b in a


def true_answers(fact: Fact) -> tuple[str, ...]:
    """Every answer that is right for a fact."""
    return (fact.answer, *fact.aliases, *fact.also_true)


@lru_cache(maxsize=1 << 20)  # asked again in every round of corrections
def may_stand_beside(option: str, item: Item) -> bool:
    """Tell whether ``option`` is a clean wrong option for the item.

    It must be false, must not contain or be part of a true answer, and must not
    resemble the name: as right answers never do, resemblance would give it away.
    """
    if any(clash(option, true) for true in true_answers(item.fact)):
        return False
    return not gives_away(option, item.name)


def draw(relation: str, items: Sequence[Item], spare: Iterable[str] = ()) -> Drawn:
    """Choose three wrong options per item from the answers of the other items.

    Items come in an order fixed by hashing. Each takes the answers that are furthest
    behind their due: three appearances as distractor for each as gold, spread over the
    items still to come that could take them.

    Parameters
    ----------
    relation
        Name of the relation.
    items
        What is asked about it.
    spare
        Answers of items that are not asked: used only where the others do not suffice.
    """
    gold = Counter(item.fact.answer for item in items)
    pool = sorted({*gold, *spare})
    allowed = {
        item.name: [answer for answer in pool if may_stand_beside(answer, item)]
        for item in items
    }
    to_come = Counter(answer for answers in allowed.values() for answer in answers)
    used: Counter[str] = Counter()
    drawn: dict[str, tuple[str, ...]] = {}
    for item in sorted(items, key=lambda i: seed_for(relation, i.name)):
        due = {
            answer: ((N_OPTIONS - 1) * gold[answer] - used[answer]) / to_come[answer]
            if gold[answer]
            else SPARE
            for answer in allowed[item.name]
        }
        drawn[item.name] = _first_compatible(_ranked(due, relation, item.name))
        used.update(drawn[item.name])
        to_come.subtract(allowed[item.name])
    return Drawn(
        distractors=drawn,
        unfilled=tuple(n for n, wrong in drawn.items() if len(wrong) < N_OPTIONS - 1),
        overused=tuple(
            answer
            for answer, times in gold.items()
            if times > MOST_GOLD * (times + used[answer])
        ),
    )


def _ranked(due: Mapping[str, float], relation: str, name: str) -> list[str]:
    return sorted(due, key=lambda a: (-due[a], _tie_break(relation, name, a)))


@lru_cache(maxsize=1 << 20)
def _tie_break(relation: str, name: str, answer: str) -> int:
    return seed_for(relation, name, answer)


def _first_compatible(ranked: Iterable[str]) -> tuple[str, ...]:
    chosen: list[str] = []
    for answer in ranked:
        if len(chosen) < N_OPTIONS - 1 and not any(clash(answer, c) for c in chosen):
            chosen.append(answer)
    return tuple(chosen)


def positions(
    asked: Mapping[str, Sequence[str]],
) -> dict[tuple[str, str], int]:
    """Place the right option, balanced within each relation, then each concept.

    Parameters
    ----------
    asked
        Concept to the relations it is asked.

    Returns
    -------
    Concept and relation to the position of the right option.
    """
    by_relation: Counter[tuple[str, int]] = Counter()
    by_concept: Counter[tuple[str, int]] = Counter()
    placed: dict[tuple[str, str], int] = {}
    pairs = [(concept, relation) for concept in asked for relation in asked[concept]]
    for concept, relation in sorted(pairs, key=lambda pair: seed_for("gold", *pair)):
        ranked = [
            (by_relation[relation, p], by_concept[concept, p], seed, p)
            for p in range(N_OPTIONS)
            for seed in [seed_for("gold", concept, relation, p)]
        ]
        position = min(ranked)[-1]
        by_relation[relation, position] += 1
        by_concept[concept, position] += 1
        placed[concept, relation] = position
    return placed


def arrange(
    concept: str, relation: str, gold: str, wrong: Sequence[str], position: int
) -> tuple[str, ...]:
    """Order the options: the right one at ``position``, the others by hashing."""
    shuffled = sorted(wrong, key=lambda a: seed_for("order", concept, relation, a))
    return (*shuffled[:position], gold, *shuffled[position:])
