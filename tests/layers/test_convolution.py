"""The trunk computes its activations again where it is told to, and its gradients stay what they were."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.convolution import Trunk

keras = tf.keras
BLOCKS = 3


def course(recompute, training=True):
    """Output and gradients of a trunk, the same each time, and its traced graph."""
    keras.utils.set_random_seed(0)
    trunk = Trunk(4, BLOCKS, recompute)
    inputs = tf.random.stateless_normal([2, 8, 8, 4], [1, 2])
    trunk(inputs)

    @tf.function
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = trunk(inputs, training=training)
            loss = tf.reduce_mean(tf.cast(outputs, tf.float32) ** 2)
        return outputs, tape.gradient(loss, [inputs, *trunk.trainable_variables])

    outputs, gradients = step(inputs)
    return outputs, gradients, step.get_concrete_function(inputs).graph


def convolutions(graph):
    return sum(operation.type == "Conv2D" for operation in graph.get_operations())


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_activations_computed_again_give_the_same_gradients(precision):
    keras.mixed_precision.set_global_policy(precision)
    outputs, gradients, graph = course(recompute=False)
    again, gradients_again, graph_again = course(recompute=True)
    assert (convolutions(graph), convolutions(graph_again)) == (2 * BLOCKS, 4 * BLOCKS)
    np.testing.assert_array_equal(np.float32(again), np.float32(outputs))
    for want, have in zip(gradients, gradients_again, strict=True):
        assert np.abs(np.float32(want)).max() > 0
        np.testing.assert_array_equal(np.float32(have), np.float32(want))


def test_nothing_is_computed_again_outside_of_training():
    _, _, graph = course(recompute=True, training=False)
    assert convolutions(graph) == 2 * BLOCKS
