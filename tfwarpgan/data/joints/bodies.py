"""The body that an image is about, where an estimator found several, and what was left aside for it.

The best body has the most visible joints; of several such, the highest confidence; of those, the largest size. Bodies
without joints (empty, null, hands alone, a box without keypoints) are skipped, and counted.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfwarpgan.body.joints import MISSING, NUM_JOINTS
from tfwarpgan.data.joints.formats import KeypointFormat
from tfwarpgan.typing import Joints, Visible

NOBODY = np.full((NUM_JOINTS, 2), MISSING, np.float32), np.zeros(NUM_JOINTS, bool)
_NEAR = (0.8, 0.8, 0.5)  # shares of the best body's joints, confidence and size, from which another is near as good


class Where(str):
    """The place of an image's joints, for messages, with what was found beside them.

    Attributes:
        empty: Number of bodies without joints that were skipped.
        rivals: Number of other bodies that are near as good as the chosen one.
    """

    empty: int
    rivals: int

    def __new__(cls, place: str, empty: int = 0, rivals: int = 0) -> "Where":
        where = super().__new__(cls, place)
        where.empty, where.rivals = empty, rivals
        return where


@dataclasses.dataclass(frozen=True)
class Body:
    """One of the bodies on an image.

    Attributes:
        joints: float32 [18, 2], (y, x).
        visible: bool [18].
        confidence: Of the whole body, any scale; 0 where it is not known.
        size: Its area, any scale.
        place: Where it stands, if that is not the place of all of them.
    """

    joints: Joints
    visible: Visible
    confidence: float = 0.0
    size: float = 0.0
    place: str = ""

    @property
    def rank(self) -> tuple[float, float, float]:
        """What the best body has most of, in this order."""
        return float(self.visible.sum()), self.confidence, self.size


def body(
    form: KeypointFormat, numbers: Sequence[float], confidence: float | None = None, size: float | None = None
) -> Body:
    """A body of the numbers of its joints.

    Args:
        form: Their `KeypointFormat`.
        numbers: Coordinates and, where the format has it, confidence of each joint, one after the other.
        confidence: Of the body; None: the mean confidence of its visible joints.
        size: Its area; None: that of the box around its visible joints.
    """
    joints, visible = form.to_18(numbers)
    if confidence is None:
        rows = np.asarray(numbers, np.float64).reshape(form.num_joints, form.numbers)
        trusted = rows[rows[:, 2] > (form.min_score or 0), 2] if form.numbers == 3 else np.zeros(0)
        confidence = float(trusted.mean()) if len(trusted) else 0.0
    if size is None:
        size = float(np.prod(np.ptp(joints[visible], axis=0))) if visible.any() else 0.0
    return Body(joints, visible, confidence, size)


def choose(bodies: Sequence[Body | None], place: str) -> tuple[Joints, Visible, Where]:
    """The best of several bodies.

    Args:
        bodies: Those on an image; None for one without joints.
        place: Where they stand.

    Returns:
        (joints, visible, `Where`); no joint is visible where no body has one.
    """
    whole = [each for each in bodies if each is not None and each.visible.any()]
    empty = len(bodies) - len(whole)
    if not whole:
        return *NOBODY, Where(place, empty)
    best = max(whole, key=lambda each: each.rank)
    least = [share * value for share, value in zip(_NEAR, best.rank)]
    near = [each for each in whole if all(value >= bound for value, bound in zip(each.rank, least))]
    return best.joints, best.visible, Where(best.place or place, empty, len(near) - 1)
