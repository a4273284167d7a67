"""How pose estimators and data sets write the joints of one person, and how those become the 18 of OpenPose.

Each format is one table of where the 18 joints come from, with its axis order, its sign for a missing joint and its
confidence. A joint that a format does not have (the neck of COCO) is the mean of two others. `joints.files` reads
the files.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tfwarpgan.body.joints import BODY_25_TO_18, MISSING, NUM_JOINTS
from tfwarpgan.typing import Joints, Pose, Size, Visible


@dataclasses.dataclass(frozen=True)
class KeypointFormat:
    """One way to write the joints of a person.

    Attributes:
        name: Of the format.
        num_joints: Joints of a person in it.
        sources: For each of the 18 joints its position in the format, or the two that it is the middle of.
        order: "yx" or "xy": which coordinate comes first.
        missing: -1: a joint with -1 in either coordinate is missing; 0: one at (0, 0).
        min_score: Confidence that a joint must exceed to be there; None: the format has no confidence.
        normalized: Coordinates are shares of the image's width and height, from edge to edge, not pixels.
    """

    name: str
    num_joints: int
    sources: tuple[tuple[int, ...], ...]
    order: str = "xy"
    missing: float = 0.0
    min_score: float | None = 0.0
    normalized: bool = False

    @property
    def numbers(self) -> int:
        """Numbers per joint."""
        return 2 if self.min_score is None else 3

    def declared(self, missing: str = "format", min_score: float = -1.0) -> "KeypointFormat":
        """The format with another mark of missing joints ("-1" or "0") and another confidence threshold (from 0)."""
        changes: dict[str, Any] = {} if missing == "format" else {"missing": float(missing)}
        if min_score >= 0 and self.min_score is not None:
            changes["min_score"] = min_score
        return dataclasses.replace(self, **changes)

    def to_18(self, joints: npt.ArrayLike) -> Pose:
        """The 18 joints of a person in this format.

        Args:
            joints: float [num_joints, 2 or 3]: two coordinates and, where the format has it, the confidence.

        Returns:
            (joints float32 [18, 2] as (y, x), visible bool [18]), in pixels of the frame; a normalized format's
            frame counts as one pixel, whose center is 0. Missing joints are (-1, -1).
        """
        joints = np.asarray(joints, np.float64).reshape(self.num_joints, self.numbers)
        points = joints[:, :2]
        lost = np.any(points == MISSING, axis=1) if self.missing == MISSING else np.all(points == 0, axis=1)
        if self.min_score is not None:
            lost |= ~(joints[:, 2] > self.min_score)
        points = points[:, ::-1] if self.order == "xy" else points
        points = points - 0.5 if self.normalized else points
        first, last = np.array([(places[0], places[-1]) for places in self.sources]).T
        joints = ((points[first] + points[last]) / 2).astype(np.float32)
        visible = ~(lost[first] | lost[last])
        return np.where(visible[:, np.newaxis], joints, np.float32(MISSING)), visible


class Annotations(dict[str, tuple[Joints, Visible, str]]):
    """The joints of a data set: name -> (joints, visible, where they stand).

    Attributes:
        frames: Name -> (height, width) of the frame, of those whose own file says what it is; (1, 1): joints are
            shares of the image.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.frames: dict[str, Size] = {}


Framed: TypeAlias = tuple[Joints, Visible, str, Size | None]  # a pose, where it stands, its frame if known there
Declare: TypeAlias = Callable[[KeypointFormat], KeypointFormat]  # a format as a data set declares it


def _each(*places: int | tuple[int, int]) -> tuple[tuple[int, ...], ...]:
    return tuple((place,) if isinstance(place, int) else place for place in places)


COCO_SOURCES = _each(0, (5, 6), 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)

# pose-gan and PATN: two lists, y first, -1 where a joint is missing.
POSE_GAN = KeypointFormat("pose_gan", 18, _each(*range(NUM_JOINTS)), order="yx", missing=-1.0, min_score=None)

# The text files of NTED and PIDM: 18 lines of x and y.
NTED = KeypointFormat("nted", 18, POSE_GAN.sources, missing=-1.0, min_score=None)

# OpenPose's JSON, which holds one or the other.
OPENPOSE_18 = KeypointFormat("openpose_18", 18, POSE_GAN.sources)
OPENPOSE_25 = KeypointFormat("openpose_25", 25, _each(*BODY_25_TO_18))

# The 25 of its experimental model, which begin with COCO's 17.
OPENPOSE_25B = KeypointFormat("openpose_25b", 25, COCO_SOURCES)

# COCO's annotations (third number: 0 not labeled, 1 hidden, 2 visible) and results (third number: a score).
COCO_17 = KeypointFormat("coco_17", 17, COCO_SOURCES)

# Results of mmpose and of YOLO-pose: COCO's joints, all of them, each with a score; the limits are these programs' own.
MMPOSE_17 = KeypointFormat("mmpose", 17, COCO_SOURCES, min_score=0.3)
YOLO_17 = KeypointFormat("yolo_pose", 17, COCO_SOURCES, min_score=0.5)

# MediaPipe gives every joint, also of what the image does not show, and says by its visibility how far to trust it.
MEDIAPIPE_33 = KeypointFormat(
    "mediapipe_33",
    33,
    _each(0, (11, 12), 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7),
    min_score=0.5,
    normalized=True,
)

FARTHEST = 1e5  # pixels; beyond lies no image, only a broken number
