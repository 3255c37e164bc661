"""``paraspec figures`` and ``report``: pictures and the page, from tables."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Results


def figures(
    results: Results,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Figure to draw; repeatable.")
    ] = None,
) -> None:
    """Draw the figures: figures/<name>.svg and .png."""
    from paraspec.core.errors import UserError
    from paraspec.report.figures import FIGURES, write_figure
    from paraspec.report.inputs import read_tables

    names = only or list(FIGURES)
    for name in names:
        if name not in FIGURES:
            allowed = f"Choose from {', '.join(FIGURES)}"
            raise UserError("--only", f"no figure {name!r}", allowed)
    tables = read_tables(results)
    for name in names:
        for path in write_figure(name, tables, results):
            typer.echo(path.relative_to(results))


def report(
    results: Results,
    config: Annotated[Path, typer.Option(help="The study's configuration.")],
    claims: Annotated[Path, typer.Option(help="Pre-registered claims.")] = Path(
        "config/claims.yaml"
    ),
    out: Annotated[
        Path | None, typer.Option(help="Page; report.html in the study's folder.")
    ] = None,
) -> None:
    """Write the study's page: claims, figures, tables, provenance in one file."""
    from paraspec.core.config import read_study
    from paraspec.core.files import existing, write_text
    from paraspec.report.page import page

    study = read_study(config)
    text = page(results, study, existing(claims, "Name it with --claims"))
    write_text(out or results / "report.html", text)
