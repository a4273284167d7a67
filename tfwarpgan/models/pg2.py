"""PG2 (Ma et al., "Pose Guided Person Image Generation", NeurIPS 2017): a coarse image, and a network that refines it.

Stage 1, `coarse_generator`, is trained by the L1 distance alone, in which the person's pixels, after the target pose,
count twice. Stage 2 adds a difference to its image, against a discriminator that sees single images: the target is
real, the condition and the result are not. Poses are -1 and 1; images are linear, cut to [-1, 1] where they are used.
Its discriminator normalizes a batch together in the authors' code; here each image alone.
"""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.convolution import upsample_nearest
from tfwarpgan.layers.ladder import LadderDown, LadderNetwork, Rung, plain_convolution
from tfwarpgan.layers.pose_masks import pose_mask
from tfwarpgan.layers.unet import halvings_of
from tfwarpgan.models.build import built
from tfwarpgan.models.discriminator import DCGANDiscriminator, PyramidDiscriminator
from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.options import Options
from tfwarpgan.typing import Batch, Image, Tensor, Tensors

KEYS = ("condition_image", "target_pose")


class CoarseGenerator(BuiltByCall, keras.Model):
    """`condition_image` and `target_pose` -> {"image": float32 [B, H, W, 3]}, linear.

    Args:
        width: Channels of the first convolution; 128 in the paper.
        rungs: Scales; 5 in images of 128 rows, 6 in those of 256.
    """

    def __init__(self, width: int, rungs: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.ladder = LadderNetwork(width, rungs)

    def call(self, inputs: Tensors) -> dict[str, Image]:
        return {
            "image": self.ladder(tf.concat([inputs["condition_image"], 2.0 * inputs["target_pose"] - 1.0], axis=-1))
        }


class Refiner(BuiltByCall, keras.Model):
    """`coarse_image` and `condition_image` -> {"difference": float32 [B, H, W, 3]}, what the coarse image lacks.

    Args:
        width: Channels of the first convolution; 128 in the paper.
        rungs: Scales, two fewer than the coarse generator's.
        joins_first: Whether the finest map is joined in too, as in the authors' network for 256 x 256.
    """

    def __init__(self, width: int, rungs: int, joins_first: bool, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.joins_first = joins_first
        self.first = plain_convolution(width, activation="relu")
        self.down = LadderDown(width, rungs, residual=False)
        self.up = [Rung(width, residual=False) for _ in range(rungs)]
        self.output_convolution = plain_convolution(3, dtype="float32")

    def call(self, inputs: Tensors) -> dict[str, Image]:
        maps = self.down(self.first(tf.concat([inputs["coarse_image"], inputs["condition_image"]], axis=-1)))
        features = maps[-1]
        for level, rung in enumerate(self.up):
            joined = self.joins_first or level < len(self.up) - 1
            features = rung(tf.concat([features, maps[-1 - level]], axis=-1) if joined else features)
            if level < len(self.up) - 1:
                features = upsample_nearest(features)
        return {"difference": self.output_convolution(tf.cast(features, tf.float32))}


class PG2(ImagePipeline):
    """Both networks, or the first alone while it is trained."""

    also_fake = ("condition_image",)

    def pixel_weights(self, batch: Batch) -> Tensor:
        """1 + the mask of the target pose."""
        return 1.0 + pose_mask(
            batch["target_keypoints"], batch["target_visible"], self.height, self.width, self.data_options.pose_radius
        )

    def generate(self, conditions: Tensors, training: bool = False, seed: Tensor | None = None) -> Tensors:
        """The refined image, or the coarse one where nothing refines it."""
        coarse = self.networks["coarse_generator"](conditions, training=training)["image"]
        if "image_generator" not in self.networks:
            return {"image": coarse}
        seen = {"coarse_image": tf.stop_gradient(coarse), "condition_image": conditions["condition_image"]}
        difference = self.networks["image_generator"](seen, training=training)["difference"]
        return {"image": seen["coarse_image"] + difference}


pipeline = PG2


def rungs_of(options: Options) -> int:
    """5 in images of 128 rows, one more with each doubling, as far as both sides can be halved."""
    height, width = options.data.height, options.data.width
    return 1 + halvings_of(height, width, (height // 8).bit_length() - 1)


def coarse_generator(options: Options) -> CoarseGenerator:
    """Stage 1's network."""
    return built(CoarseGenerator(options.networks.generator_width, rungs_of(options)), KEYS, options.data)


def image_generator(options: Options) -> Refiner:
    """Stage 2's network."""
    refiner = Refiner(options.networks.generator_width, rungs_of(options) - 2, options.data.height >= 256)
    return built(refiner, ["coarse_image", "condition_image"], options.data)


def generator_discriminator(options: Options) -> PyramidDiscriminator:
    """Stage 2's discriminator."""
    networks, levels = options.networks, min(5, max(4, rungs_of(options) - 1))

    def make(width: int) -> DCGANDiscriminator:
        return DCGANDiscriminator(width, levels)

    discriminator = PyramidDiscriminator(["image"], networks.discriminator_width, networks.num_discriminators, make)
    return built(discriminator, ["image"], options.data)
