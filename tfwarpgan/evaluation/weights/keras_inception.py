"""Weights of Keras' own Inception v3, in our names.

Keras numbers its layers in the order in which it builds them, which is that of `graph_def.node_names`.
"""

import numpy as np
from tensorflow import keras

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.weights.graph_def import BATCH_NORM_EPSILON, node_names
from tfwarpgan.typing import Array


def read_keras_inception(path: str) -> dict[str, Array]:
    """The arrays of a file of Keras' weights, with or without the classifier.

    Raises:
        InputError: If it is of another network.
    """
    for with_top in (False, True):
        model = keras.applications.InceptionV3(weights=None, include_top=with_top)
        try:
            model.load_weights(path)
        except (ValueError, KeyError, OSError):
            continue
        return arrays_of_keras(model)
    raise InputError(f"{path} does not hold the weights of Keras' Inception v3.")


def arrays_of_keras(model: keras.Model) -> dict[str, Array]:
    """The arrays of a `keras.applications.InceptionV3`, batch normalization (without gamma) multiplied in."""
    arrays = {}
    for name, (convolution, normalization) in zip(node_names(), _in_order(model), strict=True):
        (kernel,) = convolution.get_weights()
        beta, mean, variance = normalization.get_weights()
        scale = 1.0 / np.sqrt(variance.astype(np.float64) + BATCH_NORM_EPSILON)
        arrays[f"{name}/kernel"] = (kernel * scale).astype(np.float32)
        arrays[f"{name}/bias"] = (beta - mean * scale).astype(np.float32)
    return arrays


def _in_order(model: keras.Model) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """(convolution, normalization) in the order of their numbers."""
    kinds = (keras.layers.Conv2D, keras.layers.BatchNormalization)
    found = [sorted((layer for layer in model.layers if type(layer) is kind), key=_number) for kind in kinds]
    return list(zip(*found, strict=True))


def _number(layer: keras.layers.Layer) -> int:
    """conv2d: 0, conv2d_1: 1; the numbers go on from model to model of a process."""
    last = layer.name.rpartition("_")[2]
    return int(last) if last.isdecimal() else 0
