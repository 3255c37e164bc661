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

    zoo = parse(ZooConfig, {"exposures": whole_numbers(exposures)}, "paraspec plan")
    told = run_plan(
        *(concepts, added or [], results, per_cell, general_items, zoo.exposures, seed),
        trained=not untrained,
        prose=neutral,
    )
    typer.echo(told)
