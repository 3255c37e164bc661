"""Labels beside points, placed so that none covers another label or a point.

Each label tries places on rings around its point and takes the cheapest; a few rounds
let early labels move again once the later ones are known. Nothing is random.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.text import Text

from paraspec.report.style import BACKING, MUTED

FloatArray = npt.NDArray[np.float64]

RINGS = (7.0, 12.0, 18.0, 26.0, 36.0, 48.0, 62.0, 80.0)
"""Gaps between point and label, in points of type."""
ANGLES = np.arange(24) * np.pi / 12
LEADER_FROM = 12.0
"""Gap from which a thin line ties the label to its point."""
MARK = 5.0
"""Half width of the square that a point's mark covers."""
ROUNDS = 4
FORBIDDEN = 1e3
"""Cost of a square unit of covered label or mark, against one of an interval."""


@dataclass(frozen=True)
class _Scene:
    """What labels must avoid, in points of type: boxes are x0, y0, x1, y1."""

    points: FloatArray
    sizes: FloatArray
    marks: FloatArray
    lines: FloatArray
    frame: FloatArray


def label_points(
    axes: Axes,
    names: Sequence[str],
    x: FloatArray,
    y: FloatArray,
    lines: FloatArray,
    *,
    others: FloatArray,
    colours: Sequence[str] = (),
    size: float = 8.0,
) -> None:
    """Write ``names`` beside the points ``x``, ``y``.

    Parameters
    ----------
    lines
        Boxes in data units that labels had better not cover (intervals).
    others
        Further points, as rows of x and y, that no label may cover.
    colours
        Colour of each leader line; grey if not given.

    Notes
    -----
    The layout must be final: call ``figure.draw_without_rendering()`` before.
    """
    written = [_write(axes, *each, size) for each in zip(names, x, y, strict=True)]
    scene = _scene(axes, [_size(axes, text) for text in written], x, y, lines, others)
    for index, (dx, dy, gap) in enumerate(place(scene)):
        written[index].set_position((dx, dy))
        if gap > LEADER_FROM:
            edge = _edge(dx, dy, *scene.sizes[index])
            colour = colours[index] if colours else MUTED
            _leader(axes, (x[index], y[index]), edge, colour)


def _write(axes: Axes, name: str, x: float, y: float, size: float) -> Text:
    return axes.annotate(
        name,
        (x, y),
        xytext=(0, 0),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=size,
        bbox=BACKING,
        zorder=5,
    )


def _leader(
    axes: Axes, point: tuple[float, float], edge: tuple[float, float], colour: str
) -> None:
    """Thin line from a label's box to its point."""
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.8}
    axes.annotate(
        "",
        point,
        xytext=edge,
        textcoords="offset points",
        arrowprops=line | {"shrinkA": 0, "shrinkB": 3},
        zorder=4,
    )


def _scale(axes: Axes) -> float:
    """Points of type per pixel."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return 72 / figure.dpi


def _size(axes: Axes, text: Text) -> tuple[float, float]:
    box = text.get_window_extent()
    return box.width * _scale(axes) + 3, box.height * _scale(axes) + 1


def _scene(
    axes: Axes,
    sizes: list[tuple[float, float]],
    x: FloatArray,
    y: FloatArray,
    lines: FloatArray,
    others: FloatArray,
) -> _Scene:
    scale = _scale(axes)

    def placed(xy: FloatArray) -> FloatArray:
        return np.asarray(axes.transData.transform(xy) * scale, dtype=float)

    points = placed(np.column_stack([x, y]))
    dots = np.vstack([points, placed(others)]) if len(others) else points
    ends = [placed(lines[:, :2]), placed(lines[:, 2:])] if len(lines) else []
    return _Scene(
        points=points,
        sizes=np.array(sizes).reshape(-1, 2),
        marks=np.hstack([dots - MARK, dots + MARK]),
        lines=np.hstack([ends[0] - 1, ends[1] + 1]) if ends else np.empty((0, 4)),
        frame=np.asarray(axes.bbox.extents, dtype=float) * scale,
    )


def place(scene: _Scene) -> list[tuple[float, float, float]]:
    """Offset of each label's centre from its point, and the gap between the two."""
    candidates = [_candidates(*size) for size in scene.sizes]
    chosen = [options[0] for options in candidates]
    boxes = np.array(
        [
            _box(p, o, s)
            for p, o, s in zip(scene.points, chosen, scene.sizes, strict=True)
        ]
    ).reshape(-1, 4)
    fixed = [_fixed_costs(scene, i, options) for i, options in enumerate(candidates)]
    for _ in range(ROUNDS):
        for i in _crowded_first(scene.points):
            rest = np.delete(boxes, i, axis=0)
            options = candidates[i]
            tried = _boxes(scene.points[i], options, scene.sizes[i])
            costs = fixed[i] + FORBIDDEN * _overlap(tried, rest)
            best = int(costs.argmin())
            chosen[i], boxes[i] = options[best], tried[best]
    return [(float(o[0]), float(o[1]), float(o[2])) for o in chosen]


def _candidates(width: float, height: float) -> FloatArray:
    """Rows of dx, dy and gap: label centres on rings around the point."""
    return np.array(
        [
            (
                np.cos(angle) * (gap + width / 2),
                np.sin(angle) * (gap + height / 2),
                gap,
            )
            for gap, angle in product(RINGS, ANGLES)
        ]
    )


def _box(point: FloatArray, offset: FloatArray, size: FloatArray) -> FloatArray:
    return np.asarray(_boxes(point, offset[None], size)[0])


def _boxes(point: FloatArray, offsets: FloatArray, size: FloatArray) -> FloatArray:
    centre = point + offsets[:, :2]
    return np.hstack([centre - size / 2, centre + size / 2])


def _fixed_costs(scene: _Scene, index: int, options: FloatArray) -> FloatArray:
    tried = _boxes(scene.points[index], options, scene.sizes[index])
    area = scene.sizes[index].prod()
    inside = _overlap(tried, scene.frame[None])
    return np.asarray(
        FORBIDDEN * (_overlap(tried, scene.marks) + area - inside)
        + 2 * _overlap(tried, scene.lines)
        + options[:, 2]
    )


def _overlap(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Area of each box that the other boxes cover, summed over them."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray((high - low).clip(min=0).prod(axis=2).sum(axis=1))


def _crowded_first(points: FloatArray) -> list[int]:
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    return list(np.argsort(distance.sum(axis=1), kind="stable"))


def _edge(dx: float, dy: float, width: float, height: float) -> tuple[float, float]:
    """Point of the label's box that is nearest to its point, as an offset."""
    return (
        dx - float(np.clip(dx, -width / 2, width / 2)),
        dy - float(np.clip(dy, -height / 2, height / 2)),
    )
