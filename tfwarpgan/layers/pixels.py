"""Pixels of a file, uint8 0..255, as the values that networks see, [-1, 1], and back, in TensorFlow.

`storage.pixels` is the same in NumPy.
"""

import tensorflow as tf

from tfwarpgan.typing import Image, Tensor


def from_pixels(pixels: Tensor) -> Image:
    """Images of levels 0..255, uint8 or resized ones in between, as float32 in [-1, 1]; any shape."""
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def to_pixels(images: Image) -> Tensor:
    """Images in [-1, 1] as uint8, rounded to the nearest level and clipped; any shape."""
    levels = to_levels(tf.cast(images, tf.float32))
    return tf.cast(tf.clip_by_value(tf.round(levels), 0.0, 255.0), tf.uint8)


def to_levels(images: Image) -> Tensor:
    """Images in [-1, 1] on the scale of 0..255, neither rounded nor clipped; any float type and shape."""
    return (images + 1.0) * 127.5
