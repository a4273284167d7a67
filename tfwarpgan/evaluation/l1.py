"""Mean absolute difference of images."""

import tensorflow as tf

from tfwarpgan.evaluation.person import masked_mean
from tfwarpgan.typing import Image, Tensor

PROTOCOL = "range 2: mean absolute difference of pictures in [-1, 1], over pixels and channels"
PERSON_PROTOCOL = "l1 over the person: mean over the pixels that the target's parsing labels, and channels"


def l1(target: Image, generated: Image) -> Tensor:
    """Mean absolute difference of each pair of images.

    Args:
        target: [B, H, W, C] in [-1, 1].
        generated: As `target`.

    Returns:
        float32 [B] in [0, 2]. The range is 2, since images lie in [-1, 1]: half of it is the difference of images
        in [0, 1], and 127.5 times it that of uint8 images.
    """
    difference = tf.abs(tf.cast(target, tf.float32) - tf.cast(generated, tf.float32))
    return tf.reduce_mean(difference, axis=(1, 2, 3))


def l1_person(target: Image, generated: Image, person: Tensor) -> Tensor:
    """`l1` over the pixels of `person`, bool [B, H, W]; float32 [B], NaN for a pair without a person."""
    return masked_mean(tf.abs(tf.cast(target, tf.float32) - tf.cast(generated, tf.float32)), person)
