"""``paraspec resolve``, ``fetch`` and ``register``: models that others trained."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Model, Results, Table


def resolve(
    models: Table,
    update: Annotated[
        bool, typer.Option("--update", help="Ask anew for commits that are locked.")
    ] = False,
) -> None:
    """Lock the commit that each hub model's revision stands for: <table>.lock.tsv."""
    from paraspec.models.hub.resolve import resolve as resolve_table

    for locked in resolve_table(models, update=update):
        typer.echo(f"{locked.model}: {locked.repository} {locked.commit}")


def fetch(model: Model, models: Table, results: Results) -> None:
    """Download a hub model of the table at its locked commit, and describe it."""
    from paraspec.core.layout import StudyFiles
    from paraspec.core.model_lock import locked_commit
    from paraspec.models.hub.fetch import fetch as fetch_model

    row = _row(models, model, hub=True)
    folder = StudyFiles(results).model(model)
    (folder / "model.json").unlink(missing_ok=True)
    listing = fetch_model(row, locked_commit(models, row), folder)

    from paraspec.models.manifest import HubFacts, describe, write_manifest

    facts = HubFacts(listing.commit, listing.licence)
    manifest = describe(row, model, folder, fetched=facts)
    write_manifest(manifest, folder / "model.json")


def register(
    model: Model,
    models: Table,
    results: Results,
    checkout: Annotated[
        Path, typer.Option(help="Where a relative folder of the table begins.")
    ] = Path(),
) -> None:
    """Describe a local model folder of the table, so that it can be measured."""
    from dataclasses import replace
    from os.path import relpath

    from paraspec.core.layout import StudyFiles
    from paraspec.models.manifest import describe, write_manifest

    row = _row(models, model, hub=False)
    place = StudyFiles(results).model(model, "model.json")
    manifest = describe(row, model, checkout / row.source)
    if not Path(row.source).is_absolute():  # so that it holds in every checkout
        seen = relpath(checkout / row.source, place.parent)
        manifest = replace(manifest, folder=seen)
    write_manifest(manifest, place)


def _row(models: Path, model: str, *, hub: bool):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from paraspec.core.errors import UserError
    from paraspec.core.model_table import row_of

    row = row_of(models, model)
    if row.source == "zoo":
        remedy = "Train it with `paraspec train`"
    elif hub and not row.repository:
        remedy = "Describe it with `paraspec register`"
    elif row.repository and not hub:
        remedy = "Fetch it with `paraspec fetch`"
    else:
        return row
    raise UserError(models, f"model {model!r} has the source {row.source!r}", remedy)
