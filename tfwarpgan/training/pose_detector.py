"""Training of the pose detector that UPIS' generator is judged by: real images and the maps of their joints."""

from collections.abc import Mapping

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.models.inputs import pose_of
from tfwarpgan.options import DataOptions
from tfwarpgan.training.trainer import Losses, Trainer
from tfwarpgan.typing import Batch, PoseMap, Tensor

NEAR = 1 / 16  # of the height


def share_found(maps: PoseMap, joints: Tensor, visible: Tensor) -> Tensor:
    """The share of visible joints near which, within a sixteenth of the height, their map is largest.

    Args:
        maps: [B, H, W, 18].
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].

    Returns:
        float32 [B]; 0 where no joint is visible.
    """
    height, width, count = maps.shape[1:]
    peaks = tf.argmax(tf.reshape(maps, [-1, height * width, count]), axis=1, output_type=tf.int32)
    places = tf.cast(tf.stack([peaks // width, peaks % width], axis=-1), tf.float32)
    near = tf.norm(places - joints, axis=-1) <= NEAR * height
    hits, there = (tf.reduce_sum(tf.cast(which, tf.float32), axis=1) for which in (near & visible, visible))
    return tf.math.divide_no_nan(hits, there)


class PoseDetectorTrainer(Trainer):
    """Trains `pose_detector` on the condition images of pairs, by the mean squared distance of the maps.

    Args:
        networks: Dictionary of `pose_detector`.
        data_options: `DataOptions`.
    """

    means = ("map_distance",)

    def __init__(self, networks: Mapping[str, keras.Model], data_options: DataOptions) -> None:
        super().__init__(networks)
        self.data_options = data_options

    def losses(self, batch: Batch) -> Losses:
        real = pose_of(batch, "condition", self.data_options)
        with tf.GradientTape() as tape:
            found = self.networks["pose_detector"]({"image": batch["condition_image"]}, training=True)["pose"]
            loss = tf.reduce_mean(tf.square(found - real))
        return Losses({"pose_detector": (loss, tape)}, {"map_distance": loss})
