"""Figures of a study: one module each, listed in :data:`FIGURES`.

A figure is a function of the study's tables. It draws what they hold and estimates
nothing; where they hold nothing, the panel says so.
"""

from pathlib import Path

from paraspec.core.layout import StudyFiles
from paraspec.report.catalogue import CATALOGUE
from paraspec.report.figures.arms import ARMS
from paraspec.report.figures.collateral import COLLATERAL
from paraspec.report.figures.controls import CONTROLS
from paraspec.report.figures.efficiency import EFFICIENCY
from paraspec.report.figures.induced import INDUCED
from paraspec.report.figures.masking_curves import MASKING_CURVES
from paraspec.report.figures.pss_accuracy import PSS_ACCURACY
from paraspec.report.figures.reliability import RELIABILITY
from paraspec.report.figures.selectors import SELECTORS
from paraspec.report.figures.sizes import SIZES
from paraspec.report.figures.spec import FigureSpec
from paraspec.report.figures.specificity import SPECIFICITY
from paraspec.report.figures.tiers import TIERS
from paraspec.report.figures.trajectory import TRAJECTORY
from paraspec.report.figures.vectors import VECTORS
from paraspec.report.inputs import StudyTables
from paraspec.report.style import house_style, save

_DRAWN = {
    figure.name: figure
    for figure in (
        PSS_ACCURACY,
        CONTROLS,
        MASKING_CURVES,
        SPECIFICITY,
        COLLATERAL,
        TIERS,
        SIZES,
        TRAJECTORY,
        VECTORS,
        EFFICIENCY,
        SELECTORS,
        RELIABILITY,
        ARMS,
        INDUCED,
    )
}
FIGURES: dict[str, FigureSpec] = {name: _DRAWN[name] for name in CATALOGUE}
"""Figure name to figure, in the page's order."""


def write_figure(name: str, tables: StudyTables, root: Path) -> tuple[Path, Path]:
    """Draw one figure and write its SVG and PNG under the study's folder."""
    with house_style():
        return save(FIGURES[name].draw(tables), StudyFiles(root).figure(name))


__all__ = ["FIGURES", "FigureSpec", "write_figure"]
