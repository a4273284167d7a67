"""Pose maps, drawn in the graph from keypoints: one channel a joint (paper, section 3.1: discs of radius 4 pixels)."""

import tensorflow as tf


def pose_map(keypoints, visible, height, width, kind="disc", radius=4.0, sigma=6.0, dtype=tf.float32):
    """Draws each visible joint into a channel of its own.

    disc: 1 where (y - y_k)^2 + (x - x_k)^2 <= radius^2, else 0.
    gaussian: exp(-((y - y_k)^2 + (x - x_k)^2) / (2 sigma^2)).

    Args:
        keypoints: float [..., K, 2], (y, x) in pixels.
        visible: bool [..., K]; the channel of an invisible joint is 0 everywhere.
        height: Height of the map, pixels.
        width: Width of the map, pixels.
        kind: "disc" or "gaussian".
        radius: Radius of a disc, pixels.
        sigma: Standard deviation of a Gaussian, pixels.
        dtype: Of the result; distances are float32 whatever it is.

    Returns:
        [..., H, W, K] in [0, 1].
    """
    if kind not in ("disc", "gaussian"):
        raise ValueError(f"kind must be 'disc' or 'gaussian', got {kind!r}.")
    keypoints = tf.cast(keypoints, tf.float32)[..., tf.newaxis, tf.newaxis, :, :]
    rows = tf.range(height, dtype=tf.float32)[:, tf.newaxis, tf.newaxis]
    columns = tf.range(width, dtype=tf.float32)[tf.newaxis, :, tf.newaxis]
    distance = tf.square(rows - keypoints[..., 0]) + tf.square(columns - keypoints[..., 1])
    if kind == "disc":
        joints = tf.cast(distance <= radius**2, dtype)
    else:
        joints = tf.cast(tf.exp(-distance / (2.0 * sigma**2)), dtype)
    return joints * tf.cast(visible, dtype)[..., tf.newaxis, tf.newaxis, :]
