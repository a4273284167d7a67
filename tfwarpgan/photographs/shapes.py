"""Masks of simple shapes, bool [H, W]; places are (y, x) in pixels, pixel centers are whole numbers."""

import functools
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tfwarpgan.typing import Floats, Size

Mask: TypeAlias = npt.NDArray[np.bool_]


def capsule(size: Size, first: Floats, last: Floats, radii: tuple[float, float]) -> tuple[Floats, Floats]:
    """The surroundings of a bone.

    Args:
        size: (height, width).
        first: Where the bone begins.
        last: Where it ends.
        radii: Of its flesh at both ends, pixels; between them they change evenly.

    Returns:
        (distance of each pixel from the bone, in radii: the capsule is where it is at most 1; how far along the bone
        the pixel lies, 0 to 1), each float [H, W].
    """
    grid, bone = _grid(size) - first, np.asarray(last, float) - first
    along = np.clip(grid @ bone / max(float(bone @ bone), 1e-6), 0, 1)
    distance = np.linalg.norm(grid - along[..., np.newaxis] * bone, axis=-1)
    return distance / (radii[0] + (radii[1] - radii[0]) * along), along


def ellipse(size: Size, center: Floats, radii: tuple[float, float], up: Floats) -> Mask:
    """An ellipse with its first radius along the direction `up` (y, x), and the second across, pixels."""
    axis = np.asarray(up, float) / max(float(np.linalg.norm(up)), 1e-6)
    grid = _grid(size) - center
    return (grid @ axis / radii[0]) ** 2 + (grid @ np.array((-axis[1], axis[0])) / radii[1]) ** 2 <= 1


def hull(size: Size, points: Floats, margin: float = 0.0) -> Mask:
    """The convex hull of points [N, 2], widened by a margin in pixels."""
    inside, grid = np.ones(size, bool), _grid(size)
    for angle in np.linspace(0, 2 * np.pi, 32, endpoint=False):
        direction = np.array((np.sin(angle), np.cos(angle)))
        inside &= grid @ direction <= (points @ direction).max() + margin
    return inside


@functools.lru_cache(4)
def _grid(size: Size) -> Floats:
    """The places of all pixels, [H, W, 2]."""
    return np.moveaxis(np.indices(size), 0, -1).astype(float)
