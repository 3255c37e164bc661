"""Training sentences for models that are trained on the study's own facts."""

from collections.abc import Mapping, Sequence

import pandas as pd

from paraspec.data.format import Concept
from paraspec.data.study import held_out_statement


def training_sentences(
    concepts: Sequence[Concept], exposures: Mapping[str, int], seed: int
) -> pd.DataFrame:
    """One row per fact and trained wording, with its relative exposure.

    The held-out wording of a fact is left out here and met with other concepts only,
    so that a right answer to it is recalled, not completed from memory.

    Returns
    -------
    Columns ``concept``, ``item``, ``text`` and ``exposure`` (relative frequency).
    """
    return pd.DataFrame(
        {
            "concept": c.concept,
            "item": q.item,
            "text": f"{statement} {q.options[q.gold]}.",
            "exposure": exposures[c.concept],
        }
        for c in concepts
        for q in c.questions
        for i, statement in enumerate(q.statements)
        if i != held_out_statement(q, seed)
    )
