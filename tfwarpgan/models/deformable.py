"""DSCF (Siarohin et al., "Deformable GANs for Pose-based Human Image Generation", CVPR 2018).

A U-Net with two encoders, of the condition image with its pose and of the target pose; what the first sees at the four
finest scales is moved, part of the body by part, to where the target pose has it. Its normalization is over all values
of a sample together, as in the authors' code.
"""

import functools
from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.body_parts import PARTS, deform, part_maps, part_masks
from tfwarpgan.layers.convolution import convolution
from tfwarpgan.layers.normalization import SampleNormalization
from tfwarpgan.layers.unet import Down, Up, halvings_of
from tfwarpgan.models.build import built
from tfwarpgan.models.discriminator import PatchDiscriminator, PyramidDiscriminator
from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.models.inputs import pose_of
from tfwarpgan.options import Options
from tfwarpgan.typing import Batch, Image, Tensor, Tensors

KEYS = ("condition_image", "condition_pose", "target_pose")
JUDGED = ("condition_image", "condition_pose", "image", "target_pose")
DEFORMED = 4  # finest scales


class DeformableGenerator(BuiltByCall, keras.Model):
    """See `Deformable.conditions` -> {"image": float32 [B, H, W, 3] in [-1, 1]}.

    Args:
        width: Channels of the first convolutions; they double up to 8 x width.
        halvings: How often the size is halved; 5 in images of 128 rows, 6 in those of 256.
    """

    def __init__(self, width: int, halvings: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        widths = [width * min(2**level, 8) for level in range(1, halvings + 1)]
        self.appearance, self.pose = (
            Down(convolution(width, 3), widths, SampleNormalization, last_bias=False) for _ in range(2)
        )
        self.up = Up([*[8 * width] * (halvings - 2), 4 * width, 2 * width], SampleNormalization)
        self.output_convolution = convolution(3, 3, dtype="float32")

    def call(self, inputs: Tensors) -> dict[str, Image]:
        appearance = self.appearance(tf.concat([inputs["condition_image"], inputs["condition_pose"]], axis=-1))
        skips = []
        for level, (features, pose) in enumerate(zip(appearance, self.pose(inputs["target_pose"]))):
            moved = deform(features, inputs["maps"], inputs["masks"]) if level < DEFORMED else features
            skips.append(tf.concat([moved, pose], axis=-1))
        features = tf.nn.relu(self.up(skips, inputs.get("seed")))
        return {"image": tf.tanh(self.output_convolution(tf.cast(features, tf.float32)))}


class Deformable(ImagePipeline):
    """The system."""

    def conditions(self, batch: Batch) -> dict[str, Tensor]:
        """Condition image and both poses, `maps` [B, 10, 2, 3] between their parts and `masks` [B, 10, H, W]."""
        own, target = ((batch[f"{side}_keypoints"], batch[f"{side}_visible"]) for side in ("condition", "target"))
        return {
            **super().conditions(batch),
            "condition_pose": pose_of(batch, "condition", self.data_options),
            "maps": part_maps(*own, *target, self.height),
            "masks": part_masks(*target, self.height, self.width),
        }


pipeline = Deformable


def image_generator(options: Options) -> DeformableGenerator:
    """The generator."""
    height, width = options.data.height, options.data.width
    halvings = halvings_of(height, width, (height // 4).bit_length() - 1)
    parts = {"maps": tf.zeros([1, len(PARTS), 2, 3]), "masks": tf.zeros([1, len(PARTS), height, width])}
    return built(DeformableGenerator(options.networks.generator_width, halvings), KEYS, options.data, **parts)


def generator_discriminator(options: Options) -> PyramidDiscriminator:
    """Its discriminator, of patches: five convolutions of stride 2, fewer where they leave nothing of the image."""
    levels = min(4, min(options.data.height, options.data.width).bit_length() - 3)
    patches = functools.partial(
        PatchDiscriminator, strides=[2] * levels, margins=[0] + [1] * levels, normalization=SampleNormalization,
        last_stride=2, use_bias=False,
    )  # fmt: skip
    networks = options.networks
    discriminator = PyramidDiscriminator(JUDGED, networks.discriminator_width, networks.num_discriminators, patches)
    return built(discriminator, JUDGED, options.data)
