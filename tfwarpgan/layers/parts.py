"""Parts of a person that move on their own: regions of a parsing (Dong et al. 2018, section 3.1.2, "on a part-level").

One affine map and spline cannot move an arm across a body. A limb, though, is long: its place and its main axis, in
the condition's parsing and in the target's, already say how it moved. So limbs and head are laid over each other in
closed form, and what is left, the person as a whole, is the matcher's to learn.
"""

import numpy as np
import tensorflow as tf

from tfwarpgan.body import labels
from tfwarpgan.typing import Affine, OneHot, Tensor

# LIP's labels of each part, by the number of parts; the first moves with the person.
PARTS = {
    1: (tuple(range(20)),),
    # garments and background; head; left arm; right arm; left leg and shoe; right leg and shoe
    6: ((0, 3, 5, 6, 7, 8, 9, 10, 11, 12), labels.HEAD, (14,), (15,), (16, 18), (17, 19)),
}
HEAD = 1  # has no main axis: it stays upright
LARGEST_SCALE = 2.5  # of a part, from one parsing to the other
LEAST_PIXELS = 6  # of a part in each parsing, in a picture of 128 x 64, for it to move on its own


def part_weights(parsing: OneHot, parts: int) -> Tensor:
    """How much each part has to say at each position: its region, soft at the seams over a few pixels.

    Args:
        parsing: One-hot [B, H, W, 20].
        parts: Number of parts, one of `PARTS`.

    Returns:
        float32 [B, H, W, parts], not below 0, of sum 1.
    """
    regions = _regions(parsing, PARTS[parts])
    size = 2 * max(1, round(parsing.shape[1] / 128)) + 1  # a forearm is hardly wider than two seams
    for _ in range(2):  # two boxes are nearly a Gaussian
        regions = tf.nn.avg_pool2d(regions, size, 1, "SAME")
    return regions / tf.reduce_sum(regions, axis=-1, keepdims=True)


def part_alignment(condition: OneHot, target: OneHot, parts: int) -> tuple[Affine, Tensor]:
    """The affine maps that lay each part of one parsing over that of another, from their moments alone.

    Means meet means, main axes main axes, and standard deviations along and across them each other. An axis points
    down, so that a limb turns by less than a right angle from hanging.

    Args:
        condition: One-hot [B, H, W, 20].
        target: Likewise.
        parts: Number of parts, above 1.

    Returns:
        Backward maps, target to condition, of the parts behind the first: float32 [B, parts - 1, 6], see
        `transforms.affine_grid`; and bool [B, parts - 1], whether both parsings show the part.
    """
    height, width = condition.shape[1:3]
    (area_there, mean_there, axes_there, extent_there), (area_here, mean_here, axes_here, extent_here) = (
        _moments(_regions(parsing, PARTS[parts][1:])) for parsing in (condition, target)
    )
    scale = tf.clip_by_value(extent_there / extent_here, 1.0 / LARGEST_SCALE, LARGEST_SCALE)
    matrix = tf.einsum("bpij,bpj,bpkj->bpik", axes_there, scale, axes_here)
    shift = mean_there - tf.einsum("bpij,bpj->bpi", matrix, mean_here)

    # Of normalized coordinates; moments are taken in those of the height.
    aspect = (width - 1) / (height - 1)
    theta = [
        matrix[..., 0, 0], matrix[..., 0, 1] / aspect, shift[..., 0] / aspect,
        matrix[..., 1, 0] * aspect, matrix[..., 1, 1], shift[..., 1],
    ]  # fmt: skip
    least = LEAST_PIXELS * height * width / (128 * 64)
    return tf.stack(theta, axis=-1), tf.minimum(area_there, area_here) > least


def _regions(parsing: OneHot, parts: tuple[tuple[int, ...], ...]) -> Tensor:
    """The sum of each part's labels, float32 [B, H, W, parts]: half types cannot count a picture's pixels."""
    matrix = np.zeros([20, len(parts)], np.float32)
    for part, members in enumerate(parts):
        matrix[list(members), part] = 1.0
    return tf.einsum("bhwl,lp->bhwp", tf.cast(parsing, tf.float32), tf.constant(matrix))


def _moments(regions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What regions [B, H, W, P] look like, in units of half the height less half a pixel.

    Returns:
        Area [B, P] in pixels, mean (x, y) [B, P, 2], axes [B, P, 2, 2] with the minor one and then the main one as
        columns, and the standard deviations along them [B, P, 2].
    """
    _, height, width, _ = regions.shape
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    x, y = x * 2 / (height - 1), y * 2 / (height - 1)
    powers = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    flat = tf.reshape(regions, [-1, height * width, regions.shape[-1]])
    sums = tf.matmul(flat, tf.constant(powers[np.newaxis], tf.float32), transpose_a=True)  # [B, P, 6]
    area = sums[..., 0]
    mean_x, mean_y, xx, xy, yy = tf.unstack(sums[..., 1:] / (area[..., tf.newaxis] + 1e-6), axis=-1)
    xx, xy, yy = xx - mean_x**2, xy - mean_x * mean_y, yy - mean_y**2

    upright = tf.constant([part == HEAD - 1 for part in range(regions.shape[-1])])
    angle = tf.where(upright, 0.0, 0.5 * tf.atan2(2.0 * xy, yy - xx))  # of the main axis, from the vertical
    sine, cosine = tf.sin(angle), tf.cos(angle)
    axes = tf.stack([tf.stack([cosine, sine], axis=-1), tf.stack([-sine, cosine], axis=-1)], axis=-2)
    minor = cosine**2 * xx - 2.0 * sine * cosine * xy + sine**2 * yy
    main = sine**2 * xx + 2.0 * sine * cosine * xy + cosine**2 * yy
    variances = tf.maximum(tf.stack([minor, main], axis=-1), (1.0 / height) ** 2)
    return area, tf.stack([mean_x, mean_y], axis=-1), axes, tf.sqrt(variances)
