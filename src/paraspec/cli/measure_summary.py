"""What ``paraspec measure`` prints: a table on a terminal, plain lines into a pipe."""

from collections.abc import Iterator

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from paraspec.core.definitions import NON_KNOWLEDGE, PAPER_SELECTOR, primary_ratio
from paraspec.core.layout import StudyFiles
from paraspec.core.table import read_table
from paraspec.core.tables.measured import ITEMS
from paraspec.core.tables.per_model import EFFICIENCY, PSS
from paraspec.report.kinds import KINDS, ZERO
from paraspec.stats.items import PRIMARY_KINSHIP

MASKS = {kind.mask: kind.name for kind in KINDS if kind.ablation == ZERO}
"""Mask kind to its name, in the order told; controls where they were measured."""
HEADER = ("mask", "ratio", "concept", "general", "PSS", "signed effect")


def show(files: StudyFiles, model: str, n_parameters: int) -> None:
    """Print accuracy, the effect of every mask, and efficiency."""
    items = read_table(files.measure(model, "items.parquet"), ITEMS)
    pss = read_table(files.measure(model, "pss.csv"), PSS)
    efficiency = read_table(files.measure(model, "efficiency.csv"), EFFICIENCY)
    primary = primary_ratio(n_parameters)
    console = Console(highlight=False, soft_wrap=True)
    for line in _before(items):
        console.print(Text(line))
    _print_masks(console, list(_rows(pss, primary)))
    for line in _after(efficiency, primary):
        console.print(Text(line))


def _before(items: pd.DataFrame) -> Iterator[str]:
    plain = items[(items["mask"] == "none") & (items["set"] == "concept")]
    plain = plain[plain["category"] != NON_KNOWLEDGE]
    n_concepts = plain["concept"].nunique()
    yield (
        f"accuracy {plain['correct'].mean():.3f} on {len(plain):,} questions about "
        f"{n_concepts} concepts (guessing {plain['chance'].mean():.2f}, concept-blind "
        f"{plain['floor'].mean():.3f})"
    )
    if not plain["parsed"].all():
        yield f"{1 - plain['parsed'].mean():.1%} of the answers named no option"


def _rows(pss: pd.DataFrame, primary: float) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """Lines of the table, and whether they stand at the pre-registered ratio."""
    grid = pss[(pss["kinship"] == PRIMARY_KINSHIP) & (pss["at"] == "ratio")]
    grid = grid[(grid["mask"] != "top") | (grid["selector"] == PAPER_SELECTOR)]
    for mask, label in MASKS.items():
        for row in grid[grid["mask"] == mask].sort_values("ratio").to_dict("records"):
            cells = (
                label,
                f"{row['ratio']:g}",
                f"{row['concept_before']:.3f} > {row['concept_after']:.3f}",
                f"{row['general_before']:.3f} > {row['general_after']:.3f}",
                _interval(row["pss"], row["pss_low"], row["pss_high"]),
                _interval(row["signed"], row["signed_low"], row["signed_high"]),
            )
            yield bool(row["ratio"] == primary), cells


def _print_masks(console: Console, rows: list[tuple[bool, tuple[str, ...]]]) -> None:
    if not console.is_terminal:
        for _, cells in [(False, HEADER), *rows]:
            typer.echo("\t".join(cells))
        return
    table = Table(
        *HEADER, title="Accuracy before > after masking", title_justify="left"
    )
    for at_primary, cells in rows:
        table.add_row(*cells, style="bold" if at_primary else "")
    console.print(table)


def _after(efficiency: pd.DataFrame, primary: float) -> Iterator[str]:
    yield (
        f"general: questions of the same category. Signed effect: what the concept's "
        f"questions lose beyond general ones. Pre-registered ratio: {primary:g}. "
        "[95 % concept bootstrap]"
    )
    known = efficiency[efficiency["known"]]
    for mask in ("top", "random"):
        k50 = known[(known["mask"] == mask) & known["k50"].notna()]
        if len(k50):
            yield (
                f"k50 ({MASKS[mask]}): {k50['k50'].median():.3f} of the value vectors, "
                f"median of {len(k50)} known concepts, {k50['censored'].mean():.0%} of "
                "them lower bounds"
            )


def _interval(value: float, low: float, high: float) -> str:
    """Write an estimate with its interval.

    >>> _interval(0.1234, -0.01, 0.25)
    '0.123 [-0.010, 0.250]'
    """
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
