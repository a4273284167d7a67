"""The seven regions of a body as boxes, found in the graph from joints.

After Ma et al., "Disentangled Person Image Generation", CVPR 2018 (BodyROI7): its two data sets' rules, that for whole
persons in upright images and that for parts of persons in square ones, whose lengths follow the height here.
"""

import tensorflow as tf

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.typing import Tensor

REGIONS = {
    "head": (0, 1, 2, 5, 14, 15, 16, 17),
    "upper body": (2, 3, 4, 5, 6, 7, 8, 11),
    "lower body": (8, 9, 10, 11, 12, 13),
    "left arm": (5, 6, 7),
    "right arm": (2, 3, 4),
    "left leg": (11, 12, 13),
    "right leg": (8, 9, 10),
}
LEGS = ((9, 10), (12, 13))  # knees and ankles
FAR = 1e6


def region_boxes(joints: Tensor, visible: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The tightest boxes of the joints of `REGIONS` that are seen, grown and cut to the image.

    In an image of 128 rows they grow by 6 pixels, by 10 round a single joint. In a square one of 256 rows by 10 (20)
    if both legs show a knee or an ankle, else by 20 (40), after the nose was moved up by 10 (else 25).

    Args:
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].
        height: Of the image, pixels.
        width: Of the image, pixels.

    Returns:
        (float32 [B, 7, 4] of (y1, x1, y2, x2) in pixels, bool [B, 7] of whether a joint is seen); a region without one
        has the box (0, 0, 1, 1).
    """
    joints = tf.cast(joints, tf.float32)
    growth, growth_of_one = tf.constant([6.0 * height / 128]), tf.constant([10.0 * height / 128])
    if height == width:
        whole = tf.reduce_all([tf.reduce_any(tf.gather(visible, leg, axis=1), axis=1) for leg in LEGS], axis=0)
        unit = height / 256
        growth = tf.where(whole, 10.0 * unit, 20.0 * unit)
        growth_of_one = 2.0 * growth
        up = tf.where(whole, 10.0 * unit, 25.0 * unit)
        joints -= tf.one_hot([0], NUM_JOINTS, axis=1)[..., tf.newaxis] * tf.stack([up, tf.zeros_like(up)], 1)[:, None]
    boxes, seen = [], []
    for members in REGIONS.values():
        points, there = tf.gather(joints, members, axis=1), tf.gather(visible, members, axis=1)
        count = tf.reduce_sum(tf.cast(there, tf.int32), axis=1)
        margin = tf.where(count == 1, growth_of_one, growth)[:, tf.newaxis]
        least = tf.reduce_min(tf.where(there[..., tf.newaxis], points, FAR), axis=1) - margin
        most = tf.reduce_max(tf.where(there[..., tf.newaxis], points, -FAR), axis=1) + margin
        last = tf.constant([height - 1.0, width - 1.0])
        box = tf.concat([tf.clip_by_value(side, 0.0, last) for side in (least, most)], axis=1)
        boxes.append(tf.where(count[:, tf.newaxis] > 0, box, tf.constant([0.0, 0.0, 1.0, 1.0])))
        seen.append(count > 0)
    return tf.stack(boxes, axis=1), tf.stack(seen, axis=1)
