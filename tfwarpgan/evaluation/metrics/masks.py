"""Pose masks: the silhouette around the joints, outside of which mask-SSIM, mask-IS and mask-LPIPS see nothing.

`posegan`        of the target's pose: a rectangle of half-width 4 along each limb, and a disc of distance below 4 at
                 each joint. pose-gan, PATN, GFLA.
`pg2`            of the target's pose: discs of distance up to 4 at both ends of each limb and at int(length / 4) steps
                 along it. PG2.
`pg2-condition`  likewise, of the condition's pose. PG2's released script takes this one, so that its printed numbers
                 may be of it.

Then holes are closed: dilation and erosion by a 5x5 square. A limb needs both of its joints; there are 23, with the
sides of the torso and from the neck to the ears. Both pictures are black outside of the mask, where they count as
equal, so that a mask-SSIM is higher than an SSIM. GFLA masks after scaling to [-1, 1]: gray outside, `graymask`.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.joints import LIMBS
from tfwarpgan.typing import Joints, Size, Visible

Mask = npt.NDArray[np.bool_]  # [H, W]

RADIUS = 4
LIMBS_OF_MASK = (*LIMBS, (1, 16), (1, 17), (8, 11), (11, 5), (8, 2), (16, 17))


def posegan_mask(joints: Joints, visible: Visible, size: Size, radius: float = RADIUS) -> Mask:
    """Mask of pose-gan.

    Args:
        joints: float [18, 2], (y, x) in pixels.
        visible: bool [18].
        size: (height, width) of the picture.
        radius: Of a joint, and half the width of a limb.

    Returns:
        bool [H, W], closed.
    """
    points = _points(size)
    mask = np.zeros(size, bool)
    for start, end in _limbs(joints, visible):
        mask |= _rectangle(points, start, end, radius)
    for joint in np.asarray(joints, np.float64)[np.asarray(visible)]:
        mask |= ((points - joint) ** 2).sum(axis=-1) < radius**2
    return closed(mask)


def pg2_mask(joints: Joints, visible: Visible, size: Size, radius: int = RADIUS) -> Mask:
    """Mask of PG2; arguments as for `posegan_mask`. A joint without a limb is not drawn."""
    points = _points(size)
    mask = np.zeros(size, bool)
    for start, end in _limbs(joints, visible):
        steps = max(int(np.linalg.norm(end - start) / radius), 1)
        for step in range(steps + 1):
            center = np.trunc(start + (end - start) * step / steps)
            mask |= ((points - center) ** 2).sum(axis=-1) <= radius**2
    return closed(mask)


def closed(mask: Mask, side: int = 5) -> Mask:
    """Dilation and then erosion by a square; what lies outside of the picture has no say in either."""
    return ~_dilated(~_dilated(mask, side), side)


def _dilated(mask: Mask, side: int) -> Mask:
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (side // 2, side // 2)
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(mask, padding), side, axis=axis)
        mask = windows.any(axis=-1)
    return mask


def _points(size: Size) -> npt.NDArray[np.float64]:
    """The pixels' (y, x), [H, W, 2]."""
    return np.moveaxis(np.indices(size), 0, -1).astype(np.float64)


def _limbs(
    joints: Joints, visible: Visible
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:  # fmt: skip
    """Both ends of each limb whose joints are visible."""
    places = np.asarray(joints, np.float64)
    for start, end in LIMBS_OF_MASK:
        if visible[start] and visible[end]:
            yield places[start], places[end]


def _rectangle(
    points: npt.NDArray[np.float64], start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], half_width: float
) -> Mask:
    """The pixels within a limb's length and `half_width` of its line; none for a limb without length."""
    length = float(np.linalg.norm(end - start))
    if not length:
        return np.zeros(points.shape[:2], bool)
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    offsets = points - start
    tolerance = 1e-9  # pixels on the edge belong to it
    on_line = offsets @ along
    return (
        (np.abs(offsets @ across) <= half_width + tolerance) & (on_line >= -tolerance) & (on_line <= length + tolerance)
    )


MASKS = {"posegan": (posegan_mask, "target"), "pg2": (pg2_mask, "target"), "pg2-condition": (pg2_mask, "condition")}
