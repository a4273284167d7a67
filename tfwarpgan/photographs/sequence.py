"""Poses one after the other: gaps filled from the neighbors, joints smoothed."""

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tfwarpgan.body.joints import MISSING, NUM_JOINTS, scale
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.estimator import Estimator, NoPerson
from tfwarpgan.photographs.poses import Framed, Shot, find_pose
from tfwarpgan.photographs.retargeting import FACE
from tfwarpgan.typing import Floats, Pose

MEDIAN, MEAN = 5, 3  # frames of the two moving windows: one takes out what jumps, one what trembles


def read_frames(
    sources: Iterable[str | Shot], estimator: Callable[[], Estimator], note: Callable[[str], None]
) -> list[Framed]:
    """The poses of files, `smooth`ed, in pixels of the first one's picture.

    Args:
        sources: Photographs, JSON files of joints or pictures, in order, see `poses.find_pose`.
        estimator: Gives what finds joints on photographs.
        note: Function of a sentence about frames without a person, which are filled from their neighbors.

    Raises:
        InputError: If a file cannot be read, or none shows a person.
    """
    poses: list[Pose] = []
    frame, lost = None, []
    for source in sources:
        try:
            (joints, visible), size = find_pose(source, estimator)
        except NoPerson as error:
            lost.append(str(error))
            poses.append((np.full((NUM_JOINTS, 2), MISSING, np.float32), np.zeros(NUM_JOINTS, bool)))
            continue
        frame = frame or size
        poses.append((scale(joints, visible, size, frame) if size and frame else joints, visible))
    if len(lost) == len(poses):
        raise InputError(lost[0])
    if lost:
        note(f"{len(lost)} of {len(poses)} frames show no person, their poses are those between their neighbors.")
    return [(pose, frame) for pose in smooth(poses)]


def smooth(poses: Sequence[Pose]) -> list[Pose]:
    """Poses of a sequence without gaps, jumps and trembling.

    A joint that is missing in a frame lies on the line between its places in the nearest frames that show it; before
    the first and after the last of them it keeps their place. One that no frame shows stays missing, and so does the
    face where it is missing for more than 5 frames: that is a person who has turned away. Then each coordinate is
    replaced by its median over 5 frames, and that by its mean over 3; at both ends the first and last frame are
    repeated.

    Args:
        poses: (joints [18, 2], visible [18]) of each frame, all in pixels of one picture.
    """
    joints = np.array([joints for joints, _ in poses], float)
    visible = np.array([visible for _, visible in poses])
    frames = np.arange(len(poses))
    for joint in np.flatnonzero(visible.any(axis=0)):
        seen = visible[:, joint].copy()
        for axis in range(2):
            filled = np.interp(frames, frames[seen], joints[seen, joint, axis])
            joints[:, joint, axis] = _moving(_moving(filled, MEDIAN, np.median), MEAN, np.mean)
        gaps = [list(gap) for is_seen, gap in itertools.groupby(frames, seen.__getitem__) if not is_seen]
        visible[:, joint] = True
        if joint in FACE:
            visible[[frame for gap in gaps if len(gap) > MEDIAN for frame in gap], joint] = False
    return [
        (np.where(shown[:, np.newaxis], points, MISSING).astype(np.float32), shown)
        for points, shown in zip(joints, visible)
    ]


def between(poses: Sequence[Pose], frames: int) -> list[Pose]:
    """A movement through poses and back to the first, which plays in a loop; it is slow at the poses themselves.

    A joint that only one of two neighbors has is there as long as that is the nearer one.

    Args:
        poses: (joints [18, 2], visible [18]), all in pixels of one picture.
        frames: How many there are to be; the first is the first pose.
    """
    movement = []
    for place in np.arange(frames) * len(poses) / frames:
        (joints, visible), (following, seen) = (poses[int(place + step) % len(poses)] for step in (0, 1))
        share = (1 - np.cos(np.pi * (place % 1))) / 2
        nearer, shown = (joints, visible) if place % 1 < 0.5 else (following, seen)
        mixed = (1 - share) * np.asarray(joints, float) + share * np.asarray(following, float)
        points = np.where((visible & seen)[:, np.newaxis], mixed, nearer)
        movement.append((np.where(shown[:, np.newaxis], points, MISSING).astype(np.float32), shown))
    return movement


def _moving(values: Floats, length: int, of: Callable[..., Floats]) -> Floats:
    padded = np.pad(values, length // 2, mode="edge")
    return of(np.lib.stride_tricks.sliding_window_view(padded, length), axis=-1)
