"""Weight normalization and its start from data."""

import numpy as np
import tensorflow as tf

from tfwarpgan.layers.weight_normalized import (
    WeightNormalizedBlock,
    WeightNormalizedConvolution,
    data_dependent_start,
)


def features(size=(8, 6, 5, 3), seed=0):
    return tf.constant(np.random.default_rng(seed).normal(3, 2, size).astype("float32"))


def test_a_kernel_has_the_length_of_its_scale():
    layer = WeightNormalizedConvolution(4)
    result = layer(features())
    direction = np.asarray(layer.direction)
    kernel = direction / np.sqrt((direction**2).sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(result, tf.nn.conv2d(features(), kernel, 1, "SAME"), atol=1e-5)
    layer.scale.assign([2.0] * 4)
    layer.offset.assign([1.0] * 4)
    np.testing.assert_allclose(layer(features()), 2 * result + 1, atol=1e-5)


def test_one_pass_over_data_gives_each_layer_mean_0_and_deviation_1():
    first, second = WeightNormalizedConvolution(4, strides=2), WeightNormalizedConvolution(5, 1)
    with data_dependent_start():
        started = second(first(features()))
    for result in (first(features()), second(first(features())), started):
        mean, variance = tf.nn.moments(result, [0, 1, 2])
        np.testing.assert_allclose(mean, np.zeros_like(mean), atol=1e-4)
        np.testing.assert_allclose(variance, np.ones_like(variance), atol=1e-3)
    scale = np.asarray(first.scale)
    first(10 * features())
    np.testing.assert_array_equal(first.scale, scale)


def test_a_block_adds_to_its_input_what_it_sees_of_a_skip():
    block = WeightNormalizedBlock(3, with_skip=True)
    inputs, skip = features(), features((8, 6, 5, 2), 1)
    result = block(inputs, skip)
    joined = tf.nn.elu(tf.concat([inputs, block.skip_convolution(tf.nn.elu(skip))], axis=-1))
    np.testing.assert_allclose(result, inputs + block.convolution(joined), atol=1e-5)
    drawn = [np.asarray(block(inputs, skip, seed=tf.constant([0, seed]))) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.any(drawn[0] != drawn[2]) and np.any(drawn[0] != np.asarray(result))
