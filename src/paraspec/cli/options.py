"""Options that several commands share, and how lists are written on a command line."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from paraspec.core.definitions import Masking, ScorerName

Results = Annotated[
    Path, typer.Option("--results", help="The study's folder, results/<study>.")
]
Table = Annotated[Path, typer.Option("--models", help="Model table (TSV).")]
Model = Annotated[str, typer.Option("--model", help="Name of the model.")]
Seed = Annotated[int, typer.Option("--seed", help="The study's seed.")]
BatchRows = Annotated[
    int, typer.Option("--batch-rows", min=1, help="Prompts in one forward pass.")
]
Scorer = Annotated[ScorerName, typer.Option("--scorer", help="How items are asked.")]
Wording = Annotated[
    str, typer.Option("--asking", help="Templates and shots, as JSON; see config.")
]
MaskingOption = Annotated[
    Masking, typer.Option("--masking", help="How masks are applied.")
]
Compile = Annotated[
    bool, typer.Option("--compile", help="Use torch.compile; pays on a GPU.")
]
Controls = Annotated[
    str,
    typer.Option(
        "--controls", help="Control masks, as JSON; see config. None if empty."
    ),
]
Chat = Annotated[bool, typer.Option("--chat", help="Ask in the chat template.")]
Dtype = Annotated[
    Literal["float32", "bfloat16", "float16"],
    typer.Option("--dtype", help="Number format while measuring."),
]


def numbers(text: str) -> tuple[float, ...]:
    """Read comma-separated numbers.

    >>> numbers("0.1,0.5")
    (0.1, 0.5)
    """
    try:
        return tuple(float(part) for part in text.split(",") if part)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list like 0.1,0.2") from error


def whole_numbers(text: str) -> tuple[int, ...]:
    """Read comma-separated whole numbers.

    >>> whole_numbers("8,2,1")
    (8, 2, 1)
    """
    try:
        return tuple(int(part) for part in text.split(",") if part)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list like 8,2,1") from error
