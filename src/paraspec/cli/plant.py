"""``paraspec plant``: known facts in known places, to score the selectors."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.asking import asking_of
from paraspec.cli.options import (
    BatchRows,
    Chat,
    Dtype,
    Model,
    Results,
    Scorer,
    Seed,
    Wording,
)


def plant(
    model: Model,
    results: Results,
    concepts: Annotated[
        int, typer.Option("--concepts", min=1, help="Concepts that get new facts.")
    ] = 6,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Table; measure/<model>/planted.csv if not given."),
    ] = None,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
    seed: Seed = 0,
) -> None:
    """Plant facts in a copy of a model; how well each selector finds them."""
    from paraspec.core.layout import StudyFiles
    from paraspec.core.table import write_table
    from paraspec.core.tables.per_model import PLANTED
    from paraspec.measure.plant_run import run_plant
    from paraspec.models.manifest import load_measured

    how = asking_of(scorer, asking, chat=chat)
    files = StudyFiles(results)
    loaded, manifest = load_measured(files, model, dtype)
    found = run_plant(loaded, manifest, files, concepts, how, batch_rows, seed)
    write_table(found, PLANTED, out or files.measure(model, "planted.csv"))
