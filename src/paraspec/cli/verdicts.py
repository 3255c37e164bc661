"""``paraspec verdicts``: what became of every claim, in the terminal."""

import textwrap

import typer

from paraspec.cli.options import Results

WIDTH = 88
INDENT = " " * 14


def verdicts(results: Results) -> None:
    """Print every claim's verdict, and its estimate with the 95 % interval."""
    from paraspec.core.layout import StudyFiles
    from paraspec.core.table import read_table
    from paraspec.core.tables.judged import CLAIMS
    from paraspec.report.numbers import with_interval

    claims = read_table(StudyFiles(results).table("claims.csv"), CLAIMS)
    for row in claims.to_dict("records"):
        ends = (row[f"estimate{end}"] for end in ("", "_low", "_high"))
        found = with_interval(*ends) if row["estimate"] == row["estimate"] else ""
        told = f"{row['claim']} {found}".strip()
        lines = textwrap.wrap(told, WIDTH - len(INDENT))
        typer.echo(f"{row['verdict']:<{len(INDENT)}}{lines[0]}")
        for line in lines[1:]:
            typer.echo(INDENT + line)
