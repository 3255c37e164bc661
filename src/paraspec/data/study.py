"""A study's concepts and prompts: which concepts, how often each is trained on.

Source: decisions of the project on tier and exposure; paper, SpecWiki tiers.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from paraspec.core.errors import UserError
from paraspec.core.seeds import seed_for
from paraspec.core.tables.planned import PROMPTS
from paraspec.data.format import Concept, Question

TIERS = ("high", "mid", "low")


def select_concepts(
    concepts: Sequence[Concept], per_cell: int, seed: int, where: str
) -> tuple[list[Concept], list[Concept]]:
    """Choose as many concepts in every category x tier cell, and as many to hold out.

    Parameters
    ----------
    concepts
        Every concept of the file.
    per_cell
        Concepts to take from each cell; with 0 all are taken and none held out.
    seed
        Study seed; the choice within a cell is a hash order, so it is stable.
    where
        Name of the file, for messages.

    Returns
    -------
    The study's concepts and never-seen concepts, in the file's order.
    """
    if per_cell == 0:
        return list(concepts), []
    cells: dict[tuple[str, str], list[Concept]] = defaultdict(list)
    for concept in concepts:
        cells[concept.category, concept.tier].append(concept)
    chosen: set[str] = set()
    held_out: set[str] = set()
    for category in sorted({concept.category for concept in concepts}):
        for tier in TIERS:
            cell = _hash_order(cells[category, tier], "study", seed)
            if len(cell) < per_cell:
                raise UserError(
                    where,
                    f"{len(cell)} concepts of category {category!r} in tier {tier!r}",
                    f"concepts.per_cell asks for {per_cell}: add concepts or lower it",
                )
            chosen.update(c.concept for c in cell[:per_cell])
            held_out.update(c.concept for c in cell[per_cell : 2 * per_cell])
    return (
        [c for c in concepts if c.concept in chosen],
        [c for c in concepts if c.concept in held_out],
    )


def assign_exposures(
    concepts: Sequence[Concept], exposures: Sequence[int], seed: int
) -> dict[str, int]:
    """Training exposures per concept: random, balanced within category x tier.

    Cells start at different levels, so that the levels are also balanced over all
    where a cell does not divide evenly.
    """
    cells: dict[tuple[str, str], list[Concept]] = defaultdict(list)
    for concept in concepts:
        cells[concept.category, concept.tier].append(concept)
    assigned = {}
    for offset, cell in enumerate(sorted(cells)):
        ordered = _hash_order(cells[cell], "exposure", seed)
        for i, concept in enumerate(ordered):
            assigned[concept.concept] = exposures[(i + offset) % len(exposures)]
    return assigned


def held_out_statement(question: Question, seed: int) -> int:
    """Position of the statement that training never shows for this fact."""
    return seed_for("held-out", seed, question.item) % len(question.statements)


def concept_table(
    concepts: Iterable[Concept], exposures: Mapping[str, int]
) -> pd.DataFrame:
    """Rows of the ``concepts`` table."""
    return pd.DataFrame(
        {
            "concept": c.concept,
            "name": c.name,
            "category": c.category,
            "tier": c.tier,
            "zipf": c.zipf,
            "common_word": c.common_word,
            "exposure": exposures.get(c.concept, 0),
        }
        for c in concepts
    )


def prompt_table(
    concepts: Sequence[Concept], seed: int, known: Sequence[Concept] | None = None
) -> pd.DataFrame:
    """Rows of the ``prompts`` table, with the concept-blind floor of every item.

    Its answer frequencies are those of ``known``, by default of the concepts asked.
    """
    frequency = answer_frequency(known or concepts)
    rows = [
        {
            "item": q.item,
            "item_concept": c.concept,
            "relation": q.relation,
            "category": c.category,
            "tier": c.tier,
            "half": q.half,
            "question": q.question,
            "prefix": q.statements[held_out_statement(q, seed)],
            "options": json.dumps(q.options, ensure_ascii=False),
            "gold": q.gold,
            "aliases": json.dumps(q.aliases, ensure_ascii=False),
            "chance": 1 / len(q.options),
            "floor": floor_accuracy(q, frequency[c.category, q.relation]),
            "country_derived": q.country_derived,
        }
        for c in concepts
        for q in c.questions
    ]
    return pd.DataFrame(rows, columns=PROMPTS.names)


def answer_frequency(
    concepts: Iterable[Concept],
) -> dict[tuple[str, str], Counter[str]]:
    """How often each answer is gold, by (category, relation)."""
    frequency: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for c in concepts:
        for q in c.questions:
            frequency[c.category, q.relation][q.options[q.gold]] += 1
    return frequency


def floor_accuracy(question: Question, frequency: Mapping[str, int]) -> float:
    """Expected accuracy of always naming the relation's most frequent option.

    Ties are split evenly, so the value is 0, 1 or one over the number of tied options.
    """
    counts = [frequency.get(option, 0) for option in question.options]
    best = max(counts)
    return 1 / counts.count(best) if counts[question.gold] == best else 0.0


def _hash_order(concepts: Iterable[Concept], *purpose: object) -> list[Concept]:
    return sorted(concepts, key=lambda c: (seed_for(*purpose, c.concept), c.concept))
