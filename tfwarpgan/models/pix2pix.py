"""pix2pix for persons (Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017).

A U-Net on the condition image and the target pose, judged by patches of the result together with both. Batch
normalization at batch size 1, as it was trained and tested, is instance normalization with scale and offset, which is
used here: the rows of a batch stay independent. Nothing is dropped at test time.
"""

import functools
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import convolution
from tfwarpgan.layers.normalization import InstanceNormalization
from tfwarpgan.layers.unet import Down, Up, halvings_of, transposed
from tfwarpgan.models.build import built
from tfwarpgan.models.discriminator import PatchDiscriminator, PyramidDiscriminator
from tfwarpgan.models.image_pipeline import ImagePipeline as pipeline
from tfwarpgan.options import Options
from tfwarpgan.typing import Image, Tensors

__all__ = ["UNetGenerator", "generator_discriminator", "image_generator", "pipeline"]
KEYS = ("condition_image", "target_pose")
JUDGED = (*KEYS, "image")
affine = functools.partial(InstanceNormalization, affine=True)


class UNetGenerator(BuiltByCall, keras.Model):
    """`condition_image` and `target_pose` -> {"image": float32 [B, H, W, 3] in [-1, 1]}.

    Args:
        width: Channels of the first convolution; they double up to 8 x width.
        halvings: How often the size is halved; 8 in the paper, at 256 x 256.
    """

    def __init__(self, width: int, halvings: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        widths = [width * min(2**level, 8) for level in range(halvings)]
        self.down = Down(convolution(width, 4, 2), widths[1:], affine)
        self.up = Up(widths[-2::-1], affine)
        self.output_convolution = transposed(3, dtype="float32")

    def call(self, inputs: Tensors) -> dict[str, Image]:
        maps = self.down(tf.concat([inputs[key] for key in KEYS], axis=-1))
        features = tf.nn.relu(self.up(maps, inputs.get("seed")))
        return {"image": tf.tanh(self.output_convolution(tf.cast(features, tf.float32)))}


def image_generator(options: Options) -> UNetGenerator:
    """The U-Net."""
    halvings = halvings_of(options.data.height, options.data.width, 8)
    return built(UNetGenerator(options.networks.generator_width, halvings), KEYS, options.data)


def generator_discriminator(options: Options) -> PyramidDiscriminator:
    """Its discriminator, of patches of 70 x 70 pixels."""
    patches = functools.partial(PatchDiscriminator, margins=[1] * 5, normalization=affine)
    networks = options.networks
    discriminator = PyramidDiscriminator(JUDGED, networks.discriminator_width, networks.num_discriminators, patches)
    return built(discriminator, JUDGED, options.data)
