"""``paraspec measure``: one model, one command, the same files as the workflow's."""

import re
from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.asking import asking_of
from paraspec.cli.options import (
    BatchRows,
    Chat,
    Compile,
    Dtype,
    MaskingOption,
    Scorer,
    Seed,
    Wording,
)
from paraspec.core.config import ControlsConfig, MeasureConfig
from paraspec.core.definitions import PRIMARY_RATIO, PRIMARY_RATIO_SMALL
from paraspec.core.layout import StudyFiles
from paraspec.core.model_table import ModelRow
from paraspec.core.validation import parse

KEEP_RATIOS = (0.1, 0.5, 0.9)
RATIOS = (0.0, PRIMARY_RATIO, PRIMARY_RATIO_SMALL, 0.2)
"""Always answered, so that the pre-registered ratio of any model is among them."""


def measure(
    model: Annotated[
        str, typer.Argument(help="Hugging Face model folder, or hub:<owner>/<name>.")
    ],
    concepts: Annotated[
        int, typer.Option(min=1, help="Concepts, evenly over categories and tiers.")
    ] = 27,
    ratio: Annotated[
        list[float] | None, typer.Option(help="Further mask ratio; repeatable.")
    ] = None,
    random_draws: Annotated[int, typer.Option(min=1, help="Random masks.")] = 10,
    general_items: Annotated[int, typer.Option(min=2, help="Per concept.")] = 50,
    concept_file: Annotated[
        Path, typer.Option(help="Concept file; the factbook is built if missing.")
    ] = Path("data/factbook.jsonl"),
    out: Annotated[
        Path | None, typer.Option(help="Folder; results/measure/<model> if not given.")
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls", help="Measure the control masks too.")
    ] = False,
    batch_rows: BatchRows = 256,
    masking: MaskingOption = "auto",
    compile: Compile = False,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
    seed: Seed = 0,
    revision: Annotated[
        str, typer.Option(help="Branch, tag or commit of a hub model.")
    ] = "main",
) -> None:
    """Measure how a model's value vectors specialise, and print what was found.

    Interrupt and start again at any time: answers that were given are kept.
    """
    ratios = sorted({*RATIOS, *(ratio or [])})
    values = {
        "ratios": ratios,
        "general_ratios": ratios,
        "keep_ratios": KEEP_RATIOS,
        "random_draws": random_draws,
        "general_items": general_items,
        "batch_rows": batch_rows,
        "masking": masking,
        "compile": compile,
    }
    config = parse(MeasureConfig, values, "paraspec measure")
    how = asking_of(scorer, asking, chat=chat)

    from paraspec.cli.measure_steps import measure_model

    name = safe_name(model)
    files = StudyFiles(out or Path("results/measure") / name)
    on_hub = model.startswith("hub:")
    source = model if on_hub else str(Path(model).absolute())
    given = {"model": name, "source": source, "family": name, "dtype": dtype}
    given |= {"revision": revision} if on_hub else {}
    row = parse(ModelRow, given, "paraspec measure")
    beside = ControlsConfig() if controls else None
    measure_model(row, files, config, how, concept_file, concepts, seed, beside)


def safe_name(model: str) -> str:
    """Name that a model's files get, from its folder's or its repository's.

    >>> safe_name("models/Llama 2 (7B)/"), safe_name("hub:Qwen/Qwen2-7B")
    ('Llama-2-7B', 'Qwen2-7B')
    """
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", Path(model).absolute().name)
    return plain.strip("-._") or "model"
