"""Poses from whatever holds one: photographs, files of joints, folders of either."""

import os
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from tfwarpgan.body.joints import NUM_JOINTS, scale
from tfwarpgan.data.joints.pose_gan import read_annotation_csv
from tfwarpgan.data.joints.pose_json import openpose
from tfwarpgan.data.pictures.files import IMAGE_SUFFIXES, Box
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.data.pictures.images import read_photograph
from tfwarpgan.errors import InputError
from tfwarpgan.inference.synthesis import pose_row
from tfwarpgan.options import DataOptions
from tfwarpgan.photographs.bystanders import box_around, largest
from tfwarpgan.photographs.estimator import Estimator, NoPerson
from tfwarpgan.photographs.notes import note
from tfwarpgan.typing import Pixels, Pose, Size

Framed: TypeAlias = tuple[Pose, Size | None]  # and the (height, width) of the picture that the joints count in


class Shot(NamedTuple):
    """A picture that is in no file of its own: what it is called in errors, and its pixels, uint8 [H, W, 3]."""

    name: str
    pixels: Pixels


def read_joints(path: str, image: str) -> Framed:
    """The joints of one person from a file: OpenPose's JSON, or the row of the image in a CSV of pose-gan.

    Args:
        path: The file.
        image: The image that the row is named after.

    Raises:
        InputError: If the file cannot be read, or shows nobody.
    """
    if not path.lower().endswith(".csv"):
        joints, visible, _, canvas = openpose(path, lambda form: form)
        if not visible.any():
            raise NoPerson(f"{path}: it has no person with joints; choose another pose.")
        return (joints, visible), canvas
    rows, name = read_annotation_csv(path), os.path.basename(image)
    if name not in rows:
        raise InputError(f"{path} has no row for {name}; name one of its {len(rows)} images.")
    if not rows[name][1].any():
        raise InputError(f"{path}, {name}: no joint is visible; choose another pose.")
    return rows[name], None


def find_pose(source: str | Shot, estimator: Callable[[], Estimator]) -> Framed:
    """The pose of a person on a photograph, or of a JSON file of joints.

    Args:
        source: File of either, or a picture.
        estimator: Gives what finds joints; called only if need be.

    Raises:
        InputError: If the file cannot be read, or shows nobody.
    """
    if isinstance(source, str) and source.lower().endswith(".json"):
        return read_joints(source, "")
    name, pixels = source if isinstance(source, Shot) else (source, None)
    pixels, size = read_photograph(name) if pixels is None else (pixels, (pixels.shape[0], pixels.shape[1]))
    joints, visible = estimator().pose(pixels, name)
    return (scale(joints, visible, (pixels.shape[0], pixels.shape[1]), size), visible), size


def list_poses(folder: str) -> list[str]:
    """The photographs or JSON files of a folder of poses, one after the other by their names.

    Raises:
        InputError: If it is missing or holds neither.
    """
    if not os.path.isdir(folder):
        raise InputError(
            f"--poses={folder} is no folder; give one of photographs or of OpenPose's JSON, a frame each, or a video."
        )
    names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    for suffixes in ((".json",), IMAGE_SUFFIXES):
        found = [os.path.join(folder, name) for name in names if name.lower().endswith(suffixes)]
        if found:
            return found
    raise InputError(f"--poses={folder} contains neither photographs nor JSON files of joints.")


def person_pose(
    path: str, pixels: Pixels, size: Size, joints: str, box: Box | None, estimator: Callable[[], Estimator]
) -> Pose:
    """The pose of the person of a photograph, from a file or from what is seen.

    Args:
        path: The photograph.
        pixels: What was read of it, uint8 [H, W, 3]; the joints are in its pixels.
        size: (height, width) in its file.
        joints: File, see `read_joints`; empty: there is none.
        box: (x, y, width, height) around the person, in pixels of the file; None: it is not known.
        estimator: Gives what finds joints; called only if need be.

    Raises:
        InputError: If the file cannot be read, or shows nobody, or the box is not on the photograph.
    """
    used = (pixels.shape[0], pixels.shape[1])
    if joints:
        (places, visible), frame = read_joints(joints, path)
        return scale(places, visible, frame or size, used), visible
    if box:
        return _in_box(path, pixels, size, box, estimator)
    try:
        pose, other = largest(estimator(), pixels, path)
    except NoPerson as error:
        sentence = str(error).removesuffix(".")
        raise NoPerson(f"{sentence}, or --box=X,Y,WIDTH,HEIGHT around the person.", error.found) from None
    if other:
        around = box_around((scale(*other, used, size), other[1]))
        note(f"{path} shows several people, of whom the largest is drawn; another one is in --box={_told(around)}.")
    return pose


def _in_box(path: str, pixels: Pixels, size: Size, box: Box, estimator: Callable[[], Estimator]) -> Pose:
    if box[0] >= size[1] or box[1] >= size[0]:
        raise InputError(f"--box={_told(box)} lies outside of {path}, which is {size[1]} x {size[0]} pixels.")
    x, y, width, height = (round(side * pixels.shape[0] / size[0]) for side in box)
    try:
        return estimator().pose(pixels, path, (x, y, max(width, 1), max(height, 1)))
    except NoPerson as error:
        raise NoPerson(
            f"{path}: no person was found in --box={_told(box)}, {error.found} of {NUM_JOINTS} joints; give X,Y,WIDTH,"
            "HEIGHT around the whole person, in pixels of the photograph.",
            error.found,
        ) from None


def _told(box: Box) -> str:
    return ",".join(map(str, box))


def as_it_stands(pose: Pose, size: Size | None, data_options: DataOptions, name: str) -> Pose:
    """A pose where it stands on its own picture, of a size (height, width), in pixels of the model's image.

    The picture becomes the model's as those of its training did; where its size is not known, it is the model's.

    Raises:
        InputError: As `inference.synthesis.pose_row`.
    """
    framing = Framing.of(data_options)
    row = pose_row(*pose, size or (framing.height, framing.width), framing, name)
    return row["target_keypoints"], row["target_visible"]
