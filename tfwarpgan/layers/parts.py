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
PERSON = tuple(range(1, 20))
LARGEST_SCALE = 2.5  # of a part, from one parsing to the other
LEAST_SHARE = 0.001  # of all pixels, for a part to have a place of its own


def part_weights(parsing: OneHot, parts: int) -> Tensor:
    """How much each part has to say at each position: its region, soft at the seams over a few pixels.

    Args:
        parsing: One-hot [B, H, W, 20].
        parts: Number of parts, one of `PARTS`.

    Returns:
        float32 [B, H, W, parts], not below 0, of sum 1.
    """
    regions = _regions(parsing, PARTS[parts])
    size = (
        2 * max(1, round(parsing.shape[1] / 128)) + 1
    )  # a forearm is hardly wider: it would be warped as its neighbors
    for _ in range(2):  # two boxes are nearly a Gaussian
        regions = tf.nn.avg_pool2d(regions, size, 1, "SAME")
    return regions / tf.reduce_sum(regions, axis=-1, keepdims=True)


def part_alignment(condition: OneHot, target: OneHot, parts: int) -> Tensor:
    """The scaling and shift that lays each part's region of one parsing over that of another, without any learning.

    Regions have the same mean and the same standard deviations along x and y. The background, and a part that one of
    the two hardly shows, move with the whole person.

    Args:
        condition: One-hot [B, H, W, 20].
        target: Likewise.
        parts: Number of parts, above 1.

    Returns:
        Affine parameters [B, parts, 6] of backward maps, target to condition; see `transforms.affine_grid`.
    """
    height, width = condition.shape[1:3]
    (there, mean_there, deviation_there), (here, mean_here, deviation_here) = (
        _moments(_regions(parsing, (*PARTS[parts], PERSON))) for parsing in (condition, target)
    )
    scale = tf.clip_by_value(deviation_there / deviation_here, 1.0 / LARGEST_SCALE, LARGEST_SCALE)
    shift = mean_there - scale * mean_here
    own = tf.minimum(there, here) >= LEAST_SHARE * height * width
    own &= tf.range(parts + 1) > 0  # of the background, only the person's place matters
    scale, shift = (tf.where(own[..., tf.newaxis], values, values[:, -1:])[:, :parts] for values in (scale, shift))
    zero = tf.zeros_like(scale[..., 0])
    return tf.stack([scale[..., 0], zero, shift[..., 0], zero, scale[..., 1], shift[..., 1]], axis=-1)


def _regions(parsing: OneHot, parts: tuple[tuple[int, ...], ...]) -> Tensor:
    """The sum of each part's labels, float32 [B, H, W, parts]: half types cannot count a picture's pixels."""
    matrix = np.zeros([20, len(parts)], np.float32)
    for part, labels in enumerate(parts):
        matrix[list(labels), part] = 1.0
    return tf.einsum("bhwl,lp->bhwp", tf.cast(parsing, tf.float32), tf.constant(matrix))


def _moments(regions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The area [B, P] in pixels of regions [B, H, W, P]; their mean and standard deviation (x, y) [B, P, 2]."""
    _, height, width, _ = regions.shape
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    places = tf.constant(np.stack([x, y], axis=-1), regions.dtype)
    area = tf.reduce_sum(regions, axis=[1, 2])
    weights = regions / (area[:, tf.newaxis, tf.newaxis] + 1e-6)
    mean = tf.einsum("bhwp,hwc->bpc", weights, places)
    square = tf.einsum("bhwp,hwc->bpc", weights, places**2)
    return area, mean, tf.sqrt(tf.maximum(square - mean**2, (1.0 / height) ** 2))


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
