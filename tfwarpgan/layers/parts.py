"""Parts of a person: regions of a parsing that move with a warp of their own (Dong et al. 2018, section 3.1.2)."""

import numpy as np
import tensorflow as tf

from tfwarpgan.layers.sampling import sample
from tfwarpgan.typing import OneHot, Tensor

# LIP's labels of each part; a part's number is its place. The first takes the background along.
PARTS = {
    1: (tuple(range(20)),),
    # background; head; upper body with its arms; lower body with its legs
    4: ((0,), (1, 2, 4, 13), (3, 5, 6, 7, 10, 11, 14, 15), (8, 9, 12, 16, 17, 18, 19)),
    # background; head; upper body; left arm; right arm; lower body; left leg; right leg
    8: ((0,), (1, 2, 4, 13), (3, 5, 6, 7, 10, 11), (14,), (15,), (8, 9, 12), (16, 18), (17, 19)),
}


def part_weights(parsing: OneHot, parts: int) -> Tensor:
    """How much each part has to say at each position: its region, soft at the seams over a few pixels.

    Args:
        parsing: One-hot [B, H, W, 20].
        parts: Number of parts, one of `PARTS`.

    Returns:
        [B, H, W, parts], not below 0, of sum 1.
    """
    matrix = np.zeros([20, parts], np.float32)
    for part, labels in enumerate(PARTS[parts]):
        matrix[list(labels), part] = 1.0
    regions = tf.einsum("bhwl,lp->bhwp", parsing, tf.constant(matrix, parsing.dtype))
    size = (
        2 * max(1, round(parsing.shape[1] / 128)) + 1
    )  # a forearm is hardly wider: it would be warped as its neighbors
    for _ in range(2):  # two boxes are nearly a Gaussian
        regions = tf.nn.avg_pool2d(regions, size, 1, "SAME")
    return regions / tf.reduce_sum(regions, axis=-1, keepdims=True)


def sample_by_part(parsing: OneHot, part_grids: Tensor) -> OneHot:
    """A parsing, each label sampled by the grid of its part everywhere.

    Sampled by the blended grid, a label can be found wherever the target has it, however wrong the scale of its part's
    warp: that grid is used nowhere else. Here a label that spreads over the place of others is seen.

    Args:
        parsing: One-hot [B, H, W, 20].
        part_grids: [B, K, h, w, 2], see `GeometricMatcher`.

    Returns:
        [B, h, w, 20].
    """
    parts = PARTS[part_grids.shape[1]]
    sampled = [sample(tf.gather(parsing, labels, axis=-1), part_grids[:, part]) for part, labels in enumerate(parts)]
    order = np.argsort([label for labels in parts for label in labels])
    return tf.gather(tf.concat(sampled, axis=-1), order, axis=-1)
