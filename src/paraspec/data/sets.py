"""Which items are answered under a concept's mask, and which are kept out.

Every concept is asked its own items and a *general set*: items of its own tier, half
of its own category with the concept's mix of relations, half of other categories. Items
that share an entity or an answer with the concept are kept out (`conflict`). Items are
used about equally often, so that concept and general baselines agree within a tier.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from paraspec.core.definitions import NONE
from paraspec.core.errors import UserError
from paraspec.core.seeds import seed_for
from paraspec.data.format import Concept
from paraspec.data.text import folded


@dataclass(frozen=True)
class PoolItem:
    """An item that may serve in general sets."""

    item: str
    relation: str
    concept: Concept
    answer: str


def set_table(
    pool: Sequence[Concept], added: Sequence[Concept], general_items: int, seed: int
) -> pd.DataFrame:
    """Rows of the ``sets`` table.

    Parameters
    ----------
    pool
        Concepts that are asked, and whose items serve as general items of all.
    added
        Concepts that are asked only. Each draws from the pool when that is settled, so
        that adding one changes no row of another, be it added too.
    general_items
        Size of a general set; half is same-category.
    seed
        Study seed; breaks ties among equally used items.
    """
    items = [
        PoolItem(q.item, q.relation, c, folded(q.options[q.gold]))
        for c in pool
        for q in c.questions
    ]
    usage: Counter[str] = Counter()
    ordered = sorted(pool, key=lambda c: (seed_for("sets", seed, c.concept), c.concept))
    rows: dict[str, list[tuple[str, str, str, str, str]]] = {}
    for concept in ordered:
        rows[concept.concept] = _rows_of(concept, items, usage, general_items, seed)
    for concept in added:
        own = _rows_of(concept, items, usage.copy(), general_items, seed)
        rows[concept.concept] = own
    flat = [row for c in [*pool, *added] for row in rows[c.concept]]
    return pd.DataFrame(flat, columns=["concept", "item", "set", "kinship", "half"])


def _rows_of(
    concept: Concept,
    items: Sequence[PoolItem],
    usage: Counter[str],
    general_items: int,
    seed: int,
) -> list[tuple[str, str, str, str, str]]:
    others = [i for i in items if i.concept.concept != concept.concept]
    conflict = {i.item for i in others if in_conflict(i, concept)}
    free = [i for i in others if i.item not in conflict]
    chosen = _general(concept, free, usage, general_items, seed)
    usage.update(i.item for i in chosen)
    halves = _halves(concept, chosen)
    name = concept.concept
    return [
        *((name, q.item, "concept", "own", q.half) for q in concept.questions),
        *(
            (name, i.item, "general", _kinship(i, concept), halves[i.item])
            for i in chosen
        ),
        *(
            (name, i.item, "conflict", _kinship(i, concept), NONE)
            for i in others
            if i.item in conflict
        ),
    ]


def in_conflict(item: PoolItem, concept: Concept) -> bool:
    """Whether an item shares an entity or an answer with a concept.

    The concept's answers and names, and the names it shares a subject with, must not
    meet those of the item.
    """
    answers = {folded(q.options[q.gold]) for q in concept.questions}
    names = _names(concept)
    return (
        item.answer in answers
        or item.answer in names
        or bool(names & _names(item.concept))
        or bool(answers & {folded(item.concept.name)})
    )


def _names(concept: Concept) -> set[str]:
    return {folded(name) for name in (concept.name, *concept.entities)}


def _kinship(item: PoolItem, concept: Concept) -> str:
    same = item.concept.category == concept.category
    return "same-category" if same else "other-category"


def _general(
    concept: Concept,
    free: Sequence[PoolItem],
    usage: Counter[str],
    wanted: int,
    seed: int,
) -> list[PoolItem]:
    def order(item: PoolItem) -> tuple[bool, int, int, str]:
        off_tier = item.concept.tier != concept.tier
        tie = seed_for("general", seed, concept.concept, item.item)
        return off_tier, usage[item.item], tie, item.item

    same = [i for i in free if i.concept.category == concept.category]
    other = [i for i in free if i.concept.category != concept.category]
    kin = _spread(
        same,
        lambda i: i.relation,
        min(wanted // 2, len(same)),
        order,
        first={q.relation for q in concept.questions},
    )
    rest = _spread(other, lambda i: i.concept.category, wanted - len(kin), order)
    if len(kin) + len(rest) < wanted:
        raise UserError(
            f"concept {concept.concept}",
            f"only {len(kin) + len(rest)} general items are free of conflict",
            f"measure.general_items asks for {wanted}: add concepts or lower it",
        )
    return kin + rest


def _spread(
    items: Sequence[PoolItem],
    group_of: Callable[[PoolItem], str],
    wanted: int,
    order: Callable[[PoolItem], tuple[bool, int, int, str]],
    first: Iterable[str] = (),
) -> list[PoolItem]:
    """Take ``wanted`` items, one from each group in turn, preferred groups first."""
    groups: dict[str, list[PoolItem]] = defaultdict(list)
    for item in sorted(items, key=order, reverse=True):
        groups[group_of(item)].append(item)
    preferred = [g for g in sorted(groups) if g in set(first)] or sorted(groups)
    taken: list[PoolItem] = []
    for names in (preferred, sorted(groups)):
        while len(taken) < wanted and any(groups[g] for g in names):
            # The group whose next item was used least goes first in each round.
            ready = sorted((g for g in names if groups[g]), key=_next(groups, order))
            taken += [groups[g].pop() for g in ready[: wanted - len(taken)]]
    return taken


def _next(
    groups: Mapping[str, list[PoolItem]],
    order: Callable[[PoolItem], tuple[bool, int, int, str]],
) -> Callable[[str], tuple[bool, int, int, str]]:
    return lambda group: order(groups[group][-1])


def _halves(concept: Concept, chosen: Sequence[PoolItem]) -> dict[str, str]:
    """Half in which a general item is evaluated: its relation's, else in turn."""
    of_relation = {q.relation: q.half for q in concept.questions}
    halves: dict[str, str] = {}
    turn = 0
    for item in chosen:
        if _kinship(item, concept) == "same-category" and item.relation in of_relation:
            halves[item.item] = of_relation[item.relation]
        else:
            halves[item.item] = "AB"[turn % 2]
            turn += 1
    return halves
