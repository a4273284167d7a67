"""Whether a part of the person keeps its color: the synthesized mean color as a line over the target's.

Over all pairs that show the part, the slope of its synthesized mean against its true one, along the principal axes of
color: 0 where the person makes no difference, 1 where the color is kept. SSIM hardly sees color, and L1 is mostly pose
and background.
"""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.layers.colors import AXES
from tfwarpgan.typing import Image, Labels, Tensor

PARTS = {"hair": (2,), "face": (13,), "upper": (5, 6, 7, 10), "lower": (9, 12)}  # by LIP's labels
AXIS_NAMES = ("lightness", "red_blue", "green_purple")
LEAST_SHARE = 0.001  # of the image's pixels that a part must cover to have a color
PROTOCOL = (
    "slope of the synthesized over the true mean {axis} of the part (labels {labels} of the target) over all pairs "
    "that show it; 1 is kept, 0 is the same for everybody"
)


def part_means(images: Image, parsing: Labels) -> Tensor:
    """The mean color of each part along each axis.

    Args:
        images: float [B, H, W, 3], RGB in [-1, 1].
        parsing: The target's labels, integer [B, H, W].

    Returns:
        float32 [B, 4, 3], parts by axes; NaN where a part is not to be seen.
    """
    labels = tf.cast(parsing, tf.int32)[..., tf.newaxis]
    masks = tf.stack([tf.reduce_any(labels == tf.constant(part), axis=-1) for part in PARTS.values()], axis=-1)
    masks = tf.cast(masks, tf.float32)
    counts = tf.reduce_sum(masks, axis=[1, 2])[..., tf.newaxis]
    projected = tf.einsum("bhwc,ac->bhwa", tf.cast(images, tf.float32), tf.constant(AXES, tf.float32))
    means = tf.einsum("bhwa,bhwp->bpa", projected, masks) / counts
    least = LEAST_SHARE * tf.cast(tf.size(parsing[0]), tf.float32)
    return tf.where(counts >= least, means, float("nan"))


def slopes(target: npt.ArrayLike, generated: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Least-squares slopes of `part_means` [pairs, 4, 3] of all pairs: float64 [4, 3]; NaN where nothing varies."""
    target, generated = np.asarray(target, np.float64), np.asarray(generated, np.float64)
    seen = np.isfinite(target)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = target - np.nansum(target, axis=0) / seen.sum(axis=0)
        spread = np.nansum(x * x, axis=0)
        return np.where(spread > 0, np.nansum(x * generated, axis=0) / spread, np.nan)
