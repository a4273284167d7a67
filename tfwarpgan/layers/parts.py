"""Parts of a person: regions of a parsing that move with a warp of their own (Dong et al. 2018, section 3.1.2)."""

import numpy as np
import tensorflow as tf

from tfwarpgan.typing import OneHot, Tensor

# LIP's labels of each part; a part's number is its place. The first takes the background along.
PARTS = {
    1: (tuple(range(20)),),
    # background; head; upper body with its arms; lower body with its legs
    4: ((0,), (1, 2, 4, 13), (3, 5, 6, 7, 10, 11, 14, 15), (8, 9, 12, 16, 17, 18, 19)),
    # background; head; upper body; left arm; right arm; lower body; left leg; right leg
    8: ((0,), (1, 2, 4, 13), (3, 5, 6, 7, 10, 11), (14,), (15,), (8, 9, 12), (16, 18), (17, 19)),
}


def part_weights(parsing: OneHot, parts: int, softness: int = 8) -> Tensor:
    """How much each part has to say at each position: its region, soft at the seams.

    Args:
        parsing: One-hot [B, H, W, 20].
        parts: Number of parts, one of `PARTS`.
        softness: Seams are blended over about this many pixels a 128 of the height.

    Returns:
        [B, H, W, parts], not below 0, of sum 1.
    """
    matrix = np.zeros([20, parts], np.float32)
    for part, labels in enumerate(PARTS[parts]):
        matrix[list(labels), part] = 1.0
    regions = tf.einsum("bhwl,lp->bhwp", parsing, tf.constant(matrix, parsing.dtype))
    size = max(1, round(parsing.shape[1] * softness / 128)) // 2 * 2 + 1
    for _ in range(2):  # two boxes are nearly a Gaussian
        regions = tf.nn.avg_pool2d(regions, size, 1, "SAME")
    return regions / tf.reduce_sum(regions, axis=-1, keepdims=True)
