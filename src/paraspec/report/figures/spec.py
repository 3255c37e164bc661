"""What a figure consists of."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from paraspec.report.catalogue import CATALOGUE
from paraspec.report.inputs import StudyTables


@dataclass(frozen=True)
class FigureSpec:
    """One figure: how it is drawn, and the words that go with it."""

    name: str
    """Its key in :data:`paraspec.report.catalogue.CATALOGUE`."""
    draw: Callable[[StudyTables], Figure]
    caption: Callable[[StudyTables], str]
    """What is plotted, of how many, and how the intervals were made."""
    shown: Callable[[StudyTables], bool] = lambda _: True
    """Whether the page shows it, given what the study holds."""

    @property
    def title(self) -> str:
        """Title on the page."""
        return CATALOGUE[self.name].title

    @property
    def alt(self) -> str:
        """What a reader who cannot see the figure should know it shows."""
        return CATALOGUE[self.name].alt
