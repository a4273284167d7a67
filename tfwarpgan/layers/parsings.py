"""Parsings in the graph: scores of the 20 LIP labels, [B, H, W, 20]."""

import tensorflow as tf


def binomial_filter(scores):
    """Scores [B, H, W, C], smoothed by the 3x3 binomial kernel (1 2 1)/4 by rows and columns; the border is repeated.

    An argmax of unfiltered scores holds isolated pixels, in step with the phases of a decoder's upsampling.
    """
    padded = tf.pad(scores, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    rows = (padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]) / 4.0
    return (rows[:, :, :-2] + 2.0 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4.0


def mirror(maps, permutation=None):
    """Maps [B, H, W, C] mirrored from left to right, their channels exchanged by `permutation`.

    Args:
        maps: Such as one-hot parsings, scores of labels or pose maps.
        permutation: Of the channels, such as `FLIP_PERMUTATION` of labels or joints; None: as they are.
    """
    mirrored = tf.reverse(maps, [2])
    return mirrored if permutation is None else tf.gather(mirrored, permutation, axis=-1)
