"""``paraspec finetune``: train chosen value vectors, and measure what that does."""

from typing import Annotated

import typer

from paraspec.cli.asking import asking_of, causal_of
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
from paraspec.core.closure import code_hash


def finetune(
    model: Model,
    results: Results,
    causal: Annotated[
        str,
        typer.Option("--causal", help="Arms, steps, sweep, as JSON; see config."),
    ] = "{}",
    new_facts: Annotated[
        bool, typer.Option("--new-facts", help="Teach facts that the model never met.")
    ] = False,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
    seed: Seed = 0,
) -> None:
    """Fine-tune arms of a model: arms, sweep.csv, items, answers.parquet.

    Interrupt and start again at any time: finished arms are kept.
    """
    config = causal_of(causal)
    how = asking_of(scorer, asking, chat=chat)

    from paraspec.causal.run import run_arms
    from paraspec.core.layout import StudyFiles
    from paraspec.models.manifest import load_measured

    files = StudyFiles(results)
    loaded, manifest = load_measured(files, model, dtype)
    code = code_hash("paraspec.cli.finetune", "finetune")
    run_arms(
        *(loaded, manifest, files, config, how, batch_rows, seed, code),
        new_facts=new_facts,
    )
