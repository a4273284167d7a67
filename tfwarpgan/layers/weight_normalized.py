"""Convolutions whose kernels have a direction and a length of their own, and which start from data.

Salimans and Kingma, "Weight Normalization", NeurIPS 2016, as Esser et al. (CVPR 2018) use it: nothing else in their
network normalizes, so that a start without data leaves features of any size.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.draws import dropout
from tfwarpgan.typing import Features, Tensor

_starting = False


@contextlib.contextmanager
def data_dependent_start() -> Iterator[None]:
    """While open, each convolution that is called eagerly first takes such scales and offsets that its result has
    mean 0 and deviation 1 in each channel (section 3 of the paper).

    What comes after it is called on this result: one pass of a network sets all of its layers. It holds for one thread.
    """
    global _starting
    _starting = True
    try:
        yield
    finally:
        _starting = False


class WeightNormalizedConvolution(keras.layers.Layer):
    """scale * (x * direction / |direction|) + offset, of "same" size: [B, H, W, C] -> [B, H/s, W/s, filters].

    Args:
        filters: Channels of the result.
        size: Height and width of the kernel.
        strides: Step of the kernel.
    """

    def __init__(self, filters: int, size: int = 3, strides: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.size, self.strides = filters, size, strides

    def build(self, shape: Any) -> None:
        normal = keras.initializers.RandomNormal(stddev=0.05)
        kernel = (self.size, self.size, shape[-1], self.filters)
        self.direction = self.add_weight(name="direction", shape=kernel, initializer=normal)
        self.scale = self.add_weight(name="scale", shape=(self.filters,), initializer="ones")
        self.offset = self.add_weight(name="offset", shape=(self.filters,), initializer="zeros")
        super().build(shape)

    def call(self, inputs: Features) -> Features:
        kernel = tf.cast(tf.nn.l2_normalize(tf.cast(self.direction, tf.float32), [0, 1, 2]), inputs.dtype)
        features = tf.nn.conv2d(inputs, kernel, self.strides, "SAME")
        if _starting:
            mean, variance = tf.nn.moments(tf.cast(features, tf.float32), [0, 1, 2])
            self.scale.assign(tf.math.rsqrt(variance + 1e-10))
            self.offset.assign(-mean * tf.math.rsqrt(variance + 1e-10))
        return features * tf.cast(self.scale, inputs.dtype) + tf.cast(self.offset, inputs.dtype)


class WeightNormalizedBlock(BuiltByCall, keras.layers.Layer):
    """x + a 3x3 convolution of ELU(x), joined with a 1x1 convolution of ELU(skip) where there is a skip.

    Args:
        filters: Channels of x and of the result.
        with_skip: Whether it is called with a skip.
        dropout: Share of the convolution's input that training drops.
    """

    def __init__(self, filters: int, with_skip: bool = False, dropout: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropout = dropout
        self.skip_convolution = WeightNormalizedConvolution(filters, 1) if with_skip else None
        self.convolution = WeightNormalizedConvolution(filters)

    def call(self, inputs: Features, skip: Features | None = None, seed: Tensor | None = None) -> Features:
        """Without `seed` int32 [2] nothing is dropped."""
        joined = inputs
        if self.skip_convolution is not None:
            joined = tf.concat([inputs, self.skip_convolution(tf.nn.elu(skip))], axis=-1)
        branch = tf.nn.elu(joined)
        if seed is not None:
            branch = dropout(branch, self.dropout, seed)
        return inputs + self.convolution(branch)
