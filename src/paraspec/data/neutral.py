"""Neutral text: sentences that speak of none of the study's concepts.

What a mask does to them is collateral damage. A study that trains its models reads
sentences in the wordings that they know, about concepts that they never met: plain
prose would be noise to them. Any other study reads everyday prose from a file.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from pathlib import Path

import pandas as pd

from paraspec.core.files import existing
from paraspec.core.seeds import seed_for
from paraspec.data.format import Concept, Question
from paraspec.data.text import folded

MOST_SENTENCES = 200
"""Sentences of the table at most; each mask reads the first few dozen."""


def neutral_table(sentences: Iterable[str], asked: Sequence[Concept]) -> pd.DataFrame:
    """Rows of the ``neutral`` table, in the order given.

    Parameters
    ----------
    sentences
        Candidates, those first that shall be read first.
    asked
        The study's concepts: sentences that name one of them are left out.
    """
    names = sorted({folded(c.name) for c in asked})
    named = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)")
    free = (text for text in sentences if not named.search(folded(text)))
    rows = list(dict.fromkeys(free))[:MOST_SENTENCES]
    return pd.DataFrame({"text": rows}, columns=["text"], dtype="str")


def fact_sentences(concepts: Sequence[Concept], seed: int) -> list[str]:
    """One sentence for each question of these concepts: a wording and its answer.

    Categories and, within them, relations take turns, so that any number of first
    sentences is spread over both.

    Parameters
    ----------
    concepts
        Concepts that no model is trained on.
    seed
        The study's seed: it draws wordings and the order within a relation.
    """
    categories: dict[str, list[Question]] = defaultdict(list)
    for concept in concepts:
        categories[concept.category] += concept.questions
    return in_turn([_of_category(categories[c], seed) for c in sorted(categories)])


def _of_category(questions: Iterable[Question], seed: int) -> list[str]:
    relations: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        relations[question.relation].append(question)
    order = sorted(relations, key=lambda name: (seed_for("neutral", seed, name), name))
    return in_turn([_sentences(relations[name], seed) for name in order])


def _sentences(questions: Iterable[Question], seed: int) -> list[str]:
    drawn = {q.item: seed_for("neutral", seed, q.item) for q in questions}
    return [
        f"{q.statements[drawn[q.item] % len(q.statements)]} {q.options[q.gold]}."
        for q in sorted(questions, key=lambda q: (drawn[q.item], q.item))
    ]


def read_sentences(path: Path) -> list[str]:
    """Sentences of a text file, one to a line."""
    found = existing(path, "Name a text file with one sentence to a line.")
    lines = found.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]


def in_turn(lists: Sequence[Sequence[str]]) -> list[str]:
    """Take the first of every list, then the second of each, and so on.

    >>> in_turn([["a", "b", "c"], ["x"], ["p", "q"]])
    ['a', 'x', 'p', 'b', 'q', 'c']
    """
    turns = chain.from_iterable(zip_longest(*lists))
    return [text for text in turns if text is not None]
