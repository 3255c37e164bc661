"""``paraspec schemas``: JSON schemas of what users write, for editors and readers."""

from pathlib import Path
from typing import Annotated

import typer


def schemas(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(
        "workflow/schemas"
    ),
) -> None:
    """Write the JSON schemas of configuration, model rows and concept files."""
    import json

    from pydantic import BaseModel

    from paraspec.core.config import ModelRow, StudyConfig
    from paraspec.core.files import write_text
    from paraspec.data.format import Concept

    described: dict[str, type[BaseModel]] = {
        "study": StudyConfig,
        "model_row": ModelRow,
        "concept": Concept,
    }
    for name, model in described.items():
        text = json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False)
        write_text(out / f"{name}.schema.json", text + "\n")
    typer.echo(f"{len(described)} schemas in {out}")
