"""``paraspec extract`` and ``score``: measuring one model."""

from pathlib import Path
from typing import Annotated

import typer

from paraspec.cli.asking import asking_of, controls_of, measuring_code
from paraspec.cli.options import (
    BatchRows,
    Chat,
    Compile,
    Controls,
    Dtype,
    MaskingOption,
    Model,
    Results,
    Scorer,
    Seed,
    Wording,
    numbers,
)
from paraspec.core.config import MeasureConfig
from paraspec.core.validation import parse


def extract(
    model: Model,
    results: Results,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
    controls: Controls = "",
    seed: Seed = 0,
) -> None:
    """Average coefficients per concept, and say which value vectors hold it."""
    from paraspec.core.layout import StudyFiles
    from paraspec.measure.extract_run import run_extract
    from paraspec.models.manifest import load_measured

    how = asking_of(scorer, asking, chat=chat)
    beside = controls_of(controls)
    files = StudyFiles(results)
    loaded, manifest = load_measured(files, model, dtype)
    code = measuring_code("extract")
    run_extract(loaded, manifest, files, batch_rows, how, code, beside, seed)


def score(
    model: Model,
    results: Results,
    ratios: Annotated[str, typer.Option(help="Mask ratios for own items.")],
    general_ratios: Annotated[str, typer.Option(help="Those for general items.")],
    keep_ratios: Annotated[
        str, typer.Option(help="Shares for keep-only; none by default.")
    ] = "",
    random_draws: Annotated[int, typer.Option(min=1, help="Random masks.")] = 10,
    batch_rows: BatchRows = 512,
    masking: MaskingOption = "hook",
    compile: Compile = False,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
    seed: Seed = 0,
    controls: Controls = "",
    cross: Annotated[
        bool, typer.Option("--cross", help="Ask under every other concept's mask too.")
    ] = False,
    part: Annotated[
        str, typer.Option(help="Answer a part of the concepts only, e.g. 2-of-8.")
    ] = "1-of-1",
    taken: Annotated[
        list[Path] | None, typer.Option(help="File of a finished part; repeatable.")
    ] = None,
) -> None:
    """Answer items under every mask: items, masks, never_seen, collateral.parquet."""
    given = {
        "ratios": numbers(ratios),
        "general_ratios": numbers(general_ratios),
        "keep_ratios": numbers(keep_ratios),
        "random_draws": random_draws,
        "batch_rows": batch_rows,
        "masking": masking,
        "compile": compile,
    }
    config = parse(MeasureConfig, given, "paraspec score")
    beside = controls_of(controls)

    from paraspec.core.layout import StudyFiles
    from paraspec.measure.chunked import Part
    from paraspec.measure.score_run import run_score
    from paraspec.models.manifest import load_measured

    files = StudyFiles(results)
    loaded, manifest = load_measured(files, model, dtype)
    how = asking_of(scorer, asking, chat=chat)
    run_score(
        *(loaded, manifest, files, config, how, seed, measuring_code("score")),
        part=Part.read(part),
        parts=taken or [],
        controls=beside,
        cross=cross,
    )
