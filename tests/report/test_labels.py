"""Labels cover neither each other nor a point."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Annotation

from paraspec.report.labels import label_points
from paraspec.report.style import canvas, house_style

NOTHING = np.empty((0, 4)), np.empty((0, 2))


def drawn(names, x, y):
    """Labels' boxes and points in pixels."""
    with house_style():
        figure = canvas(4)
        axes = figure.add_subplot()
        axes.plot(x, y, "o")
        axes.margins(0.1, 0.2)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        lines, others = NOTHING
        label_points(axes, names, np.array(x), np.array(y), lines, others=others)
        texts = [a for a in axes.texts if isinstance(a, Annotation) and a.get_text()]
        boxes = [text.get_window_extent() for text in texts]
        return boxes, axes.transData.transform(np.column_stack([x, y])), axes.bbox


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.1])
def test_eighteen_crowded_labels_stay_apart(spread):
    rng = np.random.default_rng(0)
    names = [f"llama-64-s{i}" for i in range(18)]
    clusters = np.repeat([0.3, 0.7, 0.9], 6)
    x = clusters + spread * rng.normal(size=18)
    y = clusters / 4 + spread * rng.normal(size=18) / 4
    boxes, points, frame = drawn(names, x, y)
    assert len(boxes) == 18
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    for box in boxes:
        assert not any(box.contains(*point) for point in points)
        assert frame.x0 <= box.x0
        assert box.x1 <= frame.x1


def test_placement_is_the_same_every_time():
    x, y = [0.1, 0.11, 0.5], [0.2, 0.2, 0.9]
    first, *_ = drawn(["a", "b", "c"], x, y)
    again, *_ = drawn(["a", "b", "c"], x, y)
    assert [box.bounds for box in first] == [box.bounds for box in again]


def test_no_points_no_labels():
    assert drawn([], [], [])[0] == []
