"""Which ten relations each concept is asked.

The choice is a flow of least cost: ten units enter at every concept, at most one passes
each set of exclusive relations, and every relation has a quota that is the same for all
tiers, of which one answer may hold at most its share. What a tier takes beyond a quota,
because facts are missing elsewhere, costs more the further it goes. So tiers differ in
their names and, as far as the facts allow, not in what is asked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paraspec.core.seeds import seed_for
from paraspec.data.factbook.facts import Relation
from paraspec.data.factbook.flow import Network, Pipe
from paraspec.data.factbook.giveaway import fold
from paraspec.data.factbook.tiers import TIERS
from paraspec.data.factbook.usable import Usable, exclusive_sets
from paraspec.data.format import Tier

N_QUESTIONS = 10

MOST_DERIVED = 6
"""At least four of a city's ten questions do not follow from its country (rule 11)."""

ANSWER_SHARE = 0.33
"""Share of a relation's questions that one answer may be gold in: a little under the
.35 of rule 13, as quotas are whole numbers per tier."""

FEWEST = 8
"""A relation with fewer questions has no balanced wrong options: it is left out."""

OVERFLOW = ((2, 1.0), (2, 2.0), (4, 4.0), (1000, 8.0))
"""Questions beyond a quota, and what each costs."""

MARGIN = 6
"""Questions beyond a quota that still count for the share of one answer."""

CROWDED = 20.0
"""Cost of each question by which one answer exceeds its share within a tier: a last
resort, as the share counts over all tiers."""

REWARD = 100.0
"""Gain from a question asked: more than any way to ask it costs."""

TIE_BREAK = 1e-4
"""Largest cost drawn by hashing, which makes the cheapest flow unique: all of them
together (10 x 71 concepts) stay below one unit of overflow."""

SOURCE, SINK = "source", "sink"


def choose(
    concepts: Sequence[Usable],
    tier_of: Mapping[str, Tier],
    relations: Sequence[Relation],
    shares: Mapping[str, float],
) -> dict[str, tuple[str, ...]]:
    """Choose ten relations for each concept.

    Parameters
    ----------
    concepts
        The chosen concepts of one category.
    tier_of
        Concept name to tier.
    relations
        The category's menu.
    shares
        Relations whose most frequent answer must be rarer than usual.

    Returns
    -------
    Concept name to relation names in menu order; fewer than ten where the facts do not
    suffice.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    quotas = _quotas(concepts, tier_of, relations, shares)
    for tier in TIERS:
        mine = [concept for concept in concepts if tier_of[concept.entity.name] == tier]
        chosen |= _Choice(mine, relations, quotas, shares).solve()
    return chosen


def _quotas(
    concepts: Sequence[Usable],
    tier_of: Mapping[str, Tier],
    relations: Sequence[Relation],
    shares: Mapping[str, float],
) -> dict[str, int]:
    """Questions per relation and tier: the least level that adds up to ten each."""
    counts = {
        relation.name: [
            _answers([c for c in concepts if tier_of[c.entity.name] == t], relation)
            for t in TIERS
        ]
        for relation in relations
    }
    counts = {
        name: tiers
        for name, tiers in counts.items()
        if sum(answers.total() for answers in tiers) >= FEWEST
    }
    size = max(Counter(tier_of[c.entity.name] for c in concepts).values())
    quotas: dict[str, int] = {}
    for level in range(1, size + 1):
        quotas = {
            name: _quota(tiers, level, shares.get(name, ANSWER_SHARE))
            for name, tiers in counts.items()
        }
        if sum(quotas.values()) >= N_QUESTIONS * size:
            break
    return quotas


def _answers(concepts: Sequence[Usable], relation: Relation) -> Counter[str]:
    return Counter(
        fold(concept.facts[relation.name].answer)
        for concept in concepts
        if relation.name in concept.facts
    )


def _quota(counts: Sequence[Counter[str]], level: int, share: float) -> int:
    """Questions that every tier can have without one answer exceeding its share.

    >>> _quota([Counter(a=9, b=1, c=1, d=1), Counter(a=3, b=3, c=3, d=3)], 12, 0.34)
    4
    """
    quota = min(level, *(count.total() for count in counts))
    while quota and quota > (
        reachable := min(
            sum(min(n, _most(quota, share)) for n in count.values()) for count in counts
        )
    ):
        quota = reachable
    return quota


def _most(quota: int, share: float) -> int:
    return max(1, int(share * quota))


@dataclass(frozen=True)
class _Choice:
    """The choice within one tier."""

    concepts: Sequence[Usable]
    relations: Sequence[Relation]
    quotas: Mapping[str, int]
    shares: Mapping[str, float]

    def solve(self) -> dict[str, tuple[str, ...]]:
        network = Network()
        for relation in self.relations:
            if relation.name in self.quotas:
                self._pipe_relation(network, relation)
        for concept in self.concepts:
            self._pipe_concept(network, concept)
        flow = network.run(SOURCE, SINK, REWARD)
        return {c.entity.name: self._chosen(flow, c) for c in self.concepts}

    def _pipe_relation(self, network: Network, relation: Relation) -> None:
        name, quota = relation.name, self.quotas[relation.name]
        node = ("relation", name)
        network.pipe(node, SINK, quota, 0.0)
        for step, (capacity, cost) in enumerate(OVERFLOW):
            network.pipe(node, ("overflow", name, step), capacity, cost)
            network.pipe(("overflow", name, step), SINK, capacity, 0.0)
        share = self.shares.get(name, ANSWER_SHARE)
        answers = _answers(self.concepts, relation)
        most = _most(_quota([answers], quota + MARGIN, share), share)
        for answer in answers:
            network.pipe(("answer", name, answer), node, most, 0.0)
            network.pipe(("answer", name, answer), ("crowd", name), 1000, CROWDED)
        network.pipe(("crowd", name), node, 1000, 0.0)

    def _pipe_concept(self, network: Network, concept: Usable) -> None:
        name = concept.entity.name
        derived = {r.name for r in self.relations if r.country_derived}
        network.pipe(SOURCE, ("concept", name), N_QUESTIONS, 0.0)
        network.pipe(("concept", name), ("derived", name), MOST_DERIVED, 0.0)
        for exclusive in self._exclusive(concept):
            entry = "concept" if derived.isdisjoint(exclusive) else "derived"
            network.pipe((entry, name), ("set", name, exclusive), 1, 0.0)
            for relation in exclusive:
                tie_break = TIE_BREAK * seed_for("choose", name, relation) / 2**63
                network.pipe(*_way(concept, exclusive, relation), 1, tie_break)

    def _exclusive(self, concept: Usable) -> tuple[tuple[str, ...], ...]:
        groups = {relation.name: relation.group for relation in self.relations}
        facts = {name: f for name, f in concept.facts.items() if name in self.quotas}
        return exclusive_sets(facts, groups)

    def _chosen(self, flow: Mapping[Pipe, int], concept: Usable) -> tuple[str, ...]:
        taken = {
            relation
            for exclusive in self._exclusive(concept)
            for relation in exclusive
            if flow[_way(concept, exclusive, relation)]
        }
        return tuple(r.name for r in self.relations if r.name in taken)


def _way(concept: Usable, exclusive: tuple[str, ...], relation: str) -> Pipe:
    """Pipe that one question goes through."""
    answer = fold(concept.facts[relation].answer)
    return ("set", concept.entity.name, exclusive), ("answer", relation, answer)
