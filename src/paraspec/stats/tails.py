"""How far an estimate is from a bound: the tails that equivalence tests need."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy import stats

Transform = Literal["identity", "fisher"]


class Tails(Protocol):
    """Sampling distribution of an estimate, seen from outside."""

    def below(self, bound: float) -> float:
        """One-sided p value of the hypothesis that the statistic is at most bound."""

    def above(self, bound: float) -> float:
        """One-sided p value of the hypothesis that the statistic is at least bound."""


@dataclass(frozen=True)
class Drawn:
    """Bootstrap draws; the sample counts as one (Davison & Hinkley 1997, eq. 4.11)."""

    values: npt.NDArray[np.float64]

    def below(self, bound: float) -> float:
        """Share of draws at or below the bound.

        >>> Drawn(np.array([1.0, 2.0, 3.0])).below(1.5)
        0.5
        """
        count = np.count_nonzero(self.values <= bound)
        return float(count + 1) / (self.values.size + 1)

    def above(self, bound: float) -> float:
        """Share of draws at or above the bound."""
        count = np.count_nonzero(self.values >= bound)
        return float(count + 1) / (self.values.size + 1)


@dataclass(frozen=True)
class Student:
    """Student's t around an estimate, or the normal with infinite freedom.

    ``transform`` says on which scale: ``fisher`` is atanh, for correlations.
    """

    centre: float
    error: float
    freedom: float = np.inf
    transform: Transform = "identity"

    def below(self, bound: float) -> float:
        """Tail of the estimate's distribution at or below the bound.

        >>> round(Student(1.96, 1.0).below(0.0), 3)
        0.025
        """
        return float(stats.t.cdf(self._distance(bound), self.freedom))

    def above(self, bound: float) -> float:
        """Tail of the estimate's distribution at or above the bound."""
        return float(stats.t.sf(self._distance(bound), self.freedom))

    def _distance(self, bound: float) -> float:
        put = np.arctanh(bound) if self.transform == "fisher" else bound
        return float((put - self.centre) / self.error)


def equivalence_p(tails: Tails, margin: float) -> float:
    """P value of the hypothesis that the statistic lies outside the margin (TOST).

    Notes
    -----
    The larger of the two one-sided p values, ``P(T <= -margin)`` and
    ``P(T >= margin)``, with T the estimate's sampling distribution (Schuirmann 1987).
    Below .05 exactly where the 90 % interval lies within the margin.

    >>> round(equivalence_p(Student(0.0, 0.1), 0.2), 4)
    0.0228
    """
    return max(tails.below(-margin), tails.above(margin))
