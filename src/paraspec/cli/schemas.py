"""``paraspec schemas``: what users write and read, described for editors and people."""

from pathlib import Path
from typing import Annotated

import typer


def schemas(
    out: Annotated[Path, typer.Option(help="Folder of the schemas.")] = Path(
        "workflow/schemas"
    ),
    tables: Annotated[Path, typer.Option(help="Reference of the tables.")] = Path(
        "docs/tables.md"
    ),
) -> None:
    """Write JSON schemas of what users write, and the reference of all tables."""
    import json

    from pydantic import BaseModel

    from paraspec.core.config import StudyConfig
    from paraspec.core.files import write_text
    from paraspec.core.model_table import ModelRow
    from paraspec.core.tables.catalog import TABLES, reference
    from paraspec.data.format import Concept

    described: dict[str, type[BaseModel]] = {
        "study": StudyConfig,
        "model_row": ModelRow,
        "concept": Concept,
    }
    for name, model in described.items():
        text = json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False)
        write_text(out / f"{name}.schema.json", text + "\n")
    write_text(tables, reference())
    typer.echo(f"{len(described)} schemas in {out}, {len(TABLES)} tables in {tables}")
