"""``paraspec check``: what a model is, and whether it can be measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paraspec.cli.options import Dtype, Scorer

if TYPE_CHECKING:
    from paraspec.models.preflight.report import Finding, Preflight, SiteFacts

MARKS = {"pass": "PASS", "warning": "WARN", "fail": "FAIL"}
COLOURS = {"pass": "green", "warning": "yellow", "fail": "bold red"}


def check(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    dtype: Dtype = "float32",
    scorer: Scorer = "cloze",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write all of it here.")
    ] = None,
) -> None:
    """Describe a model and try all that measuring it relies on, in seconds."""
    from paraspec.models.manifest import model_place
    from paraspec.models.preflight.check import preflight

    place = model_place(model)
    found = preflight(
        place.folder,
        dtype,
        needs_letters=scorer == "letters",
        remote_code=place.remote_code,
    )
    if json_file is not None:
        write(found, json_file)
    show(found)
    raise typer.Exit(0 if found.passed else 1)


def write(found: Preflight, path: Path) -> None:
    """Write everything as JSON."""
    import json
    from dataclasses import asdict

    from paraspec.core.files import write_text

    values = {"passed": found.passed, **asdict(found)}
    write_text(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def show(found: Preflight) -> None:
    """Print a table on a terminal, plain lines into a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        for name, value in rows(found):
            print(f"{name}: {value}")
        for finding in found.findings:
            print(f"{MARKS[finding.outcome]} {_line(finding)}")
        return
    table = Table(show_header=False, title=found.folder, title_justify="left")
    for name, value in rows(found):
        table.add_row(name, Text(value))
    console.print(table)
    for finding in found.findings:
        mark = Text(MARKS[finding.outcome], style=COLOURS[finding.outcome])
        console.print(mark, Text(_line(finding)))


def rows(found: Preflight) -> list[tuple[str, str]]:
    """Facts as names and values."""
    text, memory = found.text, found.memory
    length = found.context_length
    return [
        ("model", found.folder),
        ("architecture", f"{found.architecture} ({found.model_class})"),
        ("found by", found.found_by),
        ("layers", f"{found.n_layers}, d_model {found.d_model:,}"),
        *(("value vectors", line) for line in _sites(found.sites)),
        (
            "parameters",
            f"{found.parameters_total:,} without embeddings, "
            f"{found.parameters_active:,} active per token",
        ),
        ("numbers", f"{found.dtype} on {found.device} ({found.hardware})"),
        ("attention", found.attention),
        ("experts", found.experts or "none"),
        ("context", f"{length:,} tokens" if length else "no limit named"),
        ("tokenizer", f"{text.tokenizer_class}, {text.vocabulary:,} tokens"),
        ("begin of text", _bos(found)),
        ("letter tokens", _letters(found)),
        ("example prompt", repr(text.letters.prompt)),
        (
            f"memory, {memory.rows} x {memory.positions} tokens",
            f"about {_size(memory.total)}: weights {_size(memory.weights)}, "
            f"keys and values {_size(memory.cache)}, "
            f"activations {_size(memory.activations)}, logits {_size(memory.logits)}",
        ),
    ]


def _sites(sites: tuple[SiteFacts, ...]) -> list[str]:
    """Sites that differ in their layer only share a line."""
    import re

    groups: dict[tuple[str, str, int, int], list[int]] = {}
    for site in sites:
        name = re.sub(r"\.\d+\.", ".*.", site.name)
        key = (name, site.layout, site.n_experts if site.routed else 0, site.d_ff)
        groups.setdefault(key, []).append(site.layer)
    return [
        f"{name}: {f'{experts} experts of ' if experts else ''}d_ff {d_ff:,} "
        f"as {layout}, layer{'s' if len(layers) > 1 else ''} {_ranges(layers)}"
        for (name, layout, experts, d_ff), layers in groups.items()
    ]


def _ranges(numbers: list[int]) -> str:
    """Write sorted numbers as ranges.

    >>> _ranges([0, 1, 2, 5])
    '0-2, 5'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts)


def _bos(found: Preflight) -> str:
    text = found.text
    parts = ["BOS added" if text.bos_added else "no BOS added"]
    if text.bos_doubled:
        parts.append("and doubled")
    elif text.written_bos_doubled:
        parts.append("doubled where a text spells it out, as chat templates do")
    if text.eos_appended:
        parts.append("EOS appended (removed for prompts)")
    parts.append("chat template" if text.chat_template else "no chat template")
    return ", ".join(parts)


def _letters(found: Preflight) -> str:
    return ", ".join(
        f"{letter} = {'(merges)' if tokens is None else tokens}"
        for letter, tokens in found.text.letters.tokens.items()
    )


def _line(finding: Finding) -> str:
    return f"{finding.name}: {finding.detail}"


def _size(n_bytes: int) -> str:
    """Bytes as people read them.

    >>> _size(3_500_000)
    '3.5 MB'
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes / 1000:.1f} kB"
