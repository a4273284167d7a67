"""Joints: left and right, limbs, scaling."""

import numpy as np

from tfwarpgan.body.joints import FLIP_PERMUTATION, LIMBS, NAMES, scale


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


def test_scale_keeps_pixel_centers():
    points = np.array([[0, 0], [127, 63], [-1, -1]], np.float32)
    result = scale(points, [True, True, False], (128, 64), (64, 64))
    np.testing.assert_allclose(result, [[-0.25, 0], [63.25, 63], [-1, -1]])
