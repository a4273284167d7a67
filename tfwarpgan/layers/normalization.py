"""Instance normalization (Ulyanov et al. 2016) without affine parameters, as pix2pixHD's generator uses it.

Keras' `GroupNormalization(groups=-1, center=False, scale=False)` gives the same numbers. Here the gradient is written
in closed form, and on a CPU a large sample goes through the fused batch normalization kernel, alone: a batch of one is
what instance normalization averages over, and one sample stays in the processor's cache. Forward and backward take
0.75 (closed form) and 0.25 to 0.75 (fused) of GroupNormalization's time on two cores.

The fused kernel also takes bfloat16, and adds in float32: a half of the time that two casts and the kernel take, where
the channels fill its vectors. With 24 channels it takes twice as long, and the closed form is the fastest.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.typing import Features

# Elements of a sample from which the fused kernel repaid its calls, one per sample, on two cores.
FUSED_ELEMENTS = 2**16
# Channels of which the fused kernel of bfloat16 wants a multiple.
VECTOR = 16


@tf.autograph.experimental.do_not_convert  # it cannot convert a custom gradient
def instance_normalize(x: Features, epsilon: float = 1e-5) -> Features:
    """Zero mean and unit variance of each channel of each sample over its positions: (x - mean) / sqrt(var + epsilon).

    Args:
        x: [B, H, W, C], any floating dtype; all but C may be unknown.
        epsilon: Added to the variance; above 0.

    Returns:
        Like `x`; half types are normalized in float32.

    Raises:
        ValueError: If x does not have four dimensions or a floating dtype.
    """
    x = tf.convert_to_tensor(x)
    if x.shape.rank != 4 or not x.dtype.is_floating:
        raise ValueError(f"Instance normalization needs floating [B, H, W, C], but got {x.dtype.name} {x.shape}.")
    return normalize_fused(x, epsilon) if _fused_is_faster(x) else normalize_closed_form(x, epsilon)


def _fused_is_faster(x: Features) -> bool:
    if not x.shape.is_fully_defined() or tf.config.list_physical_devices("GPU"):
        return False
    fits = x.dtype == tf.float32 or x.dtype == tf.bfloat16 and x.shape[-1] % VECTOR == 0
    return bool(fits and x.shape[1:].num_elements() >= FUSED_ELEMENTS)


@tf.autograph.experimental.do_not_convert
def normalize_closed_form(x: Features, epsilon: float) -> Features:
    """`instance_normalize` by reductions, with the gradient in closed form."""
    dtype = tf.float64 if x.dtype == tf.float64 else tf.float32

    @tf.custom_gradient
    def normalize(x: Features) -> tuple[Features, Callable[[Features], Features]]:
        centered = tf.cast(x, dtype)
        centered -= _mean(centered)
        scale = tf.math.rsqrt(_mean(tf.square(centered)) + epsilon)
        normalized = centered * scale

        def gradient(upstream: Features) -> Features:
            upstream = tf.cast(upstream, dtype)
            return tf.cast(scale * (upstream - _mean(upstream) - normalized * _mean(upstream * normalized)), x.dtype)

        return tf.cast(normalized, x.dtype), gradient

    return normalize(x)


def normalize_fused(x: Features, epsilon: float) -> Features:
    """`instance_normalize` of float32 or bfloat16 of known size, one call of the fused kernel per sample."""
    ones, zeros, unused = tf.ones(x.shape[3:]), tf.zeros(x.shape[3:]), tf.zeros([0])
    samples = [
        # The raw operation takes epsilon as it is; tf.nn's raises it to cuDNN's least one.
        tf.raw_ops.FusedBatchNormV3(
            x=sample, scale=ones, offset=zeros, mean=unused, variance=unused, epsilon=epsilon, is_training=True
        ).y
        for sample in tf.split(x, x.shape[0])
    ]
    return tf.concat(samples, axis=0)


def _mean(x: Features) -> Features:
    return tf.reduce_mean(x, axis=[1, 2], keepdims=True)


@keras.utils.register_keras_serializable(package="tfwarpgan")
class InstanceNormalization(keras.layers.Layer):
    """`instance_normalize` as a layer: [B, H, W, C] -> [B, H, W, C].

    Args:
        epsilon: Added to the variance; above 0.
        affine: Whether each channel has a scale, which starts from N(1, 0.02), and an offset of its own.
        **kwargs: Arguments of `keras.layers.Layer`.

    Raises:
        ValueError: If epsilon is not above 0.
    """

    def __init__(self, epsilon: float = 1e-5, affine: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(f"The epsilon of instance normalization must be above 0, but is {epsilon}.")
        self.epsilon, self.affine = epsilon, affine

    def build(self, shape: Any) -> None:
        if self.affine:
            around_one = keras.initializers.RandomNormal(1.0, 0.02)
            self.scale = self.add_weight(name="scale", shape=shape[-1:], initializer=around_one)
            self.offset = self.add_weight(name="offset", shape=shape[-1:], initializer="zeros")
        super().build(shape)

    def call(self, inputs: Features) -> Features:
        normalized = instance_normalize(inputs, self.epsilon)
        if not self.affine:
            return normalized
        return normalized * tf.cast(self.scale, inputs.dtype) + tf.cast(self.offset, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "epsilon": self.epsilon, "affine": self.affine}


class SampleNormalization(keras.layers.Layer):
    """Normalizes all values of a sample together: scale (x - mean) / (deviation + 0.001) + offset, both one number.

    What keras-contrib's `InstanceNormalization` is without an axis, as Siarohin et al. (CVPR 2018) use it.
    """

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")
        self.offset = self.add_weight(name="offset", shape=(1,), initializer="zeros")
        super().build(shape)

    def call(self, inputs: Features) -> Features:
        values = tf.cast(inputs, tf.float32)
        mean, variance = tf.nn.moments(values, [1, 2, 3], keepdims=True)
        normalized = (values - mean) / (tf.sqrt(variance + 1e-12) + 1e-3)
        return tf.cast(tf.cast(self.scale, tf.float32) * normalized + tf.cast(self.offset, tf.float32), inputs.dtype)
