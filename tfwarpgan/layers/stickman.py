"""A pose as a drawing of three channels, made in the graph from joints: right limbs, left limbs, trunk.

After Esser et al., "A Variational U-Net for Conditional Appearance and Shape Generation", CVPR 2018 (AUNET), whose
lines OpenCV draws; these differ from them at some pixels of their rims.
"""

import tensorflow as tf

from tfwarpgan.typing import Image, Tensor

# Ankle, knee, hip, shoulder, elbow, wrist.
RIGHT, LEFT = (10, 9, 8, 2, 3, 4), (13, 12, 11, 5, 6, 7)
QUAD = (11, 5, 2, 8)  # left hip, left shoulder, right shoulder, right hip
NOSE, EYES = 0, (14, 15)
NECK_LEVEL = 127.0


def reach_of(thickness: int) -> float:
    """The distance from a line up to which OpenCV's pixels of that thickness lie, nearly."""
    return 0.5 if thickness <= 1 else thickness / 2 + (0.75 if thickness % 2 else 0.5)


def stickman(joints: Tensor, visible: Tensor, height: int, width: int) -> Image:
    """Draws a pose.

    Channel 0 has the lines of the right arm, flank and leg, channel 1 those of the left, channel 2 the filled quad of
    hips and shoulders, if all four are there. From the middle of the shoulders to the nose goes a line of half
    brightness in 0 and 1, and from the nose, if both eyes are there, one to the right eye in 0 and to the left in 1.
    Joints are cut to whole pixels; lines are 3 pixels thick in an image of 128 rows.

    Args:
        joints: float [B, 18, 2], (y, x) in pixels.
        visible: bool [B, 18].
        height: Of the drawing, pixels.
        width: Of the drawing, pixels.

    Returns:
        float32 [B, H, W, 3] in [-1, 1].
    """
    points, reach = tf.floor(tf.cast(joints, tf.float32)), reach_of(3 * height // 128)
    rows, columns = tf.meshgrid(tf.range(height, dtype=tf.float32), tf.range(width, dtype=tf.float32), indexing="ij")
    pixels = tf.stack([rows, columns], axis=-1)
    shoulders = visible[:, 2] & visible[:, 5] & visible[:, NOSE]
    neck = tf.floor((points[:, 2] + points[:, 5]) / 2)
    neck_line = _near(pixels, neck, points[:, NOSE], reach) & shoulders[:, None, None]
    eyes = visible[:, NOSE] & visible[:, EYES[0]] & visible[:, EYES[1]]
    channels = []
    for chain, eye in zip((RIGHT, LEFT), EYES):
        drawn = tf.zeros_like(neck_line)
        for first, second in zip(chain, chain[1:]):
            there = (visible[:, first] & visible[:, second])[:, None, None]
            drawn |= _near(pixels, points[:, first], points[:, second], reach) & there
        level = tf.where(neck_line, NECK_LEVEL, 255.0 * tf.cast(drawn, tf.float32))
        to_eye = _near(pixels, points[:, NOSE], points[:, eye], reach) & eyes[:, None, None]
        channels.append(tf.where(to_eye, 255.0, level))
    whole = tf.reduce_all(tf.gather(visible, QUAD, axis=1), axis=1)
    filled = _filled(pixels, tf.gather(points, QUAD, axis=1)) & whole[:, None, None]
    return tf.stack([*channels, 255.0 * tf.cast(filled, tf.float32)], axis=-1) / 127.5 - 1.0


def _near(pixels: Tensor, first: Tensor, second: Tensor, reach: float) -> Tensor:
    """Which pixels [H, W, 2] lie within `reach` of the line from `first` to `second` [B, 2]: bool [B, H, W]."""
    line, offset = (second - first)[:, None, None], pixels - first[:, None, None]
    share = tf.math.divide_no_nan(tf.reduce_sum(offset * line, -1), tf.reduce_sum(line * line, -1))
    nearest = tf.clip_by_value(share, 0.0, 1.0)[..., tf.newaxis] * line
    return tf.reduce_sum((offset - nearest) ** 2, axis=-1) <= reach**2


def _filled(pixels: Tensor, corners: Tensor) -> Tensor:
    """Which pixels [H, W, 2] lie inside of polygons [B, n, 2] or within half a pixel of an edge: bool [B, H, W]."""
    inside = rim = tf.zeros([1, *pixels.shape[:2]], tf.bool)
    for second in range(corners.shape[1]):
        (y1, x1), (y2, x2) = (
            tf.unstack(corners[:, corner, :, None, None], axis=1) for corner in (second - 1, second)
        )  # fmt: skip
        crosses = (y1 > pixels[..., 0]) != (y2 > pixels[..., 0])
        there = x1 + tf.math.divide_no_nan((pixels[..., 0] - y1) * (x2 - x1), y2 - y1)
        inside ^= crosses & (pixels[..., 1] < there)
        rim |= _near(pixels, corners[:, second - 1], corners[:, second], 0.5)
    return inside | rim
