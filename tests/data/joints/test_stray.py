"""Joints that do not lie on the person: what tells them, and what is said of the cause."""

import re

import numpy as np
import pytest

from tfwarpgan.data.joints.stray import Tally, are_stray, oddity, tally

SIZE = HEIGHT, WIDTH = 128, 64
VISIBLE = np.ones(18, bool)


def people(count=12, seed=0):
    """(joints, label map) of drawn people: a trunk in the middle third of the picture, limbs around, joints on them."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        labels = np.zeros(SIZE, np.uint8)
        top, left = random.integers(8, 14), random.integers(16, 24)
        labels[top : top + 100, left : left + 12] = 5
        labels[top + 20 : top + 30, left - 8 : left + 24] = 14
        ys, xs = np.nonzero(np.minimum.reduce([np.roll(labels, (y, x), (0, 1)) for y in (-3, 3) for x in (-3, 3)]))
        chosen = np.linspace(0, len(ys) - 1, 18).astype(int)
        yield np.stack([ys[chosen], xs[chosen]], 1).astype(np.float32), labels


def summed(change=lambda joints: joints, visible=VISIBLE, **arguments):
    found = Tally()
    for joints, labels in people(**arguments):
        found.add(tally(change(joints), visible, labels, SIZE))
    return found


def test_joints_of_the_person_are_no_problem():
    found = summed()
    assert (found.visible, found.stray, found.ghosts) == (12 * 18, 0, 0) and found.problem(0.3) == ""


@pytest.mark.parametrize("change, words", [
    (lambda joints: joints / SIZE, r"normalized to 0\.\.1 \(OpenPose's keypoint_scale 3\)"),
    (lambda joints: joints / SIZE * 2 - 1, r"normalized to -1\.\.1 \(OpenPose's keypoint_scale 4\)"),
    (lambda joints: joints / 2, "a frame 2 times smaller than the images; declare it with --keypoint_frame"),
    (lambda joints: joints * 2, "a frame 2 times larger than the images"),
    (lambda joints: joints * 1.5, r"a frame 1\.5 times larger"),
    (lambda joints: joints[:, ::-1], "x and y seem to be exchanged"),
    (lambda joints: joints + (0, 40), r"shifted by about \+\d\d pixels in x and [+-]\d in y; .*--keypoint_crop"),
    (lambda joints: joints - (30, 15), r"shifted by about -1\d pixels in x and -(29|3\d) in y"),
])  # fmt: skip
def test_the_likely_cause_is_named(change, words):
    problem = summed(change).problem(0.3)
    assert re.search(r"^\d+ % of 216 visible joints do not lie on the person .*30 % are accepted", problem)
    assert re.search(words, problem), problem
    assert summed(change).problem(1) == ""


def test_joints_of_another_image():
    random = np.random.default_rng(1)
    wrong = summed(lambda joints: random.uniform(0, SIZE, (18, 2)))
    assert "another person or of another image" in wrong.problem(0.3)


@pytest.mark.parametrize("mark", [0, -1])
def test_marks_of_missing_joints_are_no_joints(mark):
    def marked(joints):
        joints[[4, 16]] = mark
        return joints

    found = summed(marked)
    assert found.ghosts == 24 and found.share < 0.3
    assert found.problem(0.3).startswith("24 visible joints lie at (0, 0) or (-1, -1)")
    assert "--keypoint_missing=0" in found.problem(0.3)


def test_a_smaller_label_map_is_of_the_whole_image():
    labels = np.zeros((32, 16), bool)
    labels[8:16, 4:8] = True
    points = np.array([[32, 16], [63, 31], [31, 16], [64, 20], [-40, 20]], float)
    assert are_stray(points, labels, SIZE).tolist() == [False, False, True, True, True]


def test_without_a_label_of_a_person_the_joints_alone_must_tell():
    found = tally(np.full((18, 2), 0.5), VISIBLE, np.zeros(SIZE, np.uint8), SIZE)
    assert (found.visible, found.odd, found.unlabeled) == (0, 1, 1)
    assert found.problem(0.3).startswith(
        "on 1 of 1 images without a label of a person, all joints lie between 0 and 1: the coordinates seem to be"
    )


def test_what_cannot_be_a_person():
    assert oddity(np.random.default_rng(0).uniform(0, 60, (18, 2)), VISIBLE, SIZE) == ""
    assert "normalized" in oddity(np.random.default_rng(0).uniform(-1, 1, (18, 2)), VISIBLE, SIZE)
    assert oddity(np.full((18, 2), 50), VISIBLE, SIZE) == "all joints lie within one pixel"
    assert "18 of 18 joints lie outside of an image of 64 x 128" in oddity(np.full((18, 2), 500), VISIBLE, SIZE)
    joints = np.random.default_rng(0).uniform(20, 40, (18, 2))
    joints[4] = 400, 30
    assert oddity(joints, VISIBLE, SIZE).startswith("a limb of 3")
    assert oddity(joints, np.arange(18) == 0, SIZE) == ""
