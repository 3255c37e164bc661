"""The report room: tables in, figures and one page out. It draws, never estimates.

Start at :func:`paraspec.report.figures.write_figure` and
:func:`paraspec.report.page.page`.
"""
