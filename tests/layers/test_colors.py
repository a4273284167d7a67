"""Decorrelated colors against hand-computed values."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.colors import GAINS, decorrelate_colors


@pytest.mark.parametrize(
    "color, expected",
    [
        ((0.5, 0.5, 0.5), (GAINS[0] * 0.5 * 3**0.5, 0, 0)),  # gray is lightness alone
        ((1.0, 0.0, -1.0), (0, GAINS[1] * 2**0.5, 0)),  # red against blue
        ((-1.0, 1.0, -1.0), (-GAINS[0] / 3**0.5, 0, GAINS[2] * 4 / 6**0.5)),  # green
        ((1.0, -1.0, 1.0), (GAINS[0] / 3**0.5, 0, -GAINS[2] * 4 / 6**0.5)),  # purple is its opposite
    ],
)
def test_hand_computed(color, expected):
    image = tf.constant(color)[tf.newaxis, tf.newaxis, tf.newaxis]
    np.testing.assert_allclose(decorrelate_colors(image)[0, 0, 0], expected, atol=1e-5)


def test_distances_are_kept_but_for_the_gains():
    image = tf.random.uniform([2, 4, 3, 3], -1, 1)
    axes = decorrelate_colors(image) / GAINS
    np.testing.assert_allclose(tf.norm(axes, axis=-1), tf.norm(image, axis=-1), rtol=1e-5)


def test_half_precision():
    assert decorrelate_colors(tf.zeros([1, 2, 2, 3], tf.float16)).dtype == tf.float16
