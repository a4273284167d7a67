"""The convolution blocks that the networks share.

An encoder is a reflect-padded 7x7 convolution and three 3x3 convolutions of stride 2; a trunk is a row of residual
blocks; a decoder doubles the size three times and ends in a reflect-padded 7x7 convolution (Dong et al. 2018,
section 3; Wang et al., "pix2pixHD", CVPR 2018, appendix A). Instance normalization has no affine parameters; weights
start from N(0, 0.02).
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow import keras
from tensorflow.python.framework.config import is_op_determinism_enabled

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.layers.sampling import on_cpu
from tfwarpgan.layers.winograd import convolution_by_transformed, transformed_kernel, winograd_convolution
from tfwarpgan.typing import Features, Tensor

# Fewest channels, in and out, for which Winograd's convolution was much faster than oneDNN's in float32
# (benchmarks/convolution.py).
WINOGRAD_CHANNELS = 256

_transformed: dict[int, list[tf.Variable]] | None = None  # of each kernel, while `transformed_kernels` is open


@contextlib.contextmanager
def transformed_kernels() -> Iterator[None]:
    """While open, a wide convolution that is traced is Winograd's, and its kernel a variable that is transformed.

    For an export to servers that compute on processors. It holds for all threads, as `core_ops_only` does.
    """
    global _transformed
    _transformed = {}
    try:
        yield
    finally:
        _transformed = None


class Convolution(keras.layers.Conv2D):
    """Keras' 2-D convolution; a wide one is Winograd's where a CPU computes it, in a graph that stays here."""

    def convolution_op(self, inputs: Features, kernel: Tensor) -> Features:
        wide = inputs.dtype == tf.float32 and min(kernel.shape[2:]) >= WINOGRAD_CHANNELS
        if wide and self._is_plain and _transformed is not None:
            return convolution_by_transformed(inputs, self._transformed_kernel(_transformed))
        kernel = tf.convert_to_tensor(kernel)
        if wide and self._is_plain and on_cpu() and not is_op_determinism_enabled():  # sums of products vary in order
            return winograd_convolution(inputs, kernel)
        return super().convolution_op(inputs, kernel)

    @property
    def _is_plain(self) -> bool:
        shape = self.kernel_size, self.strides, self.dilation_rate, self.padding
        return shape == ((3, 3), (1, 1), (1, 1), "same")

    def _transformed_kernel(self, known: dict[int, list[tf.Variable]]) -> list[tf.Variable]:
        """The 16 variables of the kernel, one and the same for all graphs that `known` belongs to."""
        if id(self) not in known:
            with tf.init_scope():
                values = tf.unstack(transformed_kernel(tf.convert_to_tensor(self.kernel)))
                known[id(self)] = [tf.Variable(value[tf.newaxis, tf.newaxis], trainable=False) for value in values]
        return known[id(self)]


def convolution(filters: int, size: int, strides: int = 1, padding: str = "same", **kwargs: Any) -> keras.layers.Layer:
    """A 2-D convolution whose weights start from N(0, 0.02)."""
    initializer = keras.initializers.RandomNormal(stddev=0.02)
    return Convolution(filters, size, strides, padding, kernel_initializer=initializer, **kwargs)


def upsample_nearest(features: Features) -> Features:
    """Each position of [B, H, W, C] four times: [B, 2H, 2W, C]."""
    return tf.repeat(tf.repeat(features, 2, axis=1), 2, axis=2)


class ReflectConvolution(BuiltByCall, keras.layers.Layer):
    """A convolution of odd `size` over a reflect-padded input: [B, H, W, C] -> [B, H, W, filters]."""

    def __init__(self, filters: int, size: int = 7, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(dtype=dtype, **kwargs)
        self.margin = size // 2
        self.convolution = convolution(filters, size, padding="valid", dtype=dtype)

    def call(self, inputs: Features) -> Features:
        margins = [self.margin, self.margin]
        return self.convolution(tf.pad(inputs, [[0, 0], margins, margins, [0, 0]], "REFLECT"))


class NormalizedConvolution(BuiltByCall, keras.layers.Layer):
    """A convolution layer, instance normalization, ReLU."""

    def __init__(self, convolution: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolution = convolution
        self.normalization = InstanceNormalization(dtype=self.dtype_policy)

    def call(self, inputs: Features) -> Features:
        return tf.nn.relu(self.normalization(self.convolution(inputs)))


class Upsampling(BuiltByCall, keras.layers.Layer):
    """Doubles the size: a transposed convolution, or nearest resizing and a convolution; [B, 2H, 2W, filters]."""

    def __init__(self, filters: int, kind: str = "transposed", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        if kind == "transposed":
            initializer = keras.initializers.RandomNormal(stddev=0.02)
            self.convolution = keras.layers.Conv2DTranspose(filters, 3, 2, "same", kernel_initializer=initializer)
        else:
            self.convolution = convolution(filters, 3)
        self.normalization = InstanceNormalization()

    def call(self, inputs: Features) -> Features:
        features = inputs if self.kind == "transposed" else upsample_nearest(inputs)
        return tf.nn.relu(self.normalization(self.convolution(features)))


class ResidualBranch(BuiltByCall, keras.layers.Layer):
    """IN(conv3x3(ReLU(IN(conv3x3(x))))), at constant width."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = NormalizedConvolution(convolution(filters, 3, dtype=self.dtype_policy), dtype=self.dtype_policy)
        self.second = convolution(filters, 3, dtype=self.dtype_policy)
        self.normalization = InstanceNormalization(dtype=self.dtype_policy)

    def call(self, inputs: Features) -> Features:
        return self.normalization(self.second(self.first(inputs)))


class ResidualBlock(BuiltByCall, keras.layers.Layer):
    """x + the residual branch of x."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.branch = ResidualBranch(filters)

    def call(self, inputs: Features) -> Features:
        return inputs + self.branch(inputs)


class Encoder(BuiltByCall, keras.layers.Layer):
    """[B, H, W, C] -> [B, H/8, W/8, 8 width]; with `all_scales` a dictionary, s -> [B, H/s, W/s, s width], s 1 to 8.

    With other `halvings` than 3, 8 is another power of 2.
    """

    def __init__(self, width: int, halvings: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = [NormalizedConvolution(ReflectConvolution(width))]
        self.blocks += [NormalizedConvolution(convolution(width << level, 3, 2)) for level in range(1, halvings + 1)]

    def call(self, inputs: Features, all_scales: bool = False) -> Features | dict[int, Features]:
        scales = {}
        for level, block in enumerate(self.blocks):
            inputs = scales[1 << level] = block(inputs)
        return scales if all_scales else inputs


class Trunk(BuiltByCall, keras.layers.Layer):
    """A sequence of residual blocks at constant width.

    With `recompute`, training keeps the blocks' inputs alone, and computes what is inside a block again when its
    gradient is due (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016): the same gradients.
    """

    def __init__(self, filters: int, blocks: int, recompute: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = [ResidualBlock(filters) for _ in range(blocks)]
        self.recompute = recompute

    def call(self, inputs: Features, training: bool | None = None) -> Features:
        for block in self.blocks:
            # An exported graph must not hold gradients of its own.
            inputs = tf.recompute_grad(block)(inputs) if self.recompute and training else block(inputs)
        return inputs


def upsamplings(filters: int, kind: str = "transposed", count: int = 3) -> list[Upsampling]:
    """The `Upsampling` layers of a decoder, three from 1/8 to full size: each halves the width."""
    return [Upsampling(filters // 2**level, kind) for level in range(1, count + 1)]


class OutputHead(BuiltByCall, keras.layers.Layer):
    """Features of full size -> (float32 output [B, H, W, channels], the features [B, H, W, width] that it is made of).

    A 3x3 convolution brings the features to `width` where they are not there yet; the last convolution is linear and
    computed in float32 under every precision.
    """

    def __init__(self, filters: int, width: int, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.narrowing = None if filters == width else NormalizedConvolution(convolution(width, 3))
        self.output_convolution = ReflectConvolution(channels, dtype="float32")

    def call(self, features: Features) -> tuple[Features, Features]:
        features = features if self.narrowing is None else self.narrowing(features)
        return self.output_convolution(tf.cast(features, tf.float32)), features


class Decoder(BuiltByCall, keras.layers.Layer):
    """[B, H/8, W/8, filters] -> float32 [B, H, W, channels]: three upsampling layers, or others, and the head."""

    def __init__(
        self, filters: int, width: int, channels: int, upsampling: str = "transposed", halvings: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.upsamplings = upsamplings(filters, upsampling, halvings)
        self.head = OutputHead(filters >> halvings, width, channels)

    def call(self, inputs: Features) -> Features:
        for upsampling in self.upsamplings:
            inputs = upsampling(inputs)
        return self.head(inputs)[0]
