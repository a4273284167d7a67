"""A generator of one encoder that warps nothing, for ablations: pix2pixHD's global one (Wang et al., CVPR 2018)."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.colors import decorrelate_colors
from tfwarpgan.layers.convolution import Decoder, Encoder, Trunk
from tfwarpgan.typing import Image, Tensors


class ResnetGenerator(BuiltByCall, keras.Model):
    """Everything that it sees, concatenated -> the synthesized image.

    Called on a dictionary of the inputs in `keys`, as `WarpingGenerator` takes them; gives {"image": float32
    [B, H, W, 3] in [-1, 1]}. H and W can be halved `halvings` times.

    Args:
        keys: Names of the inputs; `condition_image` is one of them.
        width: Channels of the first convolution, which double with each halving.
        blocks: Residual blocks of the trunk.
        upsampling: "transposed" or "resize".
        decorrelated_colors: Whether it sees the condition's colors along their principal axes.
        recompute: Whether training computes the trunk's activations twice instead of keeping them.
        halvings: How often the size is halved before the trunk.
    """

    def __init__(
        self,
        keys: Sequence[str],
        width: int = 64,
        blocks: int = 9,
        upsampling: str = "transposed",
        decorrelated_colors: bool = False,
        recompute: bool = False,
        halvings: int = 3,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.keys, self.decorrelated_colors = tuple(keys), decorrelated_colors
        self.encoder = Encoder(width, halvings)
        self.trunk = Trunk(width << halvings, blocks, recompute)
        self.decoder = Decoder(width << halvings, width, 3, upsampling, halvings)

    def call(self, inputs: Tensors) -> dict[str, Image]:
        image = inputs["condition_image"]
        seen = {**inputs, "condition_image": decorrelate_colors(image) if self.decorrelated_colors else image}
        features = self.encoder(tf.concat([seen[key] for key in self.keys], axis=-1))
        return {"image": tf.tanh(self.decoder(self.trunk(features)))}
