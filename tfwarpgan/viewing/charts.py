"""Line charts as SVG, for pages that have to show without internet access or another library."""

import html
import math
from collections.abc import Sequence
from typing import TypeAlias

Points: TypeAlias = Sequence[tuple[float, float]]  # (x, y), x ascending

WIDTH, HEIGHT = 330, 170
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 26, 22  # margins of the plot
STYLE = """
svg.chart { font: 11px sans-serif; margin: 0 12px 12px 0; } svg.chart .name { font-size: 12px; font-weight: bold; }
svg.chart text { fill: #444; } svg.chart .axis { stroke: #ddd; } svg.chart .line { stroke: #2563a8; fill: none; }
svg.chart .line { stroke-width: 1.5; stroke-linejoin: round; } svg.chart .mark { fill: #d9480f; }
"""


def line_chart(name: str, points: Points, mark: float | None = None) -> str:
    """A line over steps.

    Args:
        name: Of what is drawn.
        points: (step, value); values that are not finite are left out.
        mark: Step of a point to mark, or None.

    Returns:
        An SVG element, `HEIGHT` x `WIDTH` pixels, styled by `STYLE`.
    """
    points = [(x, y) for x, y in points if math.isfinite(y)]
    title = f"{name}: {readable(points[-1][1])}" if points else f"{name}: no values"
    parts = [
        f'<svg class="chart" role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<text class="name" x="{LEFT}" y="15">{html.escape(title)}</text>',
        *(_plot(points, mark) if points else ()),
        "</svg>",
    ]
    return "".join(parts)


def _plot(points: Points, mark: float | None) -> list[str]:
    heights = ticks(min(y for _, y in points), max(y for _, y in points))
    steps = (min(0.0, points[0][0]), points[-1][0] or 1.0)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - steps[0]) / (steps[1] - steps[0])
        up = (y - heights[0]) / (heights[-1] - heights[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = []
    for tick in heights:
        _, y = place(steps[0], tick)
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{readable(tick)}</text>')
    parts += [
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{readable(steps[0])}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{readable(steps[1])}</text>',
        '<polyline class="line" points="{}"/>'.format(" ".join("{:.1f},{:.1f}".format(*place(*p)) for p in points)),
    ]
    marked = [point for point in points if point[0] == mark or len(points) == 1]
    return parts + ['<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="3.5"/>'.format(*place(*p)) for p in marked]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers at equal distances, from one at or below `low` to one at or above `high`; at least two."""
    if not high > low:
        low, high = low - (abs(low) / 10 or 1.0), high + (abs(high) / 10 or 1.0)
    unit = 10.0 ** math.floor(math.log10(high - low) - 1)
    for step in (unit * factor for factor in (1, 2, 5, 10, 20, 50, 100)):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= most:
            break
    return [number * step for number in range(first, last + 1)]


def readable(number: float) -> str:
    """A number in few characters: 12,000, 0.31, 2e-05."""
    if number == round(number) and abs(number) < 1e7:
        return f"{round(number):,}"
    return f"{number:.3g}"
