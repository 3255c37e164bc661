"""``paraspec plan``: a study's concepts, prompts, sets and training sentences."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Results, Seed, whole_numbers


def plan(
    concepts: Annotated[Path, typer.Argument(help="Concept file (JSON lines).")],
    results: Results,
    per_cell: Annotated[
        int, typer.Option(min=0, help="Concepts per category x tier; 0 takes all.")
    ] = 9,
    general_items: Annotated[
        int, typer.Option(min=2, help="General items per concept.")
    ] = 50,
    exposures: Annotated[str, typer.Option(help="Exposure levels.")] = "8,2,1",
    added: Annotated[
        list[Path] | None, typer.Option(help="Further concept file; repeatable.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Choose concepts, word prompts, draw general sets, render training sentences."""
    from paraspec.core.config import ZooConfig
    from paraspec.core.layout import StudyFiles
    from paraspec.core.table import write_table
    from paraspec.core.tables.planned import CONCEPTS, CORPUS, PROMPTS, SETS
    from paraspec.core.validation import parse
    from paraspec.data.corpus import training_sentences
    from paraspec.data.sets import set_table
    from paraspec.data.study import (
        assign_exposures,
        concept_table,
        prompt_table,
        select_concepts,
    )
    from paraspec.data.validate import read_concepts

    zoo = parse(ZooConfig, {"exposures": whole_numbers(exposures)}, "paraspec plan")
    chosen, unseen = select_concepts(
        read_concepts(concepts), per_cell, seed, str(concepts)
    )
    more = [c for path in added or [] for c in read_concepts(path)]
    levels = assign_exposures(chosen, zoo.exposures, seed)
    sets = set_table(chosen, more, general_items, seed)
    corpus = training_sentences(chosen, levels, seed)
    files = StudyFiles(results)
    written = {
        "concepts": (concept_table([*chosen, *more], levels), CONCEPTS),
        "prompts": (prompt_table([*chosen, *more], seed), PROMPTS),
        "never_seen": (prompt_table(unseen, seed, reference=chosen), PROMPTS),
        "sets": (sets, SETS),
        "corpus": (corpus, CORPUS),
    }
    for name, (frame, table) in written.items():
        write_table(frame, table, files.data(f"{name}.parquet"))
    typer.echo(
        f"{len(chosen)} concepts, {len(more)} added, {len(unseen)} never seen, "
        f"{len(corpus)} training sentences"
    )
