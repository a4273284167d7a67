"""The divergence of a variational network's codes from what its prior expects, and how its weight rises.

Esser et al., "A Variational U-Net for Conditional Appearance and Shape Generation", CVPR 2018; Kingma and Welling,
"Auto-Encoding Variational Bayes", ICLR 2014.
"""

from collections.abc import Sequence

import tensorflow as tf

from tfwarpgan.typing import Features, Scalar, Tensor

LEAST_WEIGHT = 1e-6


def unit_divergence(means: Sequence[Features], priors: Sequence[Features]) -> Scalar:
    """The Kullback-Leibler divergence of normal distributions of deviation 1: half of the squared distance.

    Args:
        means: List of [B, h, w, C], of the codes.
        priors: Likewise, of what was expected.

    Returns:
        The sum over codes, positions and channels, a mean over the batch, in float32.
    """
    squares = (
        tf.reduce_sum(tf.square(tf.cast(mean, tf.float32) - tf.cast(prior, tf.float32)), axis=[1, 2, 3])
        for mean, prior in zip(means, priors, strict=True)
    )
    return 0.5 * tf.reduce_mean(tf.add_n(list(squares)))


def divergence_weight(step: Tensor, steps: int) -> Scalar:
    """How much the divergence counts at a step: nothing to speak of in the first half of a stage of `steps` steps.

    It rises in a straight line from 0.000001 to 1 from the half of the stage to three quarters of it.
    """
    share = tf.cast(step, tf.float32) / max(steps, 1)
    return tf.clip_by_value(LEAST_WEIGHT + (1.0 - LEAST_WEIGHT) * (share - 0.5) / 0.25, LEAST_WEIGHT, 1.0)
