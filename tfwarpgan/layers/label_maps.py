"""Label maps in the graph: one-hot, and mirrored with left and right exchanged."""

from collections.abc import Sequence

import tensorflow as tf

from tfwarpgan.body.labels import LABELS, NUM_LABELS
from tfwarpgan.typing import Labels, OneHot, Tensor


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


def binomial_filter(scores: Tensor) -> Tensor:
    """Scores [B, H, W, C], smoothed by the 3x3 binomial kernel (1 2 1)/4 by rows and columns; the border is repeated.

    An argmax of unfiltered scores holds isolated pixels, in step with the phases of a decoder's upsampling.
    """
    padded = tf.pad(scores, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    rows = (padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]) / 4.0
    return (rows[:, :, :-2] + 2.0 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4.0


def mirror(maps: Tensor, permutation: Sequence[int] | None = None) -> Tensor:
    """Maps [B, H, W, C] mirrored from left to right, their channels exchanged by `permutation`.

    Args:
        maps: Such as one-hot parsings, scores of labels or pose maps.
        permutation: Of the channels, such as `FLIP_PERMUTATION` of labels or joints; None: as they are.
    """
    mirrored = tf.reverse(maps, [2])
    return mirrored if permutation is None else tf.gather(mirrored, permutation, axis=-1)
