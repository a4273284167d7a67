"""Gram matrices, patches round joints, and the pose detector's score."""

import numpy as np
import tensorflow as tf

from tfwarpgan.training.pose_detector import share_found
from tfwarpgan.training.style import gram, joint_patches, style_loss


def test_gram_by_hand():
    positions = tf.constant([[1.0, 0], [0, 1], [1, 1], [2, 0]])
    np.testing.assert_allclose(gram(positions), [[1.5, 0.25], [0.25, 0.5]])
    np.testing.assert_allclose(gram(positions) / 4, [[0.375, 0.0625], [0.0625, 0.125]])  # AUNET's, over 4hw


def test_patches_lie_round_joints_and_end_at_the_border():
    features = tf.reshape(tf.range(32.0 * 16), [1, 32, 16, 1])  # of an image of 64 x 32: half as large
    joints = tf.constant([[[10.0, 9.0], [63.0, 31.0], [-1.0, -1.0]]])
    patches = np.asarray(joint_patches(features, joints, 64))[0, ..., 0]
    np.testing.assert_array_equal(patches[0], [4 * 16 + 3, 4 * 16 + 4, 5 * 16 + 3, 5 * 16 + 4])
    np.testing.assert_array_equal(patches[1], [30 * 16 + 14, 30 * 16 + 15, 31 * 16 + 14, 31 * 16 + 15])
    assert (patches[2] == 0).all()


def test_style_counts_what_both_see():
    first = tf.constant([[[[1.0]], [[3.0]], [[0.0]]], [[[2.0]], [[1.0]], [[1.0]]]])
    seen = tf.constant([[True, True, False], [False, False, False]])
    # Of the first image (1 - 0)^2 and (9 - 0)^2, whose mean is 41; of the second nothing.
    np.testing.assert_allclose(style_loss(first, tf.zeros_like(first), seen), 41 / 2)


def test_share_of_joints_found():
    maps = np.zeros([2, 32, 16, 18], "float32")
    joints = np.full([2, 18, 2], -1, "float32")
    visible = np.zeros([2, 18], bool)
    for joint, (found, true) in enumerate([((5, 5), (6, 6)), ((5, 5), (5, 7.5)), ((9, 3), (9, 3))]):
        maps[(0, *found, joint)], joints[0, joint], visible[0, joint] = 0.7, true, joint < 2
    shares = share_found(tf.constant(maps), tf.constant(joints), tf.constant(visible))
    np.testing.assert_allclose(shares, [0.5, 0])
