"""``paraspec provenance``: what a study was made of, and what it cost."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Results


def provenance(
    results: Results,
    config: Annotated[Path, typer.Option(help="The study's configuration.")],
    claims: Annotated[Path, typer.Option(help="Pre-registered claims.")] = Path(
        "config/claims.yaml"
    ),
    factbook: Annotated[Path, typer.Option(help="Concept file.")] = Path(
        "data/factbook.jsonl"
    ),
    table: Annotated[
        Path | None, typer.Option(help="Model table; the configuration's.")
    ] = None,
) -> None:
    """Write provenance.json: versions, commit, hashes, seeds, machine, time."""
    from paraspec.core.config import read_study
    from paraspec.core.files import existing
    from paraspec.report.provenance import gather
    from paraspec.report.provenance_record import NAME, write_provenance

    study = read_study(config)
    sources = {
        "configuration": config,
        "claims": existing(claims, "Name it with --claims"),
        "concepts": existing(factbook, "Name it with --factbook"),
        "models": existing(table or Path(study.models), "Name it with --table"),
    }
    write_provenance(gather(results, study, sources), results / NAME)
