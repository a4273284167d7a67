"""Each format of joints: there and back again, the neck that COCO lacks, and what counts as missing."""

import numpy as np
import pytest

from tfwarpgan.body.joints import NAMES
from tfwarpgan.data.joints import formats

COCO_NAMES = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow",
    "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle",
    "right ankle",
)  # fmt: skip
MEDIAPIPE_NAMES = {
    0: "nose", 2: "left eye", 5: "right eye", 7: "left ear", 8: "right ear", 11: "left shoulder", 12: "right shoulder",
    13: "left elbow", 14: "right elbow", 15: "left wrist", 16: "right wrist", 23: "left hip", 24: "right hip",
    25: "left knee", 26: "right knee", 27: "left ankle", 28: "right ankle",
}  # fmt: skip

ALL = [value for value in vars(formats).values() if isinstance(value, formats.KeypointFormat)]


def from_18(form, joints, visible):
    """The inverse of `to_18`: joints that the 18 do not have are missing, a joint there has confidence 1."""
    written = np.zeros((form.num_joints, form.numbers))
    written[:, :2] = form.missing
    for joint, there, places in zip(joints, visible, form.sources):
        if there and len(places) == 1:
            point = joint + 0.5 if form.normalized else joint
            written[places[0]] = [*(point[::-1] if form.order == "xy" else point), 1.0][: form.numbers]
    return written


def _drawn(seed=0):
    """Joints of a person, the neck between the shoulders, each with a different place; two are missing."""
    random = np.random.default_rng(seed)
    keypoints = random.uniform(0.1, 0.9, (18, 2)).astype(np.float32)
    keypoints[1] = (keypoints[2] + keypoints[5]) / 2
    visible = ~np.isin(np.arange(18), (4, 13))
    return np.where(visible[:, None], keypoints, np.float32(-1)), visible


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.name)
def test_there_and_back_again(form):
    keypoints, visible = _drawn()
    again, visible_again = form.to_18(from_18(form, keypoints, visible))
    np.testing.assert_array_equal(visible_again, visible)
    np.testing.assert_allclose(again, keypoints, atol=1e-6)


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.name)
def test_back_and_there_keeps_every_joint_that_the_18_have(form):
    joints = np.random.default_rng(1).uniform(0.6, 0.9, (form.num_joints, form.numbers))
    joints[:, 2:] = 1.0
    again = from_18(form, *form.to_18(joints))
    kept = sorted(places[0] for places in form.sources if len(places) == 1)
    np.testing.assert_allclose(again[kept], joints[kept], atol=1e-6)
    assert len(kept) == (17 if len(form.sources[1]) == 2 else 18)


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.name)
def test_a_person_nobody_saw(form):
    keypoints, visible = form.to_18(from_18(form, np.zeros((18, 2)), np.zeros(18, bool)))
    assert not visible.any() and (keypoints == -1).all()


def test_coco_and_mediapipe_joints_by_name():
    for name, places in zip(NAMES, formats.COCO_17.sources):
        assert name == "neck" or [COCO_NAMES[place] for place in places] == [name]
    for name, places in zip(NAMES, formats.MEDIAPIPE_33.sources):
        assert name == "neck" or [MEDIAPIPE_NAMES[place] for place in places] == [name]
    assert {COCO_NAMES[place] for place in formats.COCO_17.sources[1]} == {"left shoulder", "right shoulder"}
    assert {MEDIAPIPE_NAMES[place] for place in formats.MEDIAPIPE_33.sources[1]} == {"left shoulder", "right shoulder"}


def test_the_neck_needs_both_shoulders():
    joints = np.full((17, 3), 2.0)
    joints[5] = 10, 20, 1
    joints[6] = 30, 50, 1
    keypoints, visible = formats.COCO_17.to_18(joints)
    assert keypoints[1].tolist() == [35, 20] and visible[1]
    joints[6, 2] = 0
    keypoints, visible = formats.COCO_17.to_18(joints)
    assert keypoints[1].tolist() == [-1, -1] and not visible[[1, 2]].any()


def test_normalized_coordinates_run_from_edge_to_edge():
    joints = np.zeros((33, 3))
    joints[:, 2] = 1
    joints[0, :2] = 0.25, 1.0  # x, y
    keypoints, visible = formats.MEDIAPIPE_33.to_18(joints)
    np.testing.assert_allclose(keypoints[0], [0.5, -0.25])  # in a frame of one pixel, whose center is 0
    assert np.flatnonzero(visible).tolist() == [0]  # (0, 0) is missing


@pytest.mark.parametrize("missing, lost", [("format", [1]), ("-1", [0, 2]), ("0", [1])])
def test_declared_sign_of_missing_joints(missing, lost):
    joints = np.full((18, 3), 7.0)
    joints[0, :2], joints[1, :2], joints[2, :2] = (-1, 5), (0, 0), (-1, -1)
    _, visible = formats.OPENPOSE_18.declared(missing).to_18(joints)
    assert np.flatnonzero(~visible).tolist() == lost


def test_declared_confidence():
    joints = np.full((18, 3), 0.3)
    assert formats.OPENPOSE_18.to_18(joints)[1].all()
    assert not formats.OPENPOSE_18.declared(min_score=0.3).to_18(joints)[1].any()
    assert formats.POSE_GAN.declared(min_score=0.3) == formats.POSE_GAN  # which has none
