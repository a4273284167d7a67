"""BodyROI7 (Ma et al., "Disentangled Person Image Generation", CVPR 2018): its network of the appearance.

Seven regions of the person become 32 numbers each, the background 128; PG2's first network paints an image of them, in
any pose. It learns to reconstruct the condition image in its own pose, so it needs no pairs. In square images, as in
the authors' network for 256 x 256, there is no background of its own. The discriminator is PG2's.
"""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import BuiltByCall
from tfwarpgan.layers.ladder import LadderDown, LadderNetwork, Rung, plain_convolution
from tfwarpgan.layers.pose_masks import pose_mask
from tfwarpgan.layers.region_boxes import REGIONS, region_boxes
from tfwarpgan.models.build import built
from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.models.pg2 import generator_discriminator, rungs_of
from tfwarpgan.options import Options
from tfwarpgan.typing import Batch, Features, Image, Tensor, Tensors

__all__ = ["BodyRegions", "generator_discriminator", "image_generator", "pipeline"]
REGION_CODE, BACKGROUND_CODE = 32, 128
MASK_RADIUS = 7 / 4  # of that of the pose's discs


class Coder(BuiltByCall, keras.layers.Layer):
    """A ladder down, and a dense layer of its coarsest map: [B, h, w, width] -> [B, numbers]."""

    def __init__(self, width: int, rungs: int, numbers: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ladder, self.flatten = LadderDown(width, rungs), keras.layers.Flatten()
        self.dense = keras.layers.Dense(numbers)

    def call(self, features: Features) -> Features:
        return self.dense(self.flatten(self.ladder(features)[-1]))


class AppearanceEncoder(BuiltByCall, keras.layers.Layer):
    """What a person looks like, as numbers, 32 of each region and 128 of the background.

    Args:
        width: Channels of the first convolution; 128 in the paper.
        side: Height and width of the regions' crops.
        region_rungs: Scales of the regions' ladder, which all share.
        rungs: Scales of the background's ladder; 0: the person is not told from it.
    """

    def __init__(self, width: int, side: int, region_rungs: int, rungs: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)  # boxes in half precision would move
        self.side = side
        self.first, self.rung = plain_convolution(width, activation="relu"), Rung(width)
        self.region_coder = Coder(width, region_rungs, REGION_CODE)
        self.background_coder = Coder(width, rungs, BACKGROUND_CODE) if rungs else None

    def call(self, inputs: Tensors) -> Features:
        features, seen = self.rung(self.first(inputs["condition_image"])), inputs["seen"]
        mask = tf.cast(inputs["condition_mask"], features.dtype)
        person = features if self.background_coder is None else features * mask
        regions = tf.shape(seen)
        rows = tf.repeat(tf.range(regions[0]), regions[1])
        boxes = tf.reshape(inputs["boxes"], [-1, 4])
        crops = tf.image.crop_and_resize(tf.cast(person, tf.float32), boxes, rows, [self.side, self.side])
        codes = self.region_coder(tf.cast(crops, features.dtype))
        codes = tf.reshape(codes, [-1, len(REGIONS), REGION_CODE]) * tf.cast(seen[..., tf.newaxis], codes.dtype)
        codes = tf.reshape(codes, [-1, len(REGIONS) * REGION_CODE])
        if self.background_coder is None:
            return codes
        return tf.concat([codes, self.background_coder(features * (1.0 - mask))], axis=-1)


class BodyRegions(BuiltByCall, keras.Model):
    """Encoder and decoder: see `BodyROI.conditions` -> {"image": float32 [B, H, W, 3], "code": [B, 352 or 224]}."""

    def __init__(self, encoder: AppearanceEncoder, decoder: LadderNetwork, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.encoder, self.decoder = encoder, decoder

    def call(self, inputs: Tensors) -> dict[str, Image]:
        code, pose = self.encoder(inputs), 2.0 * inputs["target_pose"] - 1.0
        spread = tf.broadcast_to(code[:, None, None], [*tf.unstack(tf.shape(pose)[:3]), code.shape[-1]])
        return {"image": self.decoder(tf.concat([tf.cast(spread, pose.dtype), pose], axis=-1)), "code": code}


class BodyROI(ImagePipeline):
    """The system, which learns from each condition image alone."""

    made = "condition"

    def conditions(self, batch: Batch) -> dict[str, Tensor]:
        """Condition image and target pose, and of the condition's own pose a mask, boxes and whether they are seen."""
        pose = batch["condition_keypoints"], batch["condition_visible"], self.height, self.width
        boxes, seen = region_boxes(*pose)
        mask = pose_mask(*pose, radius=MASK_RADIUS * self.data_options.pose_radius)
        return {
            **super().conditions(batch),
            "condition_mask": mask[..., tf.newaxis],
            "boxes": boxes / (2 * [float(self.height), float(self.width)]),
            "seen": tf.cast(seen, tf.float32),
        }


pipeline = BodyROI


def image_generator(options: Options) -> BodyRegions:
    """Encoder and decoder."""
    data, width, rungs = options.data, options.networks.generator_width, min(5, rungs_of(options))
    if data.height == data.width:
        side = data.height // 4
        encoder = AppearanceEncoder(width, side, side.bit_length(), 0)
    else:
        encoder = AppearanceEncoder(width, 3 * data.height // 8, rungs, rungs)
    network = BodyRegions(encoder, LadderNetwork(width, rungs))
    regions = {"boxes": tf.zeros([1, len(REGIONS), 4]), "seen": tf.zeros([1, len(REGIONS)])}
    return built(network, ["condition_image", "condition_mask", "target_pose"], data, **regions)
