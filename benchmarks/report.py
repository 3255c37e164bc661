"""What a comparison found: a table to read, and JSON to keep."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.agreement import TOLERANCE_NATS
from benchmarks.cases import Case
from benchmarks.compare import COMPILED, LOOP, OURS, Comparison, Outcome

WIDTH_IN_FILES = 130
"""Columns of the table where no terminal says how many there are."""


@dataclass(frozen=True)
class Facts:
    """What the figures are judged by."""

    rows: int
    flops: float
    """Operations that all the answers need."""
    matmul_rates: Mapping[int, float]
    """Measured operations per second by number of threads."""


@dataclass(frozen=True)
class Line:
    """One way, judged."""

    way: str
    threads: int
    batch_rows: int
    rows_answered: int
    seconds: float
    answers_per_second: float
    times_plain_loop: float
    peak_gib: float
    share_of_matmul_rate: float
    different_predictions: int
    largest_margin_difference_nats: float
    typical_margin_difference_nats: float


def judged(comparison: Comparison, facts: Facts) -> list[Line]:
    """Rates, ratios and shares of every way."""
    of_way = {outcome.way: outcome for outcome in comparison.outcomes}
    return [_line(outcome, of_way[LOOP], facts) for outcome in comparison.outcomes]


def _line(outcome: Outcome, loop: Outcome, facts: Facts) -> Line:
    rate = facts.matmul_rates[outcome.setting.threads]
    return Line(
        outcome.way,
        outcome.setting.threads,
        outcome.setting.batch_rows,
        outcome.rows,
        outcome.seconds,
        facts.rows / outcome.seconds,
        loop.seconds / outcome.seconds,
        outcome.peak_bytes / 2**30,
        facts.flops / outcome.seconds / rate,
        outcome.difference.predictions,
        outcome.difference.margin_nats,
        outcome.difference.typical_nats,
    )


def verdicts(lines: list[Line], case: Case) -> list[str]:
    """Each goal with what was measured."""
    of_way = {line.way: line for line in lines}
    mine = of_way.get(COMPILED) or of_way[OURS]
    said = [
        f"{mine.way}: {mine.times_plain_loop:.1f} times faster than the plain loop "
        f"(goal: {case.goal_times_loop:g})"
    ]
    peers = [line for line in lines if line.way not in (LOOP, OURS, COMPILED)]
    if peers:
        best = min(peers, key=lambda line: line.seconds)
        ratio = best.seconds / mine.seconds
        said.append(f"and {ratio:.1f} times as fast as the best peer, {best.way} "
                    "(goal: above 1)")  # fmt: skip
    if case.goal_share is not None:
        said.append(f"it reaches {mine.share_of_matmul_rate:.0%} of the measured "
                    f"matrix-product rate (goal: {case.goal_share:.0%})")  # fmt: skip
    return said


def show(lines: list[Line], comparison: Comparison, case: Case, facts: Facts) -> None:
    """Print the table and whatever needs saying beside it."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDTH_IN_FILES
    table = Table(box=box.ROUNDED if console.is_terminal else box.MARKDOWN)
    for name in ("way", "threads", "batch", "answers/s", "x loop", "peak GiB",
                 "matmul share", "other predictions", "margins differ by"):  # fmt: skip
        table.add_column(name, justify="left" if name == "way" else "right")
    for line in lines:
        table.add_row(*_cells(line, facts.rows))
    console.print(table)
    if any(line.rows_answered < facts.rows for line in lines):
        console.print(f"~ extrapolated from fewer than the {facts.rows} rows")
    tolerance = TOLERANCE_NATS[case.dtype]
    console.print(
        f"Margins in nats, tolerance {tolerance:g}; predictions may differ only where "
        "the two best options lie closer than that."
    )
    for name, reason in comparison.left_out.items():
        console.print(f"{name} was left out: {reason}")
    for verdict in verdicts(lines, case):
        console.print(verdict)


def _cells(line: Line, rows: int) -> list[str]:
    about = "~" if line.rows_answered < rows else ""
    return [
        line.way,
        str(line.threads),
        str(line.batch_rows),
        f"{about}{line.answers_per_second:.1f}",
        f"{line.times_plain_loop:.1f}",
        f"{line.peak_gib:.2f}",
        f"{line.share_of_matmul_rate:.1%}",
        str(line.different_predictions),
        f"{line.largest_margin_difference_nats:.1e}",
    ]


def as_json(
    lines: list[Line], comparison: Comparison, case: Case, facts: Facts
) -> dict[str, Any]:
    """Everything that was found."""
    return {
        "case": asdict(case),
        "facts": asdict(facts),
        "ways": [asdict(line) for line in lines],
        "left_out": dict(comparison.left_out),
        "tolerance_nats": TOLERANCE_NATS[case.dtype],
        "verdicts": verdicts(lines, case),
    }
