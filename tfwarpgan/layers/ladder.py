"""The convolutional halves of PG2's generator: residual blocks on each scale, without any normalization.

After Ma et al., "Pose Guided Person Image Generation", NeurIPS 2017, and their code. Weights start as Glorot's.
"""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import upsample_nearest
from tfwarpgan.typing import Features


def plain_convolution(filters: int, size: int = 3, strides: int = 1, **kwargs: Any) -> keras.layers.Layer:
    """A 2-D convolution of "same" size, its weights Glorot's."""
    return keras.layers.Conv2D(filters, size, strides, "same", **kwargs)


class Rung(BuiltByCall, keras.layers.Layer):
    """Two 3x3 convolutions, each with ReLU; a residual one adds its input, behind the last ReLU."""

    def __init__(self, filters: int, residual: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.residual = residual
        self.convolutions = [plain_convolution(filters, activation="relu") for _ in range(2)]

    def call(self, inputs: Features) -> Features:
        features = inputs
        for layer in self.convolutions:
            features = layer(features)
        return features + inputs if self.residual else features


class LadderDown(BuiltByCall, keras.layers.Layer):
    """[B, H, W, width] -> the list of the maps of all rungs, of the sizes H x W, H/2 x W/2 ..., (i + 1) width channels.

    Args:
        width: Channels of the first rung.
        rungs: How many there are.
        residual: Whether rungs add their inputs; then the step to the next scale widens, else the rung itself.
    """

    def __init__(self, width: int, rungs: int, residual: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rungs = [Rung(width * (i + 1), residual) for i in range(rungs)]
        widened = 2 if residual else 1
        self.steps = [plain_convolution(width * (i + widened), 3, 2, activation="relu") for i in range(rungs - 1)]

    def call(self, inputs: Features) -> list[Features]:
        maps = [self.rungs[0](inputs)]
        for step, rung in zip(self.steps, self.rungs[1:]):
            maps.append(rung(step(maps[-1])))
        return maps


class LadderUp(BuiltByCall, keras.layers.Layer):
    """[B, h, w, width] at the coarsest size, and the maps of `LadderDown` -> [B, H, W, 2 width].

    A rung at each size joins what comes from below with the map of that size.
    """

    def __init__(self, width: int, rungs: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        counts = [width + width * rungs, *(2 * width * level for level in range(rungs - 1, 0, -1))]
        self.rungs = [Rung(count) for count in counts]
        self.steps = [plain_convolution(width * level, 1, activation="relu") for level in range(rungs - 1, 0, -1)]

    def call(self, features: Features, maps: list[Features]) -> Features:
        for level, rung in enumerate(self.rungs):
            features = rung(tf.concat([features, maps[-1 - level]], axis=-1))
            if level < len(self.steps):
                features = self.steps[level](upsample_nearest(features))
        return features


class LadderNetwork(keras.layers.Layer):
    """PG2's first network, [B, H, W, C] -> linear float32 [B, H, W, 3].

    A 3x3 convolution, a ladder down, a dense layer of 64 numbers that sees the whole image, and a ladder up.

    Args:
        width: Channels of the first convolution.
        rungs: Scales of each ladder.
    """

    def __init__(self, width: int, rungs: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.first = plain_convolution(width, activation="relu")
        self.down, self.up = LadderDown(width, rungs), LadderUp(width, rungs)
        self.squeeze = keras.layers.Dense(64)
        self.output_convolution = plain_convolution(3, dtype="float32")

    def build(self, shape: Any) -> None:
        steps = len(self.down.steps)
        self.coarsest = [-(-side // 2**steps) for side in shape[1:3]]
        self.spread = keras.layers.Dense(self.coarsest[0] * self.coarsest[1] * self.width)
        super().build(shape)

    def call(self, inputs: Features) -> Features:
        maps = self.down(self.first(inputs))
        code = self.squeeze(tf.reshape(maps[-1], [tf.shape(inputs)[0], maps[-1].shape[1:].num_elements()]))
        features = tf.reshape(self.spread(code), [-1, *self.coarsest, self.width])
        return self.output_convolution(tf.cast(self.up(features, maps), tf.float32))
