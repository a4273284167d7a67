"""Where people stand in the pictures of a data set, and how tall: what a new photograph has to be cropped like.

Shares of the height or width of the model's images, from edge to edge. Data sets differ: a person of Market-1501 is
seen from head to foot, most of those of DeepFashion to the hips. `prepare` measures it and writes it beside the
records, a run and a release carry it on.
"""

import dataclasses
import json
import os
from collections.abc import Iterable

import numpy as np

from tfwarpgan.body.joints import NAMES
from tfwarpgan.errors import InputError
from tfwarpgan.storage import object_store
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.typing import Pose, Size

STATURE_FILE = "stature.json"
NOSE, NECK = NAMES.index("nose"), NAMES.index("neck")
HIPS = [NAMES.index("right hip"), NAMES.index("left hip")]
ANKLES = [NAMES.index("right ankle"), NAMES.index("left ankle")]
_MOST = 20_000  # people; more do not change a median
_USUAL = 0.5  # share of the people that must show a joint for its place to say something


@dataclasses.dataclass(frozen=True)
class Stature:
    """Medians over the people of a data set.

    Attributes:
        neck_hip: Distance from the neck to the middle of the hips, share of the height.
        hip_x: Of the middle of the hips, share of the width.
        neck_y: Of the neck, share of the height.
        nose_y: Of the nose; None if most pictures show none.
        ankle_y: Of the lowest ankle; None if most pictures show none.
    """

    neck_hip: float
    hip_x: float
    neck_y: float
    nose_y: float | None = None
    ankle_y: float | None = None


def measure(poses: Iterable[Pose], size: Size) -> Stature | None:
    """The `Stature` of people.

    Args:
        poses: (joints [18, 2], (y, x) in pixels, visible [18]) of each of them.
        size: (height, width) of their pictures.

    Returns:
        None if no picture shows neck and hips.
    """
    rows = [_row(pose) for _, pose in zip(range(_MOST), poses)]
    height, width = size
    measured = np.array(rows, float).reshape(-1, 5) / (height, width, height, height, height)
    if not np.isfinite(measured[:, 0]).any():
        return None
    seen = np.isfinite(measured).mean(axis=0)
    medians = [round(float(np.nanmedian(column)), 4) if share else None for column, share in zip(measured.T, seen)]
    neck_hip, hip_x, neck_y, *usual = medians
    nose_y, ankle_y = (value if share >= _USUAL else None for value, share in zip(usual, seen[3:]))
    return Stature(neck_hip, hip_x, neck_y, nose_y, ankle_y)  # type: ignore[arg-type]


def _row(pose: Pose) -> list[float]:
    """The lengths and places of one person, pixels from the edge; NaN where joints are missing."""
    joints, visible = np.asarray(pose[0], float) + 0.5, np.asarray(pose[1], bool)
    hip = joints[HIPS].mean(0) if visible[HIPS].all() else np.full(2, np.nan)
    neck, nose = (joints[joint] if visible[joint] else np.full(2, np.nan) for joint in (NECK, NOSE))
    ankles = joints[ANKLES, 0][visible[ANKLES]]
    return [float(np.hypot(*(hip - neck))), hip[1], neck[0], nose[0], ankles.max() if len(ankles) else np.nan]


def write_stature(folder: str, stature: Stature) -> None:
    """Writes it into a folder, of records, a run or a release."""
    write_atomically(os.path.join(folder, STATURE_FILE), json.dumps(dataclasses.asdict(stature), indent=2) + "\n")


def read_stature(folder: str) -> Stature | None:
    """That of a folder; None if it has none.

    Raises:
        InputError: If the file is broken.
    """
    path = os.path.join(os.path.expanduser(folder), STATURE_FILE)
    if not object_store.exists(path):
        return None
    try:
        with open(object_store.local_file(path), encoding="utf-8") as file:
            return Stature(**json.load(file))
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); write it anew with prepare.") from None


def stature_of(folder: str) -> Stature:
    """That of a run or a release.

    Raises:
        InputError: If the folder has none, or a broken one.
    """
    stature = read_stature(folder)
    if stature is None:
        raise InputError(
            f"{folder} has no {STATURE_FILE}, which says how people stand in its training pictures; give its training "
            "command again, which writes it and trains nothing that is finished."
        )
    return stature
