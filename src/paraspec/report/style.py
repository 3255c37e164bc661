"""One look for every figure: colours, marks, type, and files with the same bytes.

Colours are Okabe and Ito's (2008), which readers of any colour vision tell apart;
families differ in the shape of their marks as well.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from paraspec.core.files import atomic_path
from paraspec.report.hover import with_names

INK = "#1f2328"
MUTED = "#5f6670"
RULE = "#d5d8dc"
PAPER = "#fefefe"
GREY = "#8a8f98"
ON_LIGHT, ON_DARK = "#111111", "#ffffff"
"""Text on coloured tiles, which stay as they are in the page's dark scheme."""
BLUE, VERMILLION, GREEN = "#0072b2", "#d55e00", "#009e73"
PURPLE, ORANGE, SKY, BROWN = "#cc79a7", "#e69f00", "#56b4e9", "#8c6239"

FAMILY_MARKS = (
    (BLUE, "o"),
    (VERMILLION, "s"),
    (GREEN, "^"),
    (PURPLE, "D"),
    (ORANGE, "v"),
    (SKY, "P"),
    (BROWN, "X"),
)

ASCENDING = (
    ("#440154", "o"),
    ("#3b528b", "s"),
    ("#21918c", "^"),
    ("#5ec962", "D"),
    ("#d4a800", "v"),
)
"""Looks from the weakest model to the strongest: dark to light (viridis)."""

WIDTH = 9.6
"""Inches: the page's text block, so that type keeps its size."""

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Geneva", "Arial", "sans-serif"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.dpi": 72,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "svg.fonttype": "none",
    "svg.hashsalt": "paraspec",
}

PNG_DPI = 160

NOTE_WIDTH = 56
"""Characters in a line of a remark: half the page's width."""

BACKING = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.6}
"""Patch behind text that stands among marks (outlined text would become paths)."""

SHARE_TICKS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


@contextmanager
def house_style() -> Iterator[None]:
    """Draw and save in the house style, whatever the user's own settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)  # type: ignore[arg-type]
        yield


def canvas(height: float) -> Figure:
    """Empty figure of the page's width, laid out so that nothing overlaps."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def stacked(figure: Figure, heights: Sequence[float]) -> list[SubFigure]:
    """Parts of a figure, one below the other."""
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    return [figure.add_subfigure(grid[place]) for place in range(len(heights))]


def side_by_side(figure: Figure, widths: Sequence[float]) -> list[SubFigure]:
    """Parts of a figure, one beside the other."""
    grid = figure.add_gridspec(1, len(widths), width_ratios=widths)
    return [figure.add_subfigure(grid[place]) for place in range(len(widths))]


def save(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write ``<stem>.svg`` and ``<stem>.png``: same figure, same bytes."""
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out; each format would do it again
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": "paraspec"})
    with atomic_path(svg) as partial:
        partial.write_text(with_names(drawn.getvalue()), encoding="utf-8")
    with atomic_path(png) as partial:
        figure.savefig(partial, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return svg, png


def family_marks(families: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and mark of each family, in the families' alphabetical order."""
    names = sorted(set(families))
    return {n: FAMILY_MARKS[i % len(FAMILY_MARKS)] for i, n in enumerate(names)}


def handle(colour: str, marker: str, label: str, **look: object) -> Line2D:
    """Legend entry that is not tied to drawn data."""
    settings: dict[str, object] = {"linestyle": "none", "markersize": 6} | look
    return Line2D([], [], color=colour, marker=marker, label=label, **settings)  # type: ignore[arg-type]


def say(axes: Axes, text: str) -> None:
    """Tell in place of a panel why there is nothing to see."""
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=MUTED,
        fontsize=10.5,
        in_layout=False,
    )


def bars(
    axes: Axes, rows: pd.DataFrame, name: str, at: pd.Series, **look: object
) -> None:
    """Draw vertical intervals ``<name>_low`` to ``<name>_high`` at positions ``at``.

    Lines, not matplotlib's error bars: a percentile interval need not contain its
    estimate, and may be undefined.
    """
    axes.vlines(at, rows[f"{name}_low"], rows[f"{name}_high"], **look)  # type: ignore[arg-type]


def striped(axes: Axes, labels: Sequence[str]) -> None:
    """Give each label a row, counted from below, every other one tinted."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(visible=False, axis="y")
    for index in range(0, len(labels), 2):
        axes.axhspan(index - 0.5, index + 0.5, color=RULE, alpha=0.3, linewidth=0)


def bars_across(
    axes: Axes, rows: pd.DataFrame, name: str, at: pd.Series, **look: object
) -> None:
    """Draw the same intervals horizontally."""
    axes.hlines(at, rows[f"{name}_low"], rows[f"{name}_high"], **look)  # type: ignore[arg-type]


def note(axes: Axes, text: str) -> None:
    """Small remark in the upper left corner of a panel."""
    axes.text(
        0.012,
        0.975,
        "\n".join(wrap(text, NOTE_WIDTH)),
        transform=axes.transAxes,
        ha="left",
        va="top",
        fontsize=8.5,
        color=MUTED,
        linespacing=1.4,
        bbox=BACKING,
        in_layout=False,
    )


def remark(axes: Axes, text: str) -> None:
    """Small remark on a panel's title line, to the right."""
    axes.set_title(text, loc="right", fontsize=8.5, fontweight="normal", color=MUTED)


def without_value(rows: pd.DataFrame, column: str) -> str:
    """Remark on models that a panel cannot show."""
    missing = list(rows.loc[rows[column].isna(), "model"])
    return f"No value: {', '.join(missing)}" if missing else ""


def share_axis(axes: Axes, widest: float, ticks: Sequence[float] = SHARE_TICKS) -> None:
    """Horizontal axis of shares up to ``widest``, stretched near 0 (square root)."""
    widest = widest if widest > 0 else 1.0
    axes.set_xscale("function", functions=(_root, _square))
    ticks = [tick for tick in ticks if tick <= widest + 1e-9]
    axes.set_xticks(ticks, [f"{100 * tick:g} %" if tick else "0" for tick in ticks])
    axes.set_xlim(0, widest * 1.04)


def _root(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.sqrt(np.maximum(share, 0))


def _square(root: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.square(root)
