"""Whether two ways gave the same answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.work import Work
from paraspec.core.errors import UserError
from paraspec.measure.score import Applied
from paraspec.measure.scoring import Answer

TOLERANCE_NATS: Mapping[str, float] = {"float32": 1e-4, "bfloat16": 0.5}
"""How far margins may differ by rounding (sums of some ten log-likelihoods)."""

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


def by_row(work: Work, answers: Sequence[Answer]) -> Answered:
    """Answers by what was asked."""
    return {
        (row.applied, row.asked.item): answer
        for row, answer in zip(work.rows, answers, strict=True)
    }


def difference(found: Answered, reference: Answered, tolerance: float) -> Difference:
    """Compare the rows that both hold."""
    shared = [(found[key], reference[key]) for key in found if key in reference]
    unlike = [pair for pair in shared if pair[0].predicted != pair[1].predicted]
    return Difference(
        compared=len(shared),
        predictions=len(unlike),
        beyond_ties=sum(lead(expected) > tolerance for _, expected in unlike),
        margin_nats=max((abs(a.margin - b.margin) for a, b in shared), default=0.0),
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


def require_effect(work: Work, answered: Answered, tolerance: float) -> None:
    """Stop where masks change no answer: agreement would then prove nothing.

    Raises
    ------
    UserError
        If no masked margin lies ten tolerances away from the unmasked one.
    """
    bare = {item: a for (mask, item), a in answered.items() if not any(mask.k)}
    largest = max(
        (
            abs(answered[row.applied, row.asked.item].margin - bare[item].margin)
            for row in work.rows
            if (item := row.asked.item) in bare
        ),
        default=0.0,
    )
    if largest < 10 * tolerance:
        raise UserError(
            "benchmark",
            f"masks move margins by {largest:.2g} nats at most",
            "Give the model larger weights",
        )
