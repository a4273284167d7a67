"""One device or several: the strategy of a run."""

from collections.abc import Sequence

import tensorflow as tf


def choose_strategy(devices: Sequence[str] | None = None) -> tf.distribute.Strategy:
    """MirroredStrategy over `devices` or, without them, all GPUs; the default strategy for fewer than two.

    Args:
        devices: List of device names, such as ["CPU:0", "CPU:1"], or None.
    """
    devices = devices or [gpu.name.replace("/physical_device:", "") for gpu in tf.config.list_physical_devices("GPU")]
    return tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else tf.distribute.get_strategy()
