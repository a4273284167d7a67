"""The poses that the page offers: a few of the bundled people, as the networks' own people stand."""

import functools
import importlib.resources
import json

import numpy as np

from tfwarpgan.body.joints import MISSING
from tfwarpgan.data.joints.stature import Stature
from tfwarpgan.photographs.framing import person_window
from tfwarpgan.typing import Pose, Size


@functools.cache
def _shipped() -> tuple[tuple[str, Pose], ...]:
    text = importlib.resources.files("tfwarpgan.photo_studio").joinpath("web", "poses.json").read_text("utf-8")
    return tuple((each["name"], pose_of(each["joints"])) for each in json.loads(text)["poses"])


def gallery(stature: Stature, size: Size) -> dict[str, Pose]:
    """The poses by name; the first one stands.

    Args:
        stature: Of the networks' training; a pose is framed as a photograph of a person in it would be.
        size: (height, width) of the networks' images.

    Returns:
        Joints in pixels of such an image, and which are visible.
    """
    return {name: (person_window(pose, stature, size, name).to_model(*pose), pose[1]) for name, pose in _shipped()}


def pose_of(joints: list[list[float] | None]) -> Pose:
    """A pose from a list of (y, x), or None where a joint is missing."""
    visible = np.array([joint is not None for joint in joints])
    return np.array([joint or (MISSING, MISSING) for joint in joints], np.float32), visible


def joints_of(pose: Pose) -> list[list[float] | None]:
    """The inverse of `pose_of`."""
    joints, visible = pose
    return [joint.tolist() if seen else None for joint, seen in zip(joints, visible)]
