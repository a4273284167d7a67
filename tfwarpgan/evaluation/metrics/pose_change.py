"""How far a pair's pose changes: the mean distance of the joints that both images show, in heights of the image."""

import tensorflow as tf

from tfwarpgan.typing import Batch, Tensor

THIRDS = ("Easy", "Middle", "Hard")


def pose_change(batch: Batch, height: int) -> Tensor:
    """The size of the pose change of each pair.

    Args:
        batch: Dictionary of `condition_keypoints` and `target_keypoints` float32 [B, 18, 2] as (y, x) in pixels, and
            `condition_visible` and `target_visible` bool [B, 18].
        height: Of the images, in pixels.

    Returns:
        float32 [B]; NaN for a pair whose images share no joint.
    """
    both = tf.cast(batch["condition_visible"] & batch["target_visible"], tf.float32)
    distances = tf.norm(batch["condition_keypoints"] - batch["target_keypoints"], axis=-1)
    return tf.reduce_sum(both * distances, axis=-1) / tf.reduce_sum(both, axis=-1) / float(height)
