"""Joints: left and right, limbs, mirroring, scaling."""

import numpy as np

from tfwarpgan.body.joints import FLIP_PERMUTATION, LIMBS, NAMES, flip, scale


def test_flip_permutation_exchanges_left_and_right():
    for place, other in enumerate(FLIP_PERMUTATION):
        name = NAMES[place]
        swapped = name.replace("left", "?").replace("right", "left").replace("?", "right")
        assert NAMES[other] == swapped


def test_limbs_join_all_joints_as_a_tree():
    assert len(LIMBS) == 17
    reached = {1}
    for _ in LIMBS:
        reached |= {joint for limb in LIMBS if reached & set(limb) for joint in limb}
    assert reached == set(range(18))


def test_flip_moves_the_right_wrist_to_the_left():
    points = np.full((18, 2), -1, np.float32)
    points[4] = (50, 3)
    visible = np.arange(18) == 4
    flipped, flipped_visible = flip(points, visible, 64)
    assert flipped[7].tolist() == [50, 60]
    assert flipped_visible.tolist() == (np.arange(18) == 7).tolist()
    assert (flipped[np.arange(18) != 7] == -1).all()
    again, _ = flip(flipped, flipped_visible, 64)
    np.testing.assert_array_equal(again, points)


def test_scale_keeps_pixel_centres():
    points = np.array([[0, 0], [127, 63], [-1, -1]], np.float32)
    result = scale(points, [True, True, False], (128, 64), (64, 64))
    np.testing.assert_allclose(result, [[-0.25, 0], [63.25, 63], [-1, -1]])
