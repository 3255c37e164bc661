"""``paraspec pss``, ``ablate``, ``correlate``, ``judge``, ``verify``: more tables."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Results, Seed
from paraspec.core.definitions import PAPER_SELECTOR

Items = Annotated[Path, typer.Argument(help="items.parquet of one model.")]
Out = Annotated[Path, typer.Option("--out", help="CSV table to write.")]
Draws = Annotated[int, typer.Option("--draws", min=100, help="Bootstrap draws.")]


def pss(items: Items, out: Out, seed: Seed = 0, draws: Draws = 2000) -> None:
    """Specialisation of one model under every mask and ratio: pss.csv."""
    from paraspec.core.table import read_table, write_table
    from paraspec.core.tables.measured import ITEMS
    from paraspec.core.tables.per_model import PSS
    from paraspec.stats.items import summed
    from paraspec.stats.pss import pss_table

    measured = summed(read_table(items, ITEMS))
    write_table(pss_table(measured, draws, seed), PSS, out)


def ablate(items: Items, out: Out) -> None:
    """Efficiency of knowledge use, per concept: efficiency.csv."""
    from paraspec.core.table import read_table, write_table
    from paraspec.core.tables.measured import ITEMS
    from paraspec.core.tables.per_model import EFFICIENCY
    from paraspec.stats.efficiency import efficiency_table
    from paraspec.stats.items import summed

    rows = read_table(items, ITEMS)
    kept = summed(rows, ablation="keep") if (rows["ablation"] == "keep").any() else None
    found = efficiency_table(summed(rows), kept)
    write_table(found, EFFICIENCY, out)


def correlate(
    results: Results,
    model: Annotated[list[str], typer.Option("--model", help="Model; repeat it.")],
    seed: Seed = 0,
    draws: Draws = 2000,
    selector: Annotated[
        str, typer.Option(help="Ranking whose top mask is reported.")
    ] = PAPER_SELECTOR,
    table: Annotated[
        Path | None,
        typer.Option("--table", help="Model table: release dates, MMLU scores."),
    ] = None,
    fine_tuned: Annotated[
        list[str] | None,
        typer.Option("--fine-tuned", help="Model with arms, in causal/; repeat it."),
    ] = None,
) -> None:
    """Statistics across models: tables/*.csv, and the evidence for claims."""
    from paraspec.core.layout import StudyFiles
    from paraspec.stats.run import read_study, read_tuned, study_tables, write_tables

    study = read_study(results, model, draws, seed, selector, table)
    tuned = read_tuned(StudyFiles(results), fine_tuned or ())
    write_tables(results, study_tables(study, tuned))


def judge(
    results: Results,
    claims: Annotated[
        Path, typer.Option("--claims", help="Pre-registered claims.")
    ] = Path("config/claims.yaml"),
) -> None:
    """Verdicts on the claims, from the evidence: tables/claims.csv, metrics.json."""
    from paraspec.stats.judging import judge_study

    judge_study(results, claims)


def verify(
    results: Results,
    reference: Annotated[
        Path, typer.Option("--reference", help="Folder of reference tables.")
    ],
    tolerances: Annotated[
        Path, typer.Option("--tolerances", help="Tolerance of each column.")
    ] = Path("config/verify.yaml"),
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on any difference.")
    ] = False,
) -> None:
    """Compare this run's tables with reference tables: tables/verify.csv."""
    from paraspec.core import layout
    from paraspec.core.table import write_table
    from paraspec.core.tables.judged import VERIFY
    from paraspec.stats.verify import compared, read_frame, read_rules, summary

    rules = read_rules(tolerances)
    files = layout.StudyFiles(results)
    fresh = {name: read_frame(files.table(f"{name}.csv")) for name in rules}
    old = {name: read_frame(reference / f"{name}.csv") for name in rules}
    found = compared(rules, fresh, old)
    write_table(found, VERIFY, files.table("verify.csv"))
    told = summary(found)
    typer.echo("\n".join(told.lines))
    typer.echo("same as the reference" if told.same else "differs from the reference")
    if strict and not told.same:
        raise typer.Exit(1)
