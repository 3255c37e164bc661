"""Whether two ways gave the same answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.work import Work
from paraspec.core.errors import UserError
from paraspec.measure.applied import Applied
from paraspec.measure.scoring import Answer

TOLERANCE_NATS: Mapping[str, float] = {"float32": 5e-4, "bfloat16": 3.0}
"""How far margins may differ by rounding; they spread by some 13 nats (see cases).

In float32 it separates rounding from faults. In bfloat16 it only stops gross faults:
32 random layers move single margins by up to 1 nat from what float32 gives, whichever
way they are computed, so that every way is compared in float32 too, before timing.
"""

Answered = Mapping[tuple[Applied, str], Answer]
"""Answers by acting mask and item."""


@dataclass(frozen=True)
class Difference:
    """How far a way's answers lie from those of another."""

    compared: int
    """Rows that both answered."""
    predictions: int
    """Rows that they predict otherwise."""
    beyond_ties: int
    """Of these, those whose two best options lie further apart than the tolerance."""
    margin_nats: float
    """Largest difference of margins."""
    typical_nats: float
    """Root of the mean squared difference of margins."""


def by_row(work: Work, answers: Sequence[Answer]) -> Answered:
    """Answers by what was asked."""
    return {
        (row.applied, row.asked.item): answer
        for row, answer in zip(work.rows, answers, strict=True)
    }


def difference(found: Answered, reference: Answered, tolerance: float) -> Difference:
    """Compare the rows that both hold."""
    shared = [(found[key], reference[key]) for key in found if key in reference]
    gaps = [a.margin - b.margin for a, b in shared]
    unlike = [pair for pair in shared if pair[0].predicted != pair[1].predicted]
    return Difference(
        compared=len(shared),
        predictions=len(unlike),
        beyond_ties=sum(lead(expected) > tolerance for _, expected in unlike),
        margin_nats=max(map(abs, gaps), default=0.0),
        typical_nats=(sum(g * g for g in gaps) / max(1, len(gaps))) ** 0.5,
    )


def lead(answer: Answer) -> float:
    """Log-likelihood of the best option minus that of the second, nats."""
    second, best = sorted(answer.logprobs)[-2:]
    return best - second


def require_agreement(way: str, found: Difference, tolerance: float) -> None:
    """Stop where a way's answers are not those of the reference.

    Raises
    ------
    UserError
        Naming the way and by how much it is off.
    """
    if found.beyond_ties or not found.margin_nats <= tolerance:
        raise UserError(
            f"benchmark, {way}",
            f"{found.predictions} of {found.compared} predictions differ, "
            f"{found.beyond_ties} of them beyond ties; margins differ by up to "
            f"{found.margin_nats:.2g} nats, tolerance {tolerance:g}",
            "No time is reported for other answers: mend that way first",
        )


def require_effect(masked: Answered, bare: Sequence[Answer], tolerance: float) -> None:
    """Stop where masks change no answer: agreement would then prove nothing.

    Parameters
    ----------
    masked
        Answers under masks.
    bare
        Answers to the same rows without any.
    tolerance
        What rounding may do.

    Raises
    ------
    UserError
        If no margin moved by ten tolerances.
    """
    pairs = zip(masked.values(), bare, strict=True)
    largest = max(abs(a.margin - b.margin) for a, b in pairs)
    if largest < 10 * tolerance:
        raise UserError(
            "benchmark",
            f"masks move margins by {largest:.2g} nats at most",
            "Give the model larger weights",
        )
