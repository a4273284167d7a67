"""Pixels to values and back, by hand; the forms of NumPy and TensorFlow agree to the bit."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers import pixels as tensors
from tfwarpgan.storage import pixels as arrays

LEVELS = np.arange(256, dtype=np.uint8)
# All that lies halfway between two levels, a little beside, beyond both ends, and far beyond.
BETWEEN = (np.arange(-1, 256) + 0.5).astype(np.float32) / np.float32(127.5) - np.float32(1)
OTHERS = np.concatenate([np.nextafter(BETWEEN, -9), BETWEEN, np.nextafter(BETWEEN, 9), np.float32([-30, -1, 0, 1, 30])])


@pytest.mark.parametrize("module", [arrays, tensors])
def test_values_by_hand(module):
    values = np.asarray(module.from_pixels(np.uint8([[0, 51], [204, 255]])))
    np.testing.assert_allclose(values, [[-1, -0.6], [0.6, 1]], atol=1e-7)
    assert values.dtype == np.float32
    # 127.5 is a tie, and goes to the even level.
    levels = np.asarray(module.to_pixels(np.float32([-3, -1, 0, 0.6, 1, 3])))
    assert levels.tolist() == [0, 0, 128, 204, 255, 255] and levels.dtype == np.uint8


@pytest.mark.parametrize("module", [arrays, tensors])
def test_every_level_comes_back(module):
    np.testing.assert_array_equal(module.to_pixels(module.from_pixels(LEVELS)), LEVELS)


def test_arrays_and_tensors_agree():
    np.testing.assert_array_equal(arrays.from_pixels(LEVELS), tensors.from_pixels(LEVELS))
    np.testing.assert_array_equal(arrays.to_pixels(OTHERS), tensors.to_pixels(OTHERS))


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
def test_levels_keep_the_type(dtype):
    levels = tensors.to_levels(tf.constant([-1, 0, 0.5, 2], dtype))
    assert levels.dtype == dtype and levels.numpy().tolist() == [0, 127.5, 191.25, 382.5]
