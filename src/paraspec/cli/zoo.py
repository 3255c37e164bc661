"""``paraspec tokenizer`` and ``train``: the study's own models."""

from typing import Annotated

import typer

from paraspec.cli.options import Model, Results, Table, whole_numbers


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
    from paraspec.core.model_table import row_of

    row, steps = row_of(models, model), whole_numbers(checkpoints)

    from paraspec.models.training_run import run

    run(row, results, steps)
