"""Means over the person alone: two thirds of an image are a background that nothing predicts."""

import tensorflow as tf

from tfwarpgan.typing import Labels, Tensor


def person_of(parsing: Labels) -> Tensor:
    """Where a target's parsing, integer [B, H, W], shows the person: bool; neither background nor ignored (255)."""
    labels = tf.cast(parsing, tf.int32)
    return (labels > 0) & (labels < 20)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of a map over the pixels of a mask.

    Args:
        values: Floating [B, H, W, C].
        mask: bool [B, H, W].

    Returns:
        [B], of the values' dtype; NaN where the mask is empty.
    """
    mask = tf.cast(mask, values.dtype)[..., tf.newaxis]
    channels = tf.cast(tf.shape(values)[-1], values.dtype)
    return tf.reduce_sum(mask * values, axis=[1, 2, 3]) / (channels * tf.reduce_sum(mask, axis=[1, 2, 3]))
