"""Wrong options drawn anew from a study's own answers.

A study asks some of a file's concepts. Most wrong options that the file gives are right
for concepts which the study leaves out: a model that it trains never meets them as
answers, and finds the right one by that alone. Drawn from the study's own answers, each
about three times as often as it is right, options tell nothing by their frequency.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from paraspec.data.factbook.facts import Fact
from paraspec.data.factbook.options import N_OPTIONS, Item, arrange, draw
from paraspec.data.format import Concept, Question


def with_own_options(concepts: Sequence[Concept], seed: int) -> list[Concept]:
    """Concepts whose wrong options are answers of one another.

    A question keeps the file's options if it has another number of them, if not all of
    its true answers are listed (one might be drawn), or if the study has not three
    answers of the same category and relation that are clean wrong options for it. The
    right option stays where it stands.

    Parameters
    ----------
    concepts
        Concepts that are compared with one another: those that a study trains on, or
        those that it holds out.
    seed
        The study's seed.
    """
    asked: dict[tuple[str, str], list[tuple[Concept, Question]]] = defaultdict(list)
    for concept in concepts:
        for question in concept.questions:
            if len(question.options) == N_OPTIONS and question.also_true is not None:
                asked[concept.category, question.relation].append((concept, question))
    redrawn: dict[str, Question] = {}
    for (_, relation), pairs in asked.items():
        redrawn |= _redrawn(relation, pairs, seed)
    return [_changed(concept, redrawn) for concept in concepts]


def _redrawn(
    relation: str, pairs: Sequence[tuple[Concept, Question]], seed: int
) -> dict[str, Question]:
    """Questions of one relation that get other options, by item."""
    names = f"{seed} {relation}"
    drawn = draw(names, [Item(c.name, _fact(q)) for c, q in pairs])
    redrawn = {}
    for concept, question in pairs:
        wrong = drawn.distractors[concept.name]
        if concept.name in drawn.unfilled:
            continue
        gold = question.options[question.gold]
        options = arrange(concept.name, names, gold, wrong, question.gold)
        redrawn[question.item] = question.model_copy(update={"options": options})
    return redrawn


def _fact(question: Question) -> Fact:
    gold = question.options[question.gold]
    return Fact(gold, question.aliases, question.also_true or ())


def _changed(concept: Concept, redrawn: Mapping[str, Question]) -> Concept:
    questions = tuple(redrawn.get(q.item, q) for q in concept.questions)
    return concept.model_copy(update={"questions": questions})
