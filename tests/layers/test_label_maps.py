"""Label maps in the graph: one-hot, mirrored."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers import label_maps


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16])
def test_one_hot(dtype):
    result = label_maps.one_hot(np.array([[[0, 19], [5, 5]]], np.uint8), dtype)
    assert result.shape == (1, 2, 2, 20) and result.dtype == dtype
    np.testing.assert_array_equal(np.argmax(result, -1), [[[0, 19], [5, 5]]])
    np.testing.assert_array_equal(np.sum(result, -1), np.ones((1, 2, 2)))


def test_flip_mirrors_and_exchanges():
    labels = tf.constant([[[0, 14, 5, 18]]], tf.uint8)
    np.testing.assert_array_equal(label_maps.flip(labels), [[[19, 5, 15, 0]]])
