"""The report room: tables in, figures and one page out. It draws, never estimates.

Start at :func:`write_figure` and :func:`page`.
"""

from paraspec.report.figures import FIGURES, write_figure
from paraspec.report.inputs import StudyTables, read_tables
from paraspec.report.page import Sources, page

__all__ = ["FIGURES", "Sources", "StudyTables", "page", "read_tables", "write_figure"]
