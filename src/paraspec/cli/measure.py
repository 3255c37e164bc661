"""``paraspec extract`` and ``score``: measuring one model."""

import json
from typing import Annotated

import typer

from paraspec.cli.options import (
    BatchRows,
    Chat,
    Dtype,
    Model,
    Results,
    Scorer,
    Seed,
    Wording,
    numbers,
)
from paraspec.core.config import (
    Asking,
    AskingConfig,
    MeasureConfig,
    ScorerName,
    parse,
)


def extract(
    model: Model,
    results: Results,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
) -> None:
    """Average coefficients per concept: activations.safetensors."""
    from paraspec.measure.extract_run import run_extract

    how = _asking(scorer, asking, chat=chat)
    run_extract(model, results, batch_rows, how, dtype)


def score(
    model: Model,
    results: Results,
    ratios: Annotated[str, typer.Option(help="Mask ratios for own items.")],
    general_ratios: Annotated[str, typer.Option(help="Those for general items.")],
    keep_ratios: Annotated[str, typer.Option(help="Shares for keep-only.")],
    random_draws: Annotated[int, typer.Option(min=1, help="Random masks.")] = 10,
    batch_rows: BatchRows = 512,
    scorer: Scorer = "cloze",
    asking: Wording = "{}",
    chat: Chat = False,
    dtype: Dtype = "float32",
    seed: Seed = 0,
) -> None:
    """Answer items under every mask: items, masks and never_seen.parquet."""
    from paraspec.core.closure import code_hash

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
    how = _asking(scorer, asking, chat=chat)
    run_score(model, results, config, how, dtype, seed, code)


def _asking(scorer: ScorerName, text: str, *, chat: bool) -> Asking:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"--asking is not JSON: {error}") from error
    return Asking(scorer, parse(AskingConfig, values, "--asking"), chat)
