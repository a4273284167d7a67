"""Color transfer from the condition image: each part of the person gets back the mean color that it has there.

After Reinhard et al., "Color Transfer between Images" (2001), part by part as the parsings name them, and of the means
alone. A generator regresses to the mean: of what it is not sure of, it paints every person a little alike.
"""

import numpy as np
import tensorflow as tf

from tfwarpgan.body.labels import LABELS, NUM_LABELS
from tfwarpgan.layers.label_maps import binomial_filter
from tfwarpgan.typing import Image, OneHot, Tensor

# Labels of one color: garments that a parser mistakes for each other, skin (from behind there is no face), and pairs.
PARTS = (
    ("hat",), ("hair",), ("face", "left-arm", "right-arm", "left-leg", "right-leg"), ("scarf",),
    ("upper-clothes", "dress", "coat", "jumpsuits"), ("pants", "skirt"), ("socks",), ("left-shoe", "right-shoe"),
)  # fmt: skip
FEW = 0.003  # share of the image's pixels of which a part is moved half of the way: most of so few lie at seams


def transfer_colors(images: Image, parsing: OneHot, condition_images: Image, condition_parsing: OneHot) -> Image:
    """Moves the mean color of each part towards that of the condition image.

    The share of the way is n / (n + `FEW`) / (1 + v), with n the part's share of the pixels and v the variance of its
    colors, at most 1: the smaller n and the larger v of the two images, as the mean of a print depends on how much
    of it is seen. Colors within a part keep their differences, and between parts the moves blend over a pixel or two.
    The background keeps its colors.

    Args:
        images: float32 [B, H, W, 3] in [-1, 1].
        parsing: Theirs, one-hot [B, H, W, 20].
        condition_images: The same persons, float32 [B, H, W, 3] in [-1, 1].
        condition_parsing: Theirs, one-hot [B, H, W, 20].

    Returns:
        Like `images`, in [-1, 1].
    """
    here, there = _regions(parsing), _regions(condition_parsing)
    size_here, mean_here, variance_here = _statistics(images, here)
    size_there, mean_there, variance_there = _statistics(condition_images, there)
    size, variance = tf.minimum(size_here, size_there), tf.maximum(variance_here, variance_there)
    share = size / (size + FEW) / (1.0 + variance)
    moves = share[..., tf.newaxis] * (mean_there - mean_here)
    return tf.clip_by_value(images + tf.einsum("bhwp,bpc->bhwc", binomial_filter(here), moves), -1.0, 1.0)


def _regions(parsing: OneHot) -> Tensor:
    """Where each part is, float32 [B, H, W, parts]."""
    members = np.zeros([NUM_LABELS, len(PARTS)], np.float32)
    for part, names in enumerate(PARTS):
        members[[LABELS.index(name) for name in names], part] = 1.0
    return tf.einsum("bhwl,lp->bhwp", parsing, tf.constant(members))


def _statistics(images: Image, regions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each part its share of the pixels [B, parts], mean color [B, parts, 3] and variance, of the channels' mean.

    Where there is nothing of a part, all are 0.
    """
    share = tf.reduce_mean(regions, axis=[1, 2])
    pixels = tf.reduce_sum(regions, axis=[1, 2])[..., tf.newaxis]
    mean, square = (
        tf.math.divide_no_nan(tf.einsum("bhwc,bhwp->bpc", values, regions), pixels) for values in (images, images**2)
    )
    return share, mean, tf.reduce_mean(square - mean**2, axis=-1)
