"""Label maps in the graph: one-hot, mirrored."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.body.labels import FLIP_PERMUTATION
from tfwarpgan.layers import label_maps
from tfwarpgan.layers.label_maps import binomial_filter, flip, mirror, one_hot


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16])
def test_one_hot(dtype):
    result = label_maps.one_hot(np.array([[[0, 19], [5, 5]]], np.uint8), dtype)
    assert result.shape == (1, 2, 2, 20) and result.dtype == dtype
    np.testing.assert_array_equal(np.argmax(result, -1), [[[0, 19], [5, 5]]])
    np.testing.assert_array_equal(np.sum(result, -1), np.ones((1, 2, 2)))


def test_flip_mirrors_and_exchanges():
    labels = tf.constant([[[0, 14, 5, 18]]], tf.uint8)
    np.testing.assert_array_equal(label_maps.flip(labels), [[[19, 5, 15, 0]]])


def test_binomial_filter_by_hand():
    scores = np.zeros([1, 5, 5, 2], np.float32)
    scores[0, 2, 2, 0], scores[..., 1] = 16.0, 3.0
    filtered = binomial_filter(tf.constant(scores)).numpy()
    np.testing.assert_allclose(filtered[0, 1:4, 1:4, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    assert filtered[0, ..., 0].sum() == 16
    np.testing.assert_allclose(filtered[..., 1], 3.0)  # the border is repeated, nothing fades there


def test_a_filtered_argmax_has_no_isolated_pixel():
    scores = np.zeros([1, 9, 9, 2], np.float32)
    scores[..., 0] = 1.0
    scores[0, 4, 4] = [0.0, 1.0]
    assert np.argmax(scores, -1).sum() == 1 and not np.argmax(binomial_filter(tf.constant(scores)), -1).any()


def test_mirror_exchanges_channels():
    maps = tf.reshape(tf.range(6.0), [1, 1, 2, 3])
    np.testing.assert_array_equal(mirror(maps)[0, 0], [[3, 4, 5], [0, 1, 2]])
    np.testing.assert_array_equal(mirror(maps, (0, 2, 1))[0, 0], [[3, 5, 4], [0, 2, 1]])
    labels = np.random.default_rng(0).integers(0, 20, [2, 4, 6]).astype(np.uint8)
    np.testing.assert_array_equal(mirror(one_hot(labels), FLIP_PERMUTATION), one_hot(flip(labels)))
