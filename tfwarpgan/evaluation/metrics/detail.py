"""What is left of stripes, checks, prints and faces: the high-pass of two images compared.

The high-pass is the image minus its 3x3 mean, the border mirrored. `detail` asks whether the same edges lie in the
same places; `texture` only whether there are as many, so that a sharp print in another place costs the first alone.
"""

import tensorflow as tf

from tfwarpgan.evaluation.metrics.metric import Metric, in_graph_by_parsing
from tfwarpgan.evaluation.metrics.person import masked_mean, person_of
from tfwarpgan.typing import Image, Labels, Tensor

GARMENTS = (5, 6, 7, 9, 12)


def high_pass(images: Image) -> Image:
    """Images [B, H, W, C] minus their 3x3 means, float32."""
    images = tf.cast(images, tf.float32)
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    return images - tf.nn.avg_pool2d(padded, 3, 1, "VALID")


def detail(target: Image, generated: Image, parsing: Labels) -> Tensor:
    """Correlation of the fine detail of each pair over the person.

    Args:
        target: [B, H, W, C].
        generated: Likewise.
        parsing: The target's labels, integer [B, H, W].

    Returns:
        float32 [B] in [-1, 1]; 0 where one of them has no detail, NaN for a pair without a person.
    """
    person = person_of(parsing)
    x, y = (_centered(high_pass(images), person) for images in (target, generated))
    covariance = masked_mean(x * y, person)
    spread = tf.sqrt(masked_mean(x * x, person) * masked_mean(y * y, person))
    return tf.where(spread > 0, covariance / spread, 0.0 * spread)


def texture(target: Image, generated: Image, parsing: Labels) -> Tensor:
    """How rich the garments' detail is, synthesized over target.

    Args:
        target: [B, H, W, C].
        generated: Likewise.
        parsing: The target's labels, integer [B, H, W].

    Returns:
        float32 [B], 0 or more; NaN for a pair without a garment, or with a perfectly plain one.
    """
    garments = tf.reduce_any(tf.equal(parsing[..., tf.newaxis], tf.constant(GARMENTS, parsing.dtype)), axis=-1)
    x, y = (masked_mean(high_pass(images) ** 2, garments) for images in (target, generated))
    return tf.where(x > 0, tf.sqrt(y / x), float("nan"))


def _centered(values: Tensor, mask: Tensor) -> Tensor:
    return values - masked_mean(values, mask)[:, tf.newaxis, tf.newaxis, tf.newaxis]


METRICS = (
    Metric(
        "detail/person",
        "picture minus its 3x3 mean, synthesized against target: Pearson correlation over the person's pixels and "
        "channels",
        in_graph_by_parsing(detail),
        needs=("parsing",),
    ),
    Metric(
        "texture/garments",
        "root mean square of picture minus its 3x3 mean over the target's garments (labels 5, 6, 7, 9, 12), "
        "synthesized over target; 1 is as rich",
        in_graph_by_parsing(texture),
        "one",
        ("parsing",),
    ),
)
