"""Joints of pictures in files: those of an annotation, and those that a detector found."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence

from tfwarpgan.data.joints import files
from tfwarpgan.data.joints.bodies import NOBODY
from tfwarpgan.data.joints.frames import Frame
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.named import picture_name
from tfwarpgan.evaluation.pictures import PictureFile
from tfwarpgan.options import DataOptions, MetricOptions
from tfwarpgan.typing import Pose, Size

_NAME_OF: Mapping[str, Callable[[PictureFile], str]] = {
    "target": lambda file: file.target,
    "condition": lambda file: file.condition,
    "detected": lambda file: file.picture,
    "detected_target": lambda file: file.target,
}


class PictureJoints:
    """Joints by the names of pictures, in the pixels of the pictures that are scored.

    Args:
        path: File or folder of joints.
        flag: That it came from.
        data_options: Their format, and how they lie to the pictures.
        complete: Whether each picture must be named; else nobody was found on one that is not.
    """

    def __init__(self, path: str, flag: str, data_options: DataOptions, complete: bool) -> None:
        kind = data_options.keypoint_format
        found = files.read(
            path,
            kind,
            missing=data_options.keypoint_missing,
            min_score=data_options.keypoint_score,
            images=os.path.expanduser(data_options.keypoint_images),
            follow_links=data_options.follow_links,
        )
        self._poses = {picture_name(name): (pose, found.frames.get(name)) for name, pose in found.items()}
        self._frame = Frame.of(data_options, kind == "mediapipe_33")
        self._place, self._complete = f"--{flag}={path}", complete

    @property
    def names(self) -> list[str]:
        """Of all pictures with joints, without suffix."""
        return list(self._poses)

    def of(self, name: str, size: Size) -> Pose:
        """The (joints, visible) of a picture, of that size (height, width).

        Raises:
            InputError: If it must be there and is not.
        """
        if name not in self._poses:
            if self._complete or not name:
                raise InputError(
                    f"{self._place} has no joints of {name or 'the condition image: its name is not known'}."
                )
            return NOBODY
        (joints, visible, _), own = self._poses[name]
        return self._frame.place_in(joints, visible, size, own)


def read_poses(
    data_options: DataOptions, metric_options: MetricOptions, wanted: Sequence[str]
) -> dict[str, PictureJoints]:
    """The joints that metrics need: role, as in `Pairs.poses` -> `PictureJoints`; only those that flags name.

    Args:
        data_options: With --keypoints, of target and condition.
        metric_options: With --detected and --detected_targets.
        wanted: Roles that are needed.
    """
    poses: dict[str, PictureJoints] = {}
    roles = [role for role in ("target", "condition") if role in wanted]
    if data_options.keypoints and roles:
        annotated = PictureJoints(data_options.keypoints, "keypoints", data_options, complete=True)
        poses |= {role: annotated for role in roles}
    form = dataclasses.replace(
        data_options, keypoints="x", keypoint_format=metric_options.detected_format, keypoint_frame="", keypoint_crop=""
    )
    detected = {"detected": metric_options.detected, "detected_target": metric_options.detected_targets}
    for role, path in detected.items():
        if path and "detected" in wanted:
            flag = "detected" if role == "detected" else "detected_targets"
            poses[role] = PictureJoints(path, flag, form, complete=False)
    return poses


def joints_of(role: str, joints: PictureJoints, file: PictureFile, size: Size) -> Pose:
    """The joints of a picture in a role."""
    return joints.of(_NAME_OF[role](file), size)
