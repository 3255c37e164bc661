"""Planning a study, from concept files to the study's own data files."""

from collections.abc import Sequence
from pathlib import Path

from paraspec.core.layout import StudyFiles
from paraspec.core.table import write_table
from paraspec.core.tables.planned import CONCEPTS, CORPUS, NEUTRAL, PROMPTS, SETS
from paraspec.data.corpus import training_sentences
from paraspec.data.format import Concept
from paraspec.data.neutral import fact_sentences, neutral_table, read_sentences
from paraspec.data.redrawn import with_own_options
from paraspec.data.sets import set_table
from paraspec.data.study import (
    assign_exposures,
    concept_table,
    prompt_table,
    select_concepts,
)
from paraspec.data.validate import read_concepts


def run_plan(
    concepts: Path,
    added: Sequence[Path],
    results: Path,
    per_cell: int,
    general_items: int,
    exposures: Sequence[int],
    seed: int,
    *,
    trained: bool = True,
    prose: Path | None = None,
) -> str:
    """Write what a study asks, reads and trains on: its own data files.

    Parameters
    ----------
    concepts, added
        Concept files: the study's pool, and concepts that are asked only.
    results
        The study's folder.
    per_cell
        Concepts per category x tier cell; 0 takes all.
    general_items
        General items per concept.
    exposures
        Relative training exposures.
    seed
        The study's seed.
    trained
        Whether the study trains its models. Wrong options are then drawn anew from its
        own answers, and a concept-blind predictor knows the answer frequencies of what
        they are trained on; else those of the whole file.
    prose
        Everyday sentences, one to a line: the neutral text of a study that trains no
        model, or has no never-seen concepts; such a study has none without it.

    Returns
    -------
    What was planned, in one line.
    """
    pool = read_concepts(concepts)
    chosen, unseen = select_concepts(pool, per_cell, seed, str(concepts))
    known = chosen if trained else pool
    more = [concept for path in added for concept in read_concepts(path)]
    levels = assign_exposures(chosen, exposures, seed)
    sets = set_table(chosen, more, general_items, seed)
    corpus = training_sentences(chosen, levels, seed)
    sentences = _sentences(unseen if trained else [], prose, seed)
    asked, unmet = chosen, unseen
    if trained:
        asked, unmet = (with_own_options(group, seed) for group in (chosen, unseen))
    written = {
        "concepts": (concept_table([*chosen, *more], levels), CONCEPTS),
        "prompts": (prompt_table([*asked, *more], seed, known), PROMPTS),
        "never_seen": (prompt_table(unmet, seed, known), PROMPTS),
        "sets": (sets, SETS),
        "corpus": (corpus, CORPUS),
        "neutral": (neutral_table(sentences, [*chosen, *more]), NEUTRAL),
    }
    files = StudyFiles(results)
    for name, (frame, table) in written.items():
        write_table(frame, table, files.data(f"{name}.parquet"))
    return (
        f"{len(chosen)} concepts, {len(more)} added, {len(unseen)} never seen, "
        f"{len(corpus)} training sentences"
    )


def _sentences(unseen: Sequence[Concept], prose: Path | None, seed: int) -> list[str]:
    """Candidates for the neutral text: facts never met, else everyday prose."""
    if unseen:
        return fact_sentences(unseen, seed)
    return read_sentences(prose) if prose else []
