"""The fixed split of a concept's questions into cross-fitting halves A and B."""

from collections import Counter
from collections.abc import Mapping, Sequence

from paraspec.core.seeds import seed_for
from paraspec.data.format import Half


def split_halves(
    asked: Mapping[str, Sequence[str]],
) -> dict[str, dict[str, Half]]:
    """Put half of each concept's relations in A and the rest in B.

    Parameters
    ----------
    asked
        Concept to the relations it is asked.

    Returns
    -------
    Concept to relation to half. Over the concepts, each relation is about equally
    often in A and in B: a concept gives A the relations that A has had least so far.

    >>> split_halves({"x": ["r", "s"], "y": ["r", "s"]})["x"]["r"] in "AB"
    True
    """
    surplus: Counter[str] = Counter()
    halves: dict[str, dict[str, Half]] = {}
    for concept in sorted(asked, key=lambda name: seed_for("half", name)):
        ranked = sorted(
            asked[concept],
            key=lambda relation: (surplus[relation], seed_for(concept, relation)),
        )
        in_a = set(ranked[: len(ranked) // 2])
        halves[concept] = {r: "A" if r in in_a else "B" for r in asked[concept]}
        surplus.update({r: 1 if r in in_a else -1 for r in asked[concept]})
    return halves
