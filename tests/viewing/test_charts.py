"""Charts: where points lie, what their axes say, and that they are XML."""

import re
import xml.etree.ElementTree

import pytest

from tfwarpgan.viewing.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, line_chart, readable, ticks


def drawn(chart):
    """The points of the line, and the marked ones."""
    root = xml.etree.ElementTree.fromstring(chart)
    line = root.find("polyline").attrib["points"]
    marks = [(float(mark.attrib["cx"]), float(mark.attrib["cy"])) for mark in root.findall("circle")]
    return [tuple(map(float, point.split(","))) for point in line.split()], marks


def test_a_line_goes_from_corner_to_corner():
    points, marks = drawn(line_chart("loss <1>", [(0, 1.0), (50, float("nan")), (100, 2.0)], mark=100))
    corners = [(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)]
    assert points == corners and marks == corners[1:]


def test_a_chart_says_its_name_its_last_value_and_its_axes():
    texts = re.findall(r">([^<]+)</text>", line_chart("loss <1>", [(0, 1.0), (12_000, 2.0)]))
    assert texts == ["loss &lt;1&gt;: 2", "1", "1.2", "1.4", "1.6", "1.8", "2", "0", "12,000"]


@pytest.mark.parametrize("points", [[], [(10, 0.0)], [(10, 3.0), (20, 3.0)], [(1, float("inf"))]])
def test_few_or_equal_points_are_drawn_too(points):
    xml.etree.ElementTree.fromstring(line_chart("x", points))


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0.31, 0.42, [0.3, 0.35, 0.4, 0.45]), (-3, 900, [-500, 0, 500, 1000]),
        (2e-4, 2e-4, None), (0, 0, None),
    ],
)  # fmt: skip
def test_ticks_are_round_and_hold_all(low, high, wanted):
    found = ticks(low, high)
    assert found[0] <= low and found[-1] >= high and 2 <= len(found) <= 7
    if wanted:
        assert found == pytest.approx(wanted)


def test_numbers_are_short():
    assert [readable(number) for number in (12000.0, 0.3141, 2e-4, 1.5e9)] == ["12,000", "0.314", "0.0002", "1.5e+09"]
