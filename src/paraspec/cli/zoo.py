"""``paraspec tokenizer``, ``train`` and ``register``: models to be measured."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.options import Model, Results, whole_numbers

Table = Annotated[Path, typer.Option("--models", help="Model table (TSV).")]


def tokenizer(
    results: Results,
    vocab_size: Annotated[int, typer.Option(min=300, help="Vocabulary size.")] = 2048,
) -> None:
    """Train the zoo's shared tokenizer on the study's sentences."""
    from paraspec.core.files import atomic_path
    from paraspec.core.layout import StudyFiles
    from paraspec.core.table import read_table
    from paraspec.core.tables.planned import CORPUS
    from paraspec.models.tokenizer import train_tokenizer

    files = StudyFiles(results)
    corpus = read_table(files.data("corpus.parquet"), CORPUS)
    trained = train_tokenizer(corpus["text"], vocab_size)
    with atomic_path(files.data("tokenizer.json")) as partial:
        trained.save(str(partial))
    typer.echo(f"{trained.get_vocab_size()} tokens")


def train(
    model: Model,
    models: Table,
    results: Results,
    checkpoints: Annotated[
        str, typer.Option(help="Steps at which to save a checkpoint, e.g. 100,200.")
    ] = "",
) -> None:
    """Train one model of the table on the study's sentences."""
    row, steps = _row(models, model), whole_numbers(checkpoints)

    from paraspec.models.training_run import run

    run(row, results, steps)


def register(model: Model, models: Table, results: Results) -> None:
    """Describe a local model folder of the table, so that it can be measured."""
    row = _row(models, model)

    from paraspec.core.layout import StudyFiles
    from paraspec.models.load import load_model
    from paraspec.models.manifest import describe, write_manifest

    folder = Path(row.source)
    manifest = describe(row, model, load_model(folder, row.dtype), folder, None)
    write_manifest(manifest, StudyFiles(results).model(model, "model.json"))


def _row(models: Path, model: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from paraspec.core.config import read_models
    from paraspec.core.errors import UserError

    rows = {row.model: row for row in read_models(models)}
    if model not in rows:
        raise UserError(
            models, f"no model {model!r}", f"Choose one of {', '.join(rows)}"
        )
    return rows[model]
