"""Sharpening of synthesized images: unsharp masking that leaves grain alone, most of it where garments are."""

import tensorflow as tf

from tfwarpgan.body.labels import LABELS
from tfwarpgan.typing import Image, OneHot

GRAIN = 0.06  # of range 2: a detail of this strength is sharpened half as much as a strong one
GARMENTS = ("upper-clothes", "dress", "coat", "pants", "jumpsuits", "skirt")
ELSEWHERE = 2 / 3  # of the share: outlines and faces show it sooner than prints do


def sharpen(images: Image, parsing: OneHot, share: float) -> Image:
    """Adds to each pixel a share of what sets it apart from the mean of the 3x3 pixels around it.

    Where that is weak it is grain as likely as not, and less is added: s / (s + `GRAIN`^2) of the share, with s the
    mean square over the channels.

    Args:
        images: float32 [B, H, W, 3] in [-1, 1].
        parsing: Theirs, one-hot [B, H, W, 20].
        share: At least 0; of garments, elsewhere `ELSEWHERE` of it.

    Returns:
        Like `images`, in [-1, 1].
    """
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    detail = images - tf.nn.avg_pool2d(padded, 3, 1, "VALID")
    strength = tf.reduce_mean(detail**2, axis=-1, keepdims=True)
    shares = tf.constant([share if name in GARMENTS else share * ELSEWHERE for name in LABELS], tf.float32)
    where = tf.reduce_sum(parsing * shares, axis=-1, keepdims=True)
    return tf.clip_by_value(images + where * strength / (strength + GRAIN**2) * detail, -1.0, 1.0)
