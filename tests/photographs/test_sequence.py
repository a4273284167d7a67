"""Poses one after the other: gaps, jumps, who turns away, and frames without anybody."""

import json

import numpy as np
import pytest

from tfwarpgan.body.joints import NAMES
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.sequence import between, read_frames, smooth

WRIST, NOSE = NAMES.index("right wrist"), NAMES.index("nose")


def walk(count=20, step=2.0):
    base = np.arange(36, dtype=float).reshape(18, 2)
    return [(base + (0, step * frame), np.ones(18, bool)) for frame in range(count)]


def hidden(poses, joint, frames):
    return [
        (np.where((np.arange(18) == joint)[:, None], -1, joints), visible & (np.arange(18) != joint))
        if number in frames
        else (joints, visible)
        for number, (joints, visible) in enumerate(poses)
    ]


def test_an_even_walk_stays_as_it_is():
    for (joints, visible), (expected, _) in list(zip(smooth(walk()), walk()))[3:-3]:
        np.testing.assert_allclose(joints, expected, atol=1e-4)
        assert visible.all()


def test_a_gap_is_filled_from_its_neighbors():
    for (joints, visible), (expected, _) in list(zip(smooth(hidden(walk(), WRIST, range(5, 14))), walk()))[3:-3]:
        np.testing.assert_allclose(joints, expected, atol=1e-4)
        assert visible[WRIST]


def test_a_joint_that_no_frame_shows_stays_missing():
    for joints, visible in smooth(hidden(walk(), WRIST, range(20))):
        assert not visible[WRIST] and joints[WRIST].tolist() == [-1, -1] and visible.sum() == 17


@pytest.mark.parametrize("frames, stays_hidden", [(range(6, 11), False), (range(6, 12), True)])
def test_a_face_is_hidden_of_who_turns_away(frames, stays_hidden):
    shown = [visible[NOSE] for _, visible in smooth(hidden(walk(), NOSE, frames))]
    assert [not seen for seen in shown] == [stays_hidden and number in frames for number in range(20)]


def test_a_jump_of_two_frames_goes_away_and_trembling_shrinks():
    poses = walk(step=0)
    poses[8] = poses[9] = (poses[8][0] + 50, poses[8][1])
    for joints, _ in smooth(poses):
        np.testing.assert_allclose(joints, walk(1)[0][0], atol=1e-4)
    random = np.random.default_rng(0)
    trembling = [(joints + random.normal(0, 1, (18, 2)), visible) for joints, visible in walk(60, 0)]
    before, after = (np.std([joints for joints, _ in poses], axis=0).mean() for poses in (trembling, smooth(trembling)))
    assert after < 0.6 * before


def write(folder, poses):
    paths = []
    for number, (joints, visible) in enumerate(poses):
        numbers = [float(value) for (y, x), seen in zip(joints, visible) for value in (x, y, seen)]
        people = [{"pose_keypoints_2d": numbers}] if visible.any() else []
        paths.append(folder / f"{number:03d}.json")
        paths[-1].write_text(json.dumps({"people": people}))
    return [str(path) for path in paths]


def test_frames_without_a_person_are_filled_and_told(tmp_path):
    poses = [(joints + 1, visible) for joints, visible in walk(10)]
    poses[4] = poses[5] = (poses[4][0], np.zeros(18, bool))
    notes = []
    framed = read_frames(write(tmp_path, poses), None, notes.append)
    np.testing.assert_allclose(framed[4][0][0], walk(10)[4][0] + 1, atol=1e-4)
    assert notes == ["2 of 10 frames show no person, their poses are those between their neighbors."]
    with pytest.raises(InputError, match=r"000\.json: it has no person with joints"):
        read_frames(write(tmp_path, [(joints, np.zeros(18, bool)) for joints, _ in walk(3)]), None, notes.append)


def two_poses():
    return [(np.zeros((18, 2)), np.ones(18, bool)), (np.full((18, 2), 10.0), np.ones(18, bool))]


def test_a_movement_between_poses_comes_back():
    movement = between(two_poses(), 8)
    near, far = 5 - 5 * np.sqrt(0.5), 5 + 5 * np.sqrt(0.5)
    places = [joints[WRIST, 0] for joints, _ in movement]
    assert places == pytest.approx([0, near, 5, far, 10, far, 5, near], abs=1e-4)
    assert all(visible.all() for _, visible in movement)


def test_a_joint_of_one_pose_alone_is_there_while_that_is_nearer():
    movement = between(hidden(two_poses(), NOSE, [0]), 8)
    assert [bool(visible[NOSE]) for _, visible in movement] == [False, False, True, True, True, True, False, False]
    assert all(joints[NOSE].tolist() == ([10, 10] if visible[NOSE] else [-1, -1]) for joints, visible in movement)
