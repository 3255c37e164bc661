"""``paraspec data``: concept files, and a study's own data made from them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Results, Seed, whole_numbers
from paraspec.data.format import Concept

app = typer.Typer(no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", help="Concept file to write.")]
Coverage = Annotated[
    Path, typer.Option("--coverage", help="Table of what is asked, and why not.")
]
File = Annotated[Path, typer.Argument(help="Concept file (JSON lines).")]
Strict = Annotated[
    bool, typer.Option("--factbook", help="Apply the factbook's stricter rules.")
]


@app.command()
def build(
    out: Out = Path("data/factbook.jsonl"),
    coverage: Coverage = Path("data/coverage.tsv"),
) -> None:
    """Build the factbook and its coverage table from the pinned libraries."""
    from paraspec.core.files import sha256_of, write_text
    from paraspec.data.factbook.build import build as build_factbook
    from paraspec.data.factbook.build import categories, to_jsonl
    from paraspec.data.factbook.coverage import to_tsv

    factbook = build_factbook(categories())
    write_text(out, to_jsonl(factbook.concepts))
    write_text(coverage, to_tsv(factbook.coverage))
    for line in _summary(factbook.concepts):
        typer.echo(line)
    for path in (out, coverage):
        typer.echo(f"{sha256_of(path)}  {path}")


@app.command()
def validate(file: File, strict: Strict = False) -> None:
    """Check a concept file; print a summary, or every fault and exit 1."""
    from paraspec.data.validate import (
        FACTBOOK,
        USER_FILE,
        ConceptFileError,
        read_concepts,
    )

    try:
        concepts = read_concepts(file, FACTBOOK if strict else USER_FILE)
    except ConceptFileError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for line in _summary(concepts):
        typer.echo(line)


@app.command()
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
    neutral: Annotated[
        Path | None,
        typer.Option(help="Everyday sentences, where no facts are unmet: one a line."),
    ] = None,
    seed: Seed = 0,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="The study trains no model on them.")
    ] = False,
) -> None:
    """Choose concepts, word prompts, draw general sets, render training sentences."""
    from paraspec.core.config import ZooConfig
    from paraspec.core.validation import parse
    from paraspec.data.plan_run import run_plan

    zoo = parse(
        ZooConfig, {"exposures": whole_numbers(exposures)}, "paraspec data plan"
    )
    told = run_plan(
        *(concepts, added or [], results, per_cell, general_items, zoo.exposures, seed),
        trained=not untrained,
        prose=neutral,
    )
    typer.echo(told)


def _summary(concepts: Sequence[Concept]) -> Iterator[str]:
    cells = Counter((concept.category, concept.tier) for concept in concepts)
    for (category, tier), n in sorted(cells.items()):
        yield f"{category:12} {tier:5} {n:4} concepts"
    n_questions = sum(len(concept.questions) for concept in concepts)
    yield f"{len(concepts)} concepts, {n_questions} questions"
