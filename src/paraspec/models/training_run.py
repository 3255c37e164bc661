"""One training run: sentences in, model folders and a loss curve out."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow, checkpoint_name
from paraspec.core.progress import progress
from paraspec.core.seeds import seed_for
from paraspec.core.table import read_table, write_table
from paraspec.core.tables.planned import CONCEPTS, CORPUS
from paraspec.core.tables.training import TRAINING
from paraspec.models.induced import blocks_of, induced
from paraspec.models.load import quiet_transformers
from paraspec.models.manifest import (
    TrainingFacts,
    Trajectory,
    describe,
    write_manifest,
)
from paraspec.models.tokenizer import load_tokenizer
from paraspec.models.train import LOG_EVERY, Progress, encode, train
from paraspec.models.zoo import fresh_model


def run(row: ModelRow, results: Path, checkpoints: Sequence[int]) -> None:
    """Train a zoo model and save it, its checkpoints and its loss curve.

    Parameters
    ----------
    row
        Recipe.
    results
        The study's folder.
    checkpoints
        Steps after which a checkpoint is saved as a model of its own; 0 before the
        first: an untrained model.
    """
    quiet_transformers()
    files = StudyFiles(results)
    corpus = read_table(files.data("corpus.parquet"), CORPUS)
    concepts = read_table(files.data("concepts.parquet"), CONCEPTS)
    untrained = left_out(concepts, row.data_share, row.seed)
    corpus = corpus[~corpus["concept"].isin(untrained)]
    tokenizer = load_tokenizer(files.data("tokenizer.json"))
    model = fresh_model(row, len(tokenizer))
    if torch.cuda.is_available():  # seeded weights are drawn on the CPU, for all alike
        torch.set_float32_matmul_precision("high")
        model = model.to("cuda:0")
    curve: list[Progress] = []

    def save(name: str, trajectory: Trajectory | None) -> None:
        last = curve[-1] if curve else None
        facts = TrainingFacts(
            untrained,
            trajectory,
            last.step if last else 0,
            last.n_tokens if last else 0,
            last.loss_nats if last else None,
        )
        save_model(row, name, model, tokenizer, files.model(name), facts)

    if 0 in checkpoints:
        save(checkpoint_name(row.model, 0), Trajectory(row.model, 0))
    with progress(f"training {row.model}", row.steps) as advance:

        def on_step(state: Progress) -> None:
            curve.append(state)
            advance(1)
            if state.step in checkpoints:
                name = checkpoint_name(row.model, state.step)
                save(name, Trajectory(row.model, state.step))

        ids = encode(corpus["text"].tolist(), tokenizer)
        blocks = corpus["concept"].map(blocks_of(concepts, row.seed)).to_numpy()
        with induced(model, row, blocks) as on_batch:
            train(model, ids, corpus["exposure"].tolist(), row, on_step, on_batch)
    kept = [p for p in curve if p.step % LOG_EVERY == 0 or p.step == row.steps]
    frame = pd.DataFrame([vars(p) for p in kept])
    write_table(frame, TRAINING, files.model(row.model, "training.csv"))
    save(row.model, None)


def left_out(concepts: pd.DataFrame, data_share: float, seed: int) -> list[str]:
    """Concepts that a model with a data share below 1 is not trained on.

    The share holds in every category x tier x exposure cell, rounded up.
    """
    out: list[str] = []
    cells = concepts.groupby(["category", "tier", "exposure"], observed=True)
    for _, cell in cells:
        order = sorted(cell["concept"], key=lambda c: seed_for("data-share", seed, c))
        out += order[math.ceil(round(data_share * len(order), 9)) :]
    return sorted(out)


def save_model(
    row: ModelRow,
    name: str,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    facts: TrainingFacts,
) -> None:
    """Save as an ordinary Hugging Face folder, its manifest last."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with torch.no_grad():
        model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").unlink(missing_ok=True)
    for file in partial.iterdir():
        file.replace(folder / file.name)
    partial.rmdir()
    manifest = describe(row, name, folder, facts)
    write_manifest(manifest, folder / "model.json")
