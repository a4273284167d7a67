"""Colors along their principal axes, so that hue reaches a network as strongly as lightness."""

import tensorflow as tf

from tfwarpgan.typing import Image, Tensor

# Ohta, Kanade and Sakai (1980): over many photographs the principal axes of color are nearly lightness, red against
# blue, and green against purple. Each row is of length 1 in RGB.
AXES = ((3**-0.5, 3**-0.5, 3**-0.5), (2**-0.5, 0.0, -(2**-0.5)), (-(6**-0.5), 2 * 6**-0.5, -(6**-0.5)))
# One over the standard deviation of clothes' colors along each axis: measured on the rendered people, range [-1, 1].
GAINS = (2.0, 3.0, 6.0)


def decorrelate_colors(images: Image) -> Tensor:
    """Images in RGB as lightness, red against blue, and green against purple, each of about unit variance.

    From green to purple the variance of clothes is ten to a hundred times less than from dark to light. A generator
    that sees RGB learns to keep lightness first, then red and blue, and green only after several times as many steps.

    Args:
        images: Float [B, H, W, 3], RGB in [-1, 1].

    Returns:
        Like `images`.
    """
    matrix = [[gain * axis[channel] for axis, gain in zip(AXES, GAINS)] for channel in range(3)]
    return tf.einsum("bhwc,cd->bhwd", images, tf.constant(matrix, images.dtype))
