"""The convolution by minimal filtering."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.convolution import convolution, transformed_kernels
from tfwarpgan.layers.sampling import core_ops_only
from tfwarpgan.layers.winograd import (
    OF_INPUTS,
    OF_KERNEL,
    OF_OUTPUTS,
    convolution_by_transformed,
    transformed_kernel,
    winograd_convolution,
)


def test_a_tile_by_hand():
    # Inputs of 1 at (1, 1) of the tile alone: each output is the kernel's value that lies over that place.
    inputs = np.zeros([4, 4])
    inputs[1, 1] = 1.0
    kernel = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    products = (OF_KERNEL @ kernel @ OF_KERNEL.T) * (OF_INPUTS @ inputs @ OF_INPUTS.T)
    np.testing.assert_allclose(OF_OUTPUTS @ products @ OF_OUTPUTS.T, [[5, 4], [2, 1]])


@pytest.mark.parametrize("height, width", [(4, 6), (5, 7), (1, 2)])
@pytest.mark.parametrize("known", [True, False])
def test_it_is_tensorflows_convolution_with_both_gradients_and_by_a_transformed_kernel(height, width, known):
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=[2, height, width, 3]), tf.float32)
    kernel = tf.constant(generator.normal(size=[3, 3, 3, 4]), tf.float32)
    upstream = tf.constant(generator.normal(size=[2, height, width, 4]), tf.float32)
    weights = [weight[tf.newaxis, tf.newaxis] for weight in tf.unstack(transformed_kernel(kernel))]
    shape = [2, height, width, 3] if known else [None, None, None, 3]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
    def filtered(inputs):
        outputs = winograd_convolution(inputs, kernel)
        by_transformed = convolution_by_transformed(inputs, weights)
        return outputs, *tf.gradients(outputs, [inputs, kernel], upstream), by_transformed

    @tf.function
    def convolved():
        outputs = tf.nn.conv2d(inputs, kernel, 1, "SAME")
        return outputs, *tf.gradients(outputs, [inputs, kernel], upstream), outputs

    for found, expected in zip(filtered(inputs), convolved(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_graphs_of_one_export_share_the_transformed_kernels(monkeypatch):
    monkeypatch.setattr("tfwarpgan.layers.convolution.WINOGRAD_CHANNELS", 8)
    layer = convolution(8, 3)
    layer.build([None, 4, 4, 8])
    spec = tf.TensorSpec([1, 4, 4, 8], tf.float32)
    with core_ops_only(), transformed_kernels():
        first, second = (tf.function(lambda inputs: layer(inputs)).get_concrete_function(spec) for _ in range(2))
        of_first, of_second = (graph.graph.variables for graph in (first, second))
    assert {id(variable.handle) for variable in of_first} == {id(variable.handle) for variable in of_second}
    shapes = sorted(tuple(variable.shape) for variable in of_first)
    assert shapes == [(1, 1, 8, 8)] * 16 + [(8,)], "the bias, and no kernel of its own"
    assert [operation.type for operation in first.graph.get_operations()].count("Conv2D") == 16


def _operations(layer, channels):
    function = tf.function(lambda inputs: layer(inputs))
    graph = function.get_concrete_function(tf.TensorSpec([1, 4, 4, channels], tf.float32)).graph
    return {operation.type for operation in graph.get_operations()}


def test_only_a_wide_convolution_is_filtered_and_none_in_a_graph_that_leaves_or_where_each_bit_counts(monkeypatch):
    monkeypatch.setattr("tfwarpgan.layers.convolution.WINOGRAD_CHANNELS", 8)
    assert "Conv2D" not in _operations(convolution(8, 3), 8)
    assert "Conv2D" in _operations(convolution(8, 3), 4)
    assert "Conv2D" in _operations(convolution(4, 3), 8)
    assert "Conv2D" in _operations(convolution(8, 3, 2), 8)
    assert "Conv2D" in _operations(convolution(8, 1), 8)
    assert "Conv2D" in _operations(convolution(8, 3, padding="valid"), 8)
    with core_ops_only():
        assert "Conv2D" in _operations(convolution(8, 3), 8)
    with monkeypatch.context() as patched:
        patched.setattr("tfwarpgan.layers.convolution.is_op_determinism_enabled", lambda: True)
        assert "Conv2D" in _operations(convolution(8, 3), 8)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert "Conv2D" in _operations(convolution(8, 3), 8)
