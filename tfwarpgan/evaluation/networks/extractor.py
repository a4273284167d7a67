"""Pictures as features of Inception, in each way that the field feeds it."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.evaluation.metrics.metric import Levels, traced
from tfwarpgan.evaluation.networks.inception import FORMS, logits_without_bias, pooled_features
from tfwarpgan.evaluation.networks.resizing import resize_clean, resize_tf1, resize_torch
from tfwarpgan.evaluation.weights.conversion import Weights, load_weights
from tfwarpgan.typing import Tensor

Features = npt.NDArray[np.float32]  # [B, D]
# torchvision's transform_input, meant to undo the normalization of ImageNet; GFLA and CFLD feed it images in [0, 1].
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Feeding:
    """A network, and how levels become its input."""

    network: str
    prepare: Callable[[Tensor], Tensor]
    text: str


def _transform_input(levels: Tensor) -> Tensor:
    scale, shift = np.array(_DEVIATION) / 0.5, (np.array(_MEAN) - 0.5) / 0.5
    return resize_torch(levels) / 255.0 * tf.constant(scale, tf.float32) + tf.constant(shift, tf.float32)


FEEDINGS = {
    "tf2015": Feeding(
        "inception_2015",
        lambda levels: (resize_tf1(levels) - 128.0) / 128.0,
        "Inception of 2015-12-05, bilinear as in TensorFlow 1",
    ),
    "clean": Feeding(
        "inception_2015",
        lambda levels: (resize_clean(levels) - 128.0) / 128.0,
        "Inception of 2015-12-05, antialiased bicubic as in clean-fid",
    ),
    "torchvision": Feeding(
        "inception_torchvision",
        _transform_input,
        "torchvision's Inception v3, bilinear as in PyTorch, transform_input of images in [0, 1]",
    ),
    "keras": Feeding(
        "inception_keras",
        lambda levels: resize_clean(levels) / 127.5 - 1.0,
        "Keras' Inception v3, antialiased bicubic; for trends at home, beside no paper's number",
    ),
}


class Network:
    """Inception with its weights, as one graph for pictures that are prepared: float32 [B, 299, 299, 3]."""

    def __init__(self, name: str, weights: Weights) -> None:
        self.weights, arrays, form = weights, weights.arrays, FORMS[name]

        def both(images: Tensor) -> tuple[Tensor, Tensor]:
            found = pooled_features(images, arrays, form)
            return found, logits_without_bias(found, arrays) if "fc/kernel" in arrays else found

        self.outputs = traced(both)


class Extractor:
    """Features of pictures by one network; the last two batches (generated and true pictures) are remembered, for
    several metrics ask for the same.

    Args:
        feeding: A key of `FEEDINGS`.
        network: Its network.
    """

    def __init__(self, feeding: str, network: Network) -> None:
        self.weights, self._network = network.weights, network
        self._prepare = traced(FEEDINGS[feeding].prepare)
        self._recent: list[tuple[Levels, tuple[Features, Features]]] = []

    def features(self, levels: Levels) -> Features:
        """Pooled features [B, 2048] of levels [B, H, W, 3]."""
        return self._both(levels)[0]

    def logits(self, levels: Levels) -> Features:
        """The classifier's logits without bias, [B, classes]."""
        return self._both(levels)[1]

    def _both(self, levels: Levels) -> tuple[Features, Features]:
        for known, found in self._recent:
            if known is levels:
                return found
        features, logits = map(np.asarray, self._network.outputs(self._prepare(levels)))
        self._recent = [*self._recent[-1:], (levels, (features, logits))]
        return features, logits


@functools.lru_cache(maxsize=8)
def extractor(feeding: str, weights_dir: str) -> Extractor:
    """The extractor of a way of feeding, the same one for all metrics.

    Raises:
        InputError: If its weights are not there.
    """
    return Extractor(feeding, _network(FEEDINGS[feeding].network, weights_dir))


@functools.lru_cache(maxsize=4)
def _network(name: str, weights_dir: str) -> Network:
    return Network(name, load_weights(name, weights_dir))
