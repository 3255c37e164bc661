"""Which facts of a concept can be asked, and why the others cannot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paraspec.data.factbook.facts import Entity, Fact, Relation
from paraspec.data.factbook.giveaway import fold, gives_away


@dataclass(frozen=True)
class Usable:
    """A candidate concept's facts that make fair questions."""

    entity: Entity
    facts: Mapping[str, Fact]
    """Relation name to fact."""
    reasons: Mapping[str, str]
    """Relation name to the reason why it cannot be asked."""

    def without(self, relation: str, reason: str) -> "Usable":
        """Return a copy that cannot be asked ``relation``."""
        facts = {name: fact for name, fact in self.facts.items() if name != relation}
        return Usable(self.entity, facts, {**self.reasons, relation: reason})


def usable(entity: Entity, relations: Sequence[Relation]) -> Usable:
    """Sort an entity's relations into askable facts and reasons against."""
    facts: dict[str, Fact] = {}
    reasons: dict[str, str] = {}
    for relation in relations:
        fact = entity.facts.get(relation.name)
        if fact is None:
            reasons[relation.name] = entity.omissions.get(relation.name, "no fact")
        elif reason := _fault(fact, entity, relation):
            reasons[relation.name] = reason
        else:
            facts[relation.name] = fact
    return Usable(entity, facts, reasons)


def _fault(fact: Fact, entity: Entity, relation: Relation) -> str:
    if reason := gives_away(fact.answer, entity.name):
        return f"{fact.answer}: {reason}"
    words = f" {fold(' '.join(relation.statements))} "
    if f" {fold(fact.answer)} " in words:
        return f"{fact.answer}: the answer is in the wording"
    return ""


def exclusive_sets(
    facts: Mapping[str, Fact], groups: Mapping[str, str]
) -> tuple[tuple[str, ...], ...]:
    """Sort relations into sets of which one concept may be asked at most one.

    Relations exclude each other if they share a group (ISO2 and ISO3), or if they have
    the same answer (a capital that is also the largest city): an answer that stood in
    both halves would leak from the one that selects to the one that is evaluated.

    >>> facts = {"capital": Fact("Rome"), "largest": Fact("Rome"), "tld": Fact(".it")}
    >>> exclusive_sets(facts, {})
    (('capital', 'largest'), ('tld',))
    """
    sets: list[tuple[set[str], list[str]]] = []
    for relation, fact in facts.items():
        keys = {f"answer {fold(fact.answer)}"}
        if groups.get(relation):
            keys.add(f"group {groups[relation]}")
        touching = [one for one in sets if one[0] & keys]
        sets = [one for one in sets if not one[0] & keys]
        members = [name for one in touching for name in one[1]]
        sets.append((keys.union(*(one[0] for one in touching)), [*members, relation]))
    return tuple(tuple(members) for _, members in sets)
