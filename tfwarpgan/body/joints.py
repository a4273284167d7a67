"""Body joints in the order of OpenPose (COCO-18).

Joints are float32 [18, 2] as (y, x) in pixels of their image, with visible [18] bool; a missing joint is (-1, -1).
Left and right are the person's own.
"""

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Joints, Size, Visible

NAMES = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist",
    "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye",
    "right ear", "left ear",
)  # fmt: skip
NUM_JOINTS = len(NAMES)
MISSING = -1.0

# The joint that each joint becomes when the image is mirrored; it is its own inverse.
FLIP_PERMUTATION = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)

# The bones of OpenPose's skeleton, as pairs of joints.
LIMBS = (
    (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip

# OpenPose's BODY_25 has the middle of the hips at 8 and the feet after 18.
BODY_25_TO_18 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)


def scale(joints: Joints, visible: Visible, from_size: Size, to_size: Size) -> Joints:
    """Moves joints into the frame of the resized image; pixel centers stay pixel centers.

    Args:
        joints: float [18, 2], (y, x) in pixels of the old frame.
        visible: bool [18].
        from_size: (height, width) of the old frame.
        to_size: (height, width) of the new frame.

    Returns:
        float32 [18, 2], missing joints at (-1, -1).
    """
    ratio = np.asarray(to_size, np.float32) / np.asarray(from_size, np.float32)
    moved = (joints + 0.5) * ratio - 0.5
    return np.where(np.asarray(visible)[:, np.newaxis], moved, MISSING).astype(np.float32)


def required_joints(text: str) -> list[int]:
    """Positions of joints from their names.

    Args:
        text: Names as in `NAMES`, separated by commas; underscores are spaces.

    Returns:
        list of positions, 0..17.

    Raises:
        InputError: If a name is unknown.
    """
    wanted = [" ".join(name.replace("_", " ").lower().split()) for name in text.split(",") if name.strip()]
    for name in wanted:
        if name not in NAMES:
            raise InputError(f"--required_joints={text}: unknown joint '{name}'; the joints are: {', '.join(NAMES)}.")
    return [NAMES.index(name) for name in wanted]
