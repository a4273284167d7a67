"""LPIPS: distance of the features of a classifier, weighed by what people called different.

| id            | trunk                         | heads |
|---------------|-------------------------------|-------|
| `alex-0.1`    | AlexNet of torchvision        | v0.1  |
| `alex-0.0`    | the same, input unscaled      | v0.0, the first release, which many papers print |
| `vgg-0.1`     | VGG16 of torchvision          | v0.1  |
| `squeeze-0.1` | SqueezeNet 1.1 of torchvision | v0.1  |

Pictures in [-1, 1], less a shift over a scale (not in v0.0); features of unit length at each position, their squared
differences by a non-negative head, mean over positions, sum over layers. Pictures are not resized. The commonest
mistake is to feed [0, 1]. GFLA names no version: its printed numbers agree with v0.0, today's code gives v0.1, so print
both. GFLA also drops its last part of a batch. The heads come with this package (weights/lpips).

Zhang, Isola, Efros, Shechtman, Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR
2018, equation 1.
"""

import functools
import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfwarpgan.evaluation.metrics.metric import Metric, PairMean, traced
from tfwarpgan.evaluation.networks.trunks import TRUNKS
from tfwarpgan.evaluation.weights.conversion import load_weights
from tfwarpgan.inference.released import ROOT
from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Array, Arrays, Tensor

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
NETWORKS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}
HEADS = os.path.join(ROOT, "lpips", "heads.npz")


@functools.lru_cache(maxsize=1)
def _all_heads() -> Mapping[str, Array]:
    with np.load(HEADS, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def heads(trunk: str, version: str) -> list[Array]:
    """The heads of a trunk ("alex", "vgg", "squeeze") and version ("0.0", "0.1"): for each layer float32 [C]."""
    found = _all_heads()
    names = sorted(name for name in found if name.startswith(f"v{version}/{trunk}/"))
    return [found[name] for name in names]


def lpips(
    target: Tensor, generated: Tensor, trunk: str, arrays: Arrays, weights: Sequence[Array], scaled: bool = True
) -> Tensor:
    """The distance of each pair at each layer; its sum over the layers is LPIPS.

    Args:
        target: [B, H, W, 3] levels 0..255.
        generated: Likewise.
        trunk: A key of `NETWORKS`.
        arrays: Weights of its network.
        weights: Its heads, see `heads`.
        scaled: Whether inputs are shifted and scaled, as from v0.1 on.

    Returns:
        float32 [B, layers].
    """
    both = tf.concat([tf.cast(target, tf.float32), tf.cast(generated, tf.float32)], axis=0) / 127.5 - 1.0
    if scaled:
        both = (both - tf.constant(SHIFT)) / tf.constant(SCALE)
    distances = []
    for features, head in zip(TRUNKS[NETWORKS[trunk]](both, arrays), weights, strict=True):
        length = tf.sqrt(tf.reduce_sum(features**2, axis=-1, keepdims=True))
        x, y = tf.split(features / (length + 1e-10), 2)
        distances.append(tf.reduce_mean(tf.reduce_sum((x - y) ** 2 * tf.constant(head), axis=-1), axis=(1, 2)))
    return tf.stack(distances, axis=1)


def _start(trunk: str, version: str, sources: MetricOptions) -> PairMean:
    weights = load_weights(NETWORKS[trunk], sources.metric_weights)
    measure = functools.partial(
        _sum, trunk=trunk, arrays=weights.arrays, weights=heads(trunk, version), scaled=version != "0.0"
    )
    graph = traced(lambda target, generated: measure(target, generated))
    return PairMean(lambda pairs: graph(pairs.target, pairs.generated), weights=str(weights))


def _sum(target: Tensor, generated: Tensor, **more: object) -> Tensor:
    return tf.reduce_sum(lpips(target, generated, **more), axis=1)  # type: ignore[arg-type]


METRICS = tuple(
    Metric(
        f"lpips/{trunk}-{version}",
        f"LPIPS v{version} of {NETWORKS[trunk]}, pictures as they are",
        functools.partial(_start, trunk, version),
        "lower",
    )
    for trunk, version in (("alex", "0.1"), ("alex", "0.0"), ("vgg", "0.1"), ("squeeze", "0.1"))
)
