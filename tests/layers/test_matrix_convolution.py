"""The convolution as a matrix product."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.convolution import convolution
from tfwarpgan.layers.matrix_convolution import matrix_convolution
from tfwarpgan.layers.sampling import core_ops_only


@pytest.mark.parametrize("size", [(3, 3), (1, 5)])
@pytest.mark.parametrize("known", [True, False])
def test_it_is_tensorflows_convolution_with_both_gradients(size, known):
    generator = np.random.default_rng(0)
    inputs = tf.constant(generator.normal(size=[2, 5, 7, 3]), tf.float32)
    kernel = tf.constant(generator.normal(size=[*size, 3, 4]), tf.float32)
    upstream = tf.constant(generator.normal(size=[2, 5, 7, 4]), tf.float32)
    shape = [2, 5, 7, 3] if known else [None, None, None, 3]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
    def product(inputs):
        outputs = matrix_convolution(inputs, kernel)
        return outputs, *tf.gradients(outputs, [inputs, kernel], upstream)

    @tf.function
    def convolved():
        outputs = tf.nn.conv2d(inputs, kernel, 1, "SAME")
        return outputs, *tf.gradients(outputs, [inputs, kernel], upstream)

    for found, expected in zip(product(inputs), convolved(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def _operations(layer, channels):
    function = tf.function(lambda inputs: layer(inputs))
    graph = function.get_concrete_function(tf.TensorSpec([1, 4, 4, channels], tf.float32)).graph
    return {operation.type for operation in graph.get_operations()}


def test_only_a_wide_convolution_is_a_product_and_none_in_a_graph_that_leaves(monkeypatch):
    monkeypatch.setattr("tfwarpgan.layers.convolution.MATRIX_CHANNELS", 8)
    assert "Conv2D" not in _operations(convolution(8, 3), 8)
    assert "Conv2D" in _operations(convolution(8, 3), 4)
    assert "Conv2D" in _operations(convolution(4, 3), 8)
    assert "Conv2D" in _operations(convolution(8, 3, 2), 8)
    assert "Conv2D" in _operations(convolution(8, 3, padding="valid"), 8)
    with core_ops_only():
        assert "Conv2D" in _operations(convolution(8, 3), 8)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert "Conv2D" in _operations(convolution(8, 3), 8)
