"""Label maps in the graph: one-hot, and mirrored with left and right exchanged."""

import tensorflow as tf

from tfwarpgan.body.labels import LABELS, NUM_LABELS
from tfwarpgan.typing import Labels, OneHot


def one_hot(labels: Labels, dtype: str | tf.DType = "float32") -> OneHot:
    """One channel per label.

    Args:
        labels: Integer [B, H, W], 0..19.
        dtype: Of the result.

    Returns:
        [B, H, W, 20], 1 in the label's channel, else 0.
    """
    return tf.one_hot(tf.cast(labels, tf.int32), NUM_LABELS, dtype=dtype)


def flip(labels: Labels) -> Labels:
    """Mirrors label maps [B, H, W] and exchanges the labels of left and right."""
    mirrored = tf.reverse(labels, [-1])
    # FLIP_PERMUTATION, five times as fast as looked up: left and right are neighbors from the left arm on.
    return tf.bitwise.bitwise_xor(mirrored, tf.cast(mirrored >= LABELS.index("left-arm"), labels.dtype))
