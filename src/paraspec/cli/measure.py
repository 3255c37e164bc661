"""``paraspec extract`` and ``score``: measuring one model."""

from typing import Annotated

import typer

from paraspec.cli.options import (
    BatchRows,
    Dtype,
    Model,
    Results,
    Scorer,
    Seed,
    numbers,
)


def extract(
    model: Model,
    results: Results,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    dtype: Dtype = "float32",
) -> None:
    """Average coefficients per concept: activations.safetensors."""
    from paraspec.measure.extract_run import run_extract

    run_extract(model, results, batch_rows, scorer, dtype)


def score(
    model: Model,
    results: Results,
    ratios: Annotated[str, typer.Option(help="Mask ratios for own items.")],
    general_ratios: Annotated[str, typer.Option(help="Those for general items.")],
    keep_ratios: Annotated[str, typer.Option(help="Shares for keep-only.")],
    random_draws: Annotated[int, typer.Option(min=1, help="Random masks.")] = 10,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    dtype: Dtype = "float32",
    seed: Seed = 0,
) -> None:
    """Answer items under every mask: items, masks and never_seen.parquet."""
    from paraspec.core.closure import code_hash
    from paraspec.core.config import MeasureConfig, parse

    given = {
        "ratios": numbers(ratios),
        "general_ratios": numbers(general_ratios),
        "keep_ratios": numbers(keep_ratios),
        "random_draws": random_draws,
        "batch_rows": batch_rows,
    }
    config = parse(MeasureConfig, given, "paraspec score")

    from paraspec.measure.score_run import run_score

    code = code_hash(score.__module__, score.__name__)
    run_score(model, results, config, scorer, dtype, seed, code)
