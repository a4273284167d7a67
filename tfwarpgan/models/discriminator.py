"""The discriminator whose feature maps feed the pyramidal-hierarchy loss (Dong et al. 2018, equation 2).

A PatchGAN (Isola et al., CVPR 2017) at one to three scales (Wang et al., pix2pixHD, CVPR 2018).
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.layers.convolution import convolution
from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.typing import Features, Tensor, Tensors

PYRAMID_LEVELS = 3


class PatchDiscriminator(keras.layers.Layer):
    """[B, H, W, C] -> (score map float32 [B, h, w, 1], the feature maps 0, 1, 2)."""

    def __init__(self, width: int = 64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        strides = (2, 2, 2, 1)
        self.convolutions = [convolution(width * 2**i, 4, stride) for i, stride in enumerate(strides)]
        self.normalization = InstanceNormalization()
        self.output_convolution = convolution(1, 4, dtype="float32")

    def call(self, inputs: Features) -> tuple[Tensor, list[Features]]:
        features = []
        for level, layer in enumerate(self.convolutions):
            inputs = layer(inputs)
            if level > 0:
                inputs = self.normalization(inputs)
            inputs = tf.nn.leaky_relu(inputs, 0.2)
            features.append(inputs)
        return self.output_convolution(tf.cast(inputs, tf.float32)), features[:PYRAMID_LEVELS]


class PyramidDiscriminator(keras.Model):
    """Scores an image (or a parsing) together with what it was made from.

    Called on a dictionary, of which the entries named by `keys` ([B, H, W, any]) are joined in that order; gives
    {"scores": a list of float32 [B, h, w, 1], "features": a list of three feature maps a scale}. Scale s sees the input
    at 1/2^s, and its entries follow those of scale s - 1.
    """

    def __init__(self, keys: Sequence[str], width: int = 64, num_discriminators: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keys = list(keys)
        self.discriminators = [PatchDiscriminator(width) for _ in range(num_discriminators)]

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
