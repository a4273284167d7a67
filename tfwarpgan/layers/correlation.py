"""Correlation of two feature maps: every position with every position (Rocco et al., CVPR 2017, section 3.2)."""

import tensorflow as tf

from tfwarpgan.typing import Features


def l2_normalize(features: Features, epsilon: float = 1e-6) -> Features:
    """Features of unit length along the last axis.

    Args:
        features: [..., C], any floating dtype.
        epsilon: Added to the squared length, so that a vector of zeros stays 0 and has a finite gradient.

    Returns:
        Like `features`; lengths are computed in float32 at least.
    """
    features = tf.convert_to_tensor(features)
    wide = features if features.dtype == tf.float64 else tf.cast(features, tf.float32)
    length = tf.math.rsqrt(tf.reduce_sum(tf.square(wide), axis=-1, keepdims=True) + epsilon)
    return tf.cast(wide * length, features.dtype)


def correlation(a: Features, b: Features) -> Features:
    """Cosine similarity of every position of b with every position of a.

    Args:
        a: [B, h, w, C], the features to be matched; normalized here to unit length at each position.
        b: [B, h', w', C], treated the same way.

    Returns:
        [B, h', w', h*w] in [-1, 1]: at b's position (i, j), channel y * w + x belongs to a's position (y, x).

    Raises:
        ValueError: If the two have no four dimensions or not the same number of channels.
    """
    a, b = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
    if a.shape.rank != 4 or b.shape.rank != 4 or not a.shape[3:].is_compatible_with(b.shape[3:]):
        raise ValueError(f"Correlation needs two [B, h, w, C] of the same C, but got {a.shape} and {b.shape}.")
    similarity = tf.matmul(_positions(l2_normalize(b)), _positions(l2_normalize(a)), transpose_b=True)

    similarity = tf.reshape(similarity, tf.concat([tf.shape(b)[:3], [tf.shape(a)[1] * tf.shape(a)[2]]], axis=0))
    count = a.shape[1] * a.shape[2] if a.shape[1:3].is_fully_defined() else None
    return tf.ensure_shape(similarity, [*b.shape[:3], count])


def normalize_matches(similarity: Features) -> Features:
    """ReLU and L2 normalization over the candidates: keeps good matches, and lowers them where they are ambiguous.

    Args:
        similarity: [B, h, w, n] as given by `correlation`.

    Returns:
        Like `similarity`, in [0, 1].
    """
    return l2_normalize(tf.nn.relu(similarity))


def _positions(features: Features) -> Features:
    batch, height, width, channels = tf.unstack(tf.shape(features))
    return tf.reshape(features, [batch, height * width, channels])
