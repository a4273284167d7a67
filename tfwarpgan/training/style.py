"""What two images have in common besides where it is: Gram matrices of features, of patches round the joints.

Gatys et al., "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016, in the form that follows Pumarola
et al. 2018 (UPIS).
"""

import tensorflow as tf

from tfwarpgan.typing import Features, Scalar, Tensor

PATCH = 16  # patches in the height of an image


def gram(features: Tensor) -> Tensor:
    """The products of channels, averaged over positions: [..., n, C] -> [..., C, C]."""
    return tf.matmul(features, features, transpose_a=True) / tf.cast(tf.shape(features)[-2], features.dtype)


def joint_patches(features: Features, joints: Tensor, height: int) -> Tensor:
    """The features of a square round each joint, as wide as a sixteenth of the height; outside, the border goes on.

    Args:
        features: [B, h, w, C].
        joints: float [B, K, 2], (y, x) in pixels of the image.
        height: Of the image, pixels.

    Returns:
        [B, K, side * side, C].
    """
    rows, columns, channels = features.shape[1:]
    side = max(1, rows // PATCH)
    places = tf.math.floordiv(joints * (rows / height), 1.0)  # of the features' pixel that a joint lies in
    upper_left = tf.cast(places, tf.int32)[:, :, None, None] - side // 2
    offsets = tf.stack(tf.meshgrid(tf.range(side), tf.range(side), indexing="ij"), axis=-1)
    places = tf.clip_by_value(upper_left + offsets, 0, [rows - 1, columns - 1])
    numbers = places[..., 0] * columns + places[..., 1]
    flat = tf.reshape(features, [-1, rows * columns, channels])
    return tf.gather(flat, tf.reshape(numbers, [-1, joints.shape[1], side * side]), batch_dims=1)


def style_loss(first: Tensor, second: Tensor, seen: Tensor) -> Scalar:
    """The mean squared distance of the Gram matrices of patches.

    Args:
        first: [B, K, n, C], of `joint_patches`.
        second: Likewise.
        seen: bool [B, K], which patches are compared.

    Returns:
        The mean over an image's patches, 0 where it has none, and over the batch, in float32.
    """
    distances = tf.reduce_mean(tf.square(gram(first) - gram(second)), axis=[2, 3])
    weights = tf.cast(seen, tf.float32)
    of_image = tf.reduce_sum(weights * tf.cast(distances, tf.float32), axis=1)
    return tf.reduce_mean(tf.math.divide_no_nan(of_image, tf.reduce_sum(weights, axis=1)))
