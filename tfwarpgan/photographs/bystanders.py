"""Photographs of several people: the largest is meant, and another one is told of."""

import numpy as np

from tfwarpgan.data.pictures.files import Box
from tfwarpgan.photographs.estimator import MARGIN, Estimator, NoPerson
from tfwarpgan.typing import Floats, Pixels, Pose

_HIDDEN = 0.1  # of a person's extent, around the joints, that is hidden to see who else is there


def largest(estimator: Estimator, pixels: Pixels, name: str) -> tuple[Pose, Pose | None]:
    """The pose of the largest person on a photograph, and that of another one; None: there is nobody else.

    An estimator finds one person; where that one is hidden, it finds the next.

    Args:
        estimator: `Estimator`.
        pixels: uint8 [H, W, 3].
        name: What the photograph is called in the error.

    Raises:
        NoPerson: If nobody is found.
    """
    first = estimator.pose(pixels, name)
    top, left, bottom, right = np.rint(_around(first, _HIDDEN)).astype(int)
    hidden = pixels.copy()
    hidden[max(top, 0) : bottom, max(left, 0) : right] = np.median(pixels.reshape(-1, 3), axis=0)
    try:
        second = estimator.pose(hidden, name)
    except NoPerson:
        return first, None
    joints, visible = second
    is_hidden = np.all((joints >= (top, left)) & (joints < (bottom, right)), axis=1)
    if is_hidden[visible].mean() > 0.5:  # what is guessed where nothing is to be seen
        return first, None
    return (second, first) if _extent(second) > _extent(first) else (first, second)


def box_around(pose: Pose) -> Box:
    """The (x, y, width, height) around a person with hair, hands and feet, in whole pixels of the picture."""
    top, left, bottom, right = np.rint(_around(pose, MARGIN)).astype(int).tolist()
    top, left = max(top, 0), max(left, 0)
    return left, top, right - left, bottom - top


def _extent(pose: Pose) -> float:
    joints, visible = pose
    return float(np.ptp(joints[visible], axis=0).max())


def _around(pose: Pose, margin: float) -> Floats:
    """(top, left, bottom, right) of the joints, with a share of their extent at each side."""
    joints, visible = pose
    room = margin * _extent(pose)
    return np.concatenate([joints[visible].min(axis=0) - room, joints[visible].max(axis=0) + room])
