"""The two halves of a U-Net whose activations come before its convolutions (Isola et al., CVPR 2017).

`Down` halves the size again and again and keeps the map of each scale; `Up` doubles it again and takes these maps in.
Convolutions before a normalization have no bias, which the normalization would take away.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import convolution
from tfwarpgan.layers.draws import dropout, seeds_from
from tfwarpgan.typing import Features, Tensor

Normalization = Callable[[], keras.layers.Layer]


def halvings_of(height: int, width: int, most: int) -> int:
    """How often both sides can be halved, at most `most` times."""
    return min(most, *((side & -side).bit_length() - 1 for side in (height, width)))


class Down(BuiltByCall, keras.layers.Layer):
    """[B, H, W, C] -> the list of maps of all scales, finest first; each is not yet activated.

    Args:
        first: The first convolution, which nothing normalizes.
        widths: Channels of the 4x4 convolutions of stride 2 after it, each behind a leaky ReLU; the last one is not
            normalized.
        normalization: Makes the others' normalization.
        last_bias: Whether the last one has a bias.
    """

    def __init__(
        self, first: keras.layers.Layer, widths: Sequence[int], normalization: Normalization, last_bias: bool = True,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.first, last = first, len(widths) - 1
        self.convolutions = [
            convolution(width, 4, 2, use_bias=level == last and last_bias) for level, width in enumerate(widths)
        ]
        self.normalizations = [normalization() for _ in widths[:-1]]

    def call(self, inputs: Features) -> list[Features]:
        maps = [self.first(inputs)]
        for level, layer in enumerate(self.convolutions):
            features = layer(tf.nn.leaky_relu(maps[-1], 0.2))
            maps.append(self.normalizations[level](features) if level < len(self.normalizations) else features)
        return maps


class Up(BuiltByCall, keras.layers.Layer):
    """The maps of all scales, finest first -> [B, H, W, C] at the size of the finest, not yet activated.

    The deepest map and then each result, joined with the map of its size, goes through ReLU, a transposed 4x4
    convolution of stride 2, normalization and, three times, dropout of one half in training.

    Args:
        widths: Channels of the transposed convolutions, deepest first.
        normalization: Makes their normalization.
    """

    def __init__(self, widths: Sequence[int], normalization: Normalization, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.convolutions = [transposed(width, use_bias=False) for width in widths]
        self.normalizations = [normalization() for _ in widths]

    def call(self, maps: Sequence[Features], seed: Tensor | None = None) -> Features:
        """Without `seed` int32 [2] nothing is dropped."""
        features, seeds = maps[-1], seeds_from(seed)
        for level, (layer, normalization) in enumerate(zip(self.convolutions, self.normalizations)):
            features = normalization(layer(tf.nn.relu(features)))
            if seed is not None and level < 3:
                features = dropout(features, 0.5, next(seeds))
            features = tf.concat([features, tf.cast(maps[-2 - level], features.dtype)], axis=-1)
        return features


def transposed(filters: int, **kwargs: Any) -> keras.layers.Layer:
    """A transposed 4x4 convolution of stride 2 whose weights start from N(0, 0.02)."""
    initializer = keras.initializers.RandomNormal(stddev=0.02)
    return keras.layers.Conv2DTranspose(filters, 4, 2, "same", kernel_initializer=initializer, **kwargs)
