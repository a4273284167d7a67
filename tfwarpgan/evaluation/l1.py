"""Mean absolute difference of pictures."""

import tensorflow as tf

PROTOCOL = "range 2: mean absolute difference of pictures in [-1, 1], over pixels and channels"


def l1(target, generated):
    """Mean absolute difference of each pair of pictures.

    Args:
        target: [B, H, W, C] in [-1, 1].
        generated: As `target`.

    Returns:
        float32 [B] in [0, 2]. The range is 2, since pictures lie in [-1, 1]: half of it is the difference of pictures
        in [0, 1], and 127.5 times it that of uint8 pictures.
    """
    difference = tf.abs(tf.cast(target, tf.float32) - tf.cast(generated, tf.float32))
    return tf.reduce_mean(difference, axis=(1, 2, 3))
