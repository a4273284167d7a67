"""The discriminator whose feature maps feed the pyramidal-hierarchy loss (Dong et al. 2018, equation 2).

A PatchGAN (Isola et al., CVPR 2017) at one to three scales (Wang et al., pix2pixHD, CVPR 2018).
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import convolution
from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.typing import Features, Tensor, Tensors

PYRAMID_LEVELS = 3


class PatchDiscriminator(BuiltByCall, keras.layers.Layer):
    """[B, H, W, C] -> (score map float32 [B, h, w, 1], the feature maps 0, 1, 2).

    Args:
        width: Channels of the first convolution; each next one has twice as many.
        strides: Of the 4x4 convolutions before the last.
        margins: Rows and columns of zeros round the input of each convolution; empty: as many as "same" padding takes.
        normalization: Makes the normalization of each convolution but the first and the last.
        last_stride: Of the last convolution.
        use_bias: Whether convolutions but the first have a bias.
    """

    def __init__(
        self,
        width: int = 64,
        strides: Sequence[int] = (2, 2, 2, 1),
        margins: Sequence[int] = (),
        normalization: Callable[[], keras.layers.Layer] = InstanceNormalization,
        last_stride: int = 1,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        padding, self.margins = "valid" if margins else "same", list(margins) or [0] * (len(strides) + 1)
        self.convolutions = [
            convolution(width * 2**i, 4, stride, padding, use_bias=use_bias or i == 0)
            for i, stride in enumerate(strides)
        ]
        self.normalizations = [normalization() for _ in strides[1:]]
        self.output_convolution = convolution(1, 4, last_stride, padding, use_bias=use_bias, dtype="float32")

    def call(self, inputs: Features) -> tuple[Tensor, list[Features]]:
        features = []
        for level, layer in enumerate(self.convolutions):
            inputs = layer(_padded(inputs, self.margins[level]))
            if level > 0:
                inputs = self.normalizations[level - 1](inputs)
            inputs = tf.nn.leaky_relu(inputs, 0.2)
            features.append(inputs)
        scores = self.output_convolution(_padded(tf.cast(inputs, tf.float32), self.margins[-1]))
        return scores, features[:PYRAMID_LEVELS]


def _padded(inputs: Features, margin: int) -> Features:
    return tf.pad(inputs, [[0, 0], [margin, margin], [margin, margin], [0, 0]]) if margin else inputs


class DCGANDiscriminator(BuiltByCall, keras.layers.Layer):
    """[B, H, W, C] -> (one score per image, float32 [B, 1], the feature maps 0, 1, 2).

    5x5 convolutions of stride 2 and a dense layer (Radford et al., "DCGAN", ICLR 2016).

    Args:
        width: Channels of the first convolution; they double up to 8 x width.
        levels: Convolutions.
    """

    def __init__(self, width: int = 64, levels: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolutions = [convolution(width * min(2**level, 8), 5, 2) for level in range(levels)]
        self.normalizations = [InstanceNormalization(affine=True) for _ in range(levels - 1)]
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(1, dtype="float32")

    def call(self, inputs: Features) -> tuple[Tensor, list[Features]]:
        features = []
        for level, layer in enumerate(self.convolutions):
            inputs = layer(inputs)
            if level > 0:
                inputs = self.normalizations[level - 1](inputs)
            inputs = tf.nn.leaky_relu(inputs, 0.2)
            features.append(inputs)
        return self.dense(tf.cast(self.flatten(inputs), tf.float32)), features[:PYRAMID_LEVELS]


class PyramidDiscriminator(BuiltByCall, keras.Model):
    """Scores an image (or a parsing) together with what it was made from.

    Called on a dictionary, of which the entries named by `keys` ([B, H, W, any]) are joined in that order; gives
    {"scores": a list of float32 [B, h, w, 1] or [B, 1], "features": a list of three feature maps a scale}. Scale s sees
    the input at 1/2^s, and its entries follow those of scale s - 1.

    Args:
        keys: Names of what it sees.
        width: Channels of the first convolutions.
        num_discriminators: One per scale.
        make: Makes the discriminator of a scale of its width, such as `PatchDiscriminator`.
    """

    def __init__(
        self,
        keys: Sequence[str],
        width: int = 64,
        num_discriminators: int = 1,
        make: Callable[[int], keras.layers.Layer] = PatchDiscriminator,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keys = list(keys)
        self.discriminators = [make(width) for _ in range(num_discriminators)]

    def call(self, inputs: Tensors) -> dict[str, list[Tensor]]:
        joined = tf.concat([inputs[key] for key in self.keys], axis=-1)
        scores, features = [], []
        for scale, discriminator in enumerate(self.discriminators):
            if scale:
                joined = tf.nn.avg_pool2d(joined, 3, 2, "SAME")
            score, maps = discriminator(joined)
            scores.append(score)
            features.extend(maps)
        return {"scores": scores, "features": features}
