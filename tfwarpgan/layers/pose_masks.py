"""Where the person is, roughly, drawn in the graph from joints: discs along the limbs, closed to one shape.

After Ma et al., "Pose Guided Person Image Generation", NeurIPS 2017 (PG2), whose loss weighs these pixels more.
"""

import math

import tensorflow as tf

from tfwarpgan.body.joints import LIMBS
from tfwarpgan.typing import Tensor

# OpenPose's, and what closes the head, the hips and the trunk.
MASK_LIMBS = (*LIMBS, (1, 16), (1, 17), (8, 11), (11, 5), (8, 2), (16, 17))
CLOSING = 5  # side of the square that fills the gaps


def pose_mask(joints: Tensor, visible: Tensor, height: int, width: int, radius: float = 4.0) -> Tensor:
    """1 on the person, 0 elsewhere.

    A limb whose two joints are there has discs at both and, n = floor(its length / radius), at the fractions i / n
    between them; their centers are cut to whole pixels. A joint without a limb draws nothing. The discs are closed: a
    dilation by a square of 5 x 5, then an erosion.

    Args:
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].
        height: Height of the mask, pixels.
        width: Width of the mask, pixels.
        radius: Of the discs, pixels.

    Returns:
        float32 [B, H, W] of 0 and 1.
    """
    first, second = (tf.cast(tf.gather(joints, ends, axis=1), tf.float32) for ends in zip(*MASK_LIMBS))
    drawn = tf.logical_and(*(tf.gather(visible, ends, axis=1) for ends in zip(*MASK_LIMBS)))
    count = tf.floor(tf.norm(second - first, axis=-1, keepdims=True) / radius)  # [B, limbs, 1]
    # Joints may lie somewhat outside of the image.
    steps = tf.range(1 + math.ceil(2 * math.hypot(height, width) / radius), dtype=tf.float32)
    fractions = tf.minimum(steps / tf.maximum(count, 1.0), 1.0)[..., tf.newaxis]
    centers = tf.floor(first[:, :, tf.newaxis] + fractions * (second - first)[:, :, tf.newaxis])
    return _closed(_discs(centers, drawn, height, width, radius))


def _discs(centers: Tensor, drawn: Tensor, height: int, width: int, radius: float) -> Tensor:
    """Discs of limbs: whole centers [B, limbs, n, 2] and which limbs are drawn [B, limbs] -> [B, H, W, 1]."""
    reach = int(radius)
    rows, columns = height + 2 * reach, width + 2 * reach  # a disc beyond the edge may reach into the image
    places = tf.cast(centers, tf.int32) + reach
    inside = tf.reduce_all((places >= 0) & (places < [rows, columns]), axis=-1) & drawn[..., tf.newaxis]
    flat = tf.where(inside, places[..., 0] * columns + places[..., 1], rows * columns)  # the last place is cut off
    flat = tf.reshape(flat, [tf.shape(flat)[0], -1])
    dots = tf.scatter_nd(
        tf.stack([tf.broadcast_to(tf.range(tf.shape(flat)[0])[:, tf.newaxis], tf.shape(flat)), flat], axis=-1),
        tf.ones_like(flat, tf.float32),
        [tf.shape(flat)[0], rows * columns + 1],
    )
    dots = tf.reshape(dots[:, :-1], [-1, rows, columns, 1])
    line = tf.range(-reach, reach + 1, dtype=tf.float32)
    disc = tf.cast(line[:, tf.newaxis] ** 2 + line**2 <= radius**2, tf.float32)
    return tf.cast(tf.nn.conv2d(dots, disc[..., tf.newaxis, tf.newaxis], 1, "VALID") > 0.5, tf.float32)


def _closed(mask: Tensor) -> Tensor:
    dilated = tf.nn.max_pool2d(mask, CLOSING, 1, "SAME")
    return -tf.nn.max_pool2d(-dilated, CLOSING, 1, "SAME")[..., 0]
