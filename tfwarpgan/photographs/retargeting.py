"""Poses of one person for another: one scale and one shift, in pixels of any frame.

The length of a single bone in one picture says little, since it may point at the camera: of one and the same person,
the forearm's differs by more than half in every third pair of pictures, the torso's in none. So bones are never fitted
one by one; proportions stay those of the pose. A sequence has one scale and one shift: with one for each frame, the
person would breathe.
"""

from collections.abc import Sequence

import numpy as np

from tfwarpgan.body.joints import LIMBS, MISSING, NAMES
from tfwarpgan.errors import InputError
from tfwarpgan.typing import Floats, Pose, Visible

_NECK = NAMES.index("neck")
_HIPS = [NAMES.index("right hip"), NAMES.index("left hip")]
_ANKLES = [NAMES.index("right ankle"), NAMES.index("left ankle")]
_BELOW = [NAMES.index(f"{side} {joint}") for side in ("right", "left") for joint in ("knee", "ankle")]
FACE = [NAMES.index(name) for name in ("nose", "right eye", "left eye", "right ear", "left ear")]
_LEGS = [[NAMES.index(f"{side} {joint}") for joint in ("hip", "knee", "ankle")] for side in ("right", "left")]


def retarget(poses: Sequence[Pose], person: Pose, name: str) -> list[Pose]:
    """Poses as the person would take them, where the person stands.

    Args:
        poses: (joints float [18, 2], (y, x), visible bool [18]) of each frame, all in pixels of the same frame.
        person: The joints of the person whose size and place they get.
        name: What the poses are called in the error.

    Returns:
        The poses in the person's pixels. One scale for all: the median of the ratios of torsos and of longer legs. One
        shift: the hips' middle in x and the lowest ankle in y (where none is seen the hips, where these are not seen
        the neck) are the person's, in the median over the frames. Who shows no legs, as on a picture of the upper
        body, gets the person's own.

    Raises:
        InputError: If pose and person show nothing that can be compared.
    """
    ratios = [ratio for ratio in (_ratio(pose, person) for pose in poses) if ratio]
    if not ratios:
        raise InputError(f"{name}: the pose shows too little of a body to be fitted; use --fit_pose=none.")
    scale = float(np.median(ratios))
    scaled = [(np.asarray(joints, float) * scale, visible) for joints, visible in poses]
    shifts = [_shift(pose, person) for pose in scaled]
    shift = np.median([each for each in shifts if each is not None], axis=0)
    return [
        _with_legs((np.where(visible[:, np.newaxis], joints + shift, MISSING).astype(np.float32), visible), person)
        for joints, visible in scaled
    ]


def _with_legs(pose: Pose, person: Pose) -> Pose:
    """A pose that shows no knee or ankle with the legs of the person, and with the hips if it shows none."""
    (joints, visible), (own, seen) = pose, person
    if shows_legs(visible):
        return pose
    is_own = np.isin(np.arange(len(visible)), _BELOW if visible[_HIPS].any() else [*_HIPS, *_BELOW]) & seen
    return np.where(is_own[:, np.newaxis], own, joints).astype(np.float32), visible | is_own


def shows_legs(visible: Visible) -> bool:
    """Whether a knee or an ankle is among the visible joints."""
    return bool(visible[_BELOW].any())


def torso(pose: Pose) -> float:
    """Distance from the neck to the middle of the hips; 0 where one of them is missing."""
    joints, visible = pose
    return float(np.hypot(*(joints[_NECK] - joints[_HIPS].mean(0)))) if visible[[_NECK, *_HIPS]].all() else 0.0


def _leg(pose: Pose) -> float:
    """Length of the longer leg, from hip to ankle along the bones; 0 where no whole one is seen."""
    joints, visible = pose
    lengths = [np.hypot(*np.diff(joints[leg], axis=0).T).sum() for leg in _LEGS if visible[leg].all()]
    return float(max(lengths, default=0.0))


def _ratio(pose: Pose, person: Pose) -> float | None:
    """How much larger the person is than who took the pose; None if that cannot be told."""
    lengths = [(length(pose), length(person)) for length in (torso, _leg)]
    if not any(all(pair) for pair in lengths):  # half of a body
        body = [limb for limb in LIMBS if not {*limb} & {*FACE}]  # a face says little of a body's size
        lengths = [(_limb(pose, *limb), _limb(person, *limb)) for limb in body]
    ratios = [own / other for other, own in lengths if other and own]
    return float(np.median(ratios)) if ratios else None


def _limb(pose: Pose, first: int, last: int) -> float:
    joints, visible = pose
    return float(np.hypot(*(joints[first] - joints[last]))) if visible[first] and visible[last] else 0.0


def _shift(pose: Pose, person: Pose) -> Floats | None:
    """From the pose's place to the person's, (y, x); None if they have no joint in common."""
    (joints, visible), (own, seen) = pose, person
    feet = visible[_ANKLES].any() and seen[_ANKLES].any()
    hips = visible[_HIPS].any() and seen[_HIPS].any()
    common = [_NECK] if visible[_NECK] and seen[_NECK] else np.flatnonzero(visible & seen)
    if not (hips or len(common)):
        return None
    places = []
    for points, shown in ((joints, visible), (own, seen)):
        there = [hip for hip in _HIPS if shown[hip]] if hips else common
        y = points[_ANKLES, 0][shown[_ANKLES]].max() if feet else points[there, 0].mean()
        places.append(np.array((y, points[there, 1].mean())))
    return places[1] - places[0]
