"""DISTS: structure and texture of VGG16's features, weighed by what people called similar. No paper of pose transfer
prints it.

Pictures in [0, 1], normalized as for ImageNet; maximum pooling is replaced by the root of a smoothed mean of squares;
layers are the pictures themselves and relu1_2, 2_2, 3_3, 4_3, 5_3. DISTS = 1 - sum of alpha l + beta s, over channels,
where l compares means and s covariances. Pictures are not resized (the authors' command line shrinks the shorter side
to 256). The weights come with this package (weights/dists).

Ding, Ma, Wang, Simoncelli, "Image Quality Assessment: Unifying Structure and Texture Similarity", TPAMI 2022, equations
1 to 7.
"""

import os

import numpy as np
import tensorflow as tf

from tfwarpgan.evaluation.metrics.metric import Metric, PairMean, traced
from tfwarpgan.evaluation.networks.trunks import vgg16
from tfwarpgan.evaluation.weights.conversion import load_weights
from tfwarpgan.inference.released import ROOT
from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Array, Arrays, Tensor

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STABILITY = 1e-6
HEADS = os.path.join(ROOT, "dists", "heads.npz")


def heads() -> tuple[Array, Array]:
    """The weights alpha and beta, float64 [1475] each, over the channels of all layers; together they sum to 1."""
    with np.load(HEADS, allow_pickle=False) as archive:
        alpha, beta = archive["alpha"].astype(np.float64), archive["beta"].astype(np.float64)
    total = alpha.sum() + beta.sum()
    return alpha / total, beta / total


def dists(target: Tensor, generated: Tensor, arrays: Arrays, alpha: Array, beta: Array) -> Tensor:
    """The distance of each pair.

    Args:
        target: [B, H, W, 3] levels 0..255.
        generated: Likewise.
        arrays: Weights of torchvision's VGG16.
        alpha, beta: See `heads`.

    Returns:
        float64 [B]; 0 for identical pictures.
    """
    both = tf.concat([tf.cast(target, tf.float32), tf.cast(generated, tf.float32)], axis=0) / 255.0
    layers = [both, *vgg16((both - tf.constant(MEAN)) / tf.constant(DEVIATION), arrays, smooth_pool)]
    # In float64, since the result is one minus a sum near one.
    similarities = [_similarities(*tf.split(tf.cast(features, tf.float64), 2)) for features in layers]
    luminance, structure = (tf.concat(column, axis=-1) for column in zip(*similarities))
    weighed = luminance * tf.constant(alpha, tf.float64) + structure * tf.constant(beta, tf.float64)
    return 1.0 - tf.reduce_sum(weighed, axis=-1)


def smooth_pool(x: Tensor) -> Tensor:
    """Root of the mean of squares under a Hann window of 3 x 3, at stride 2: equation 1."""
    taps = np.hanning(5)[1:-1]
    window = np.outer(taps, taps) / np.outer(taps, taps).sum()
    channels = x.shape[-1]
    kernel = tf.constant(np.repeat(window[..., None, None], channels, axis=2), tf.float32)
    padded = tf.pad(x**2, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return tf.sqrt(tf.nn.depthwise_conv2d(padded, kernel, [1, 2, 2, 1], "VALID") + 1e-12)


def _similarities(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(of means, of covariances) of each channel, [B, C]: equations 4 and 5."""
    mean_x, mean_y = (tf.reduce_mean(features, axis=(1, 2), keepdims=True) for features in (x, y))
    variance_x, variance_y = (
        tf.reduce_mean((features - mean) ** 2, axis=(1, 2)) for features, mean in ((x, mean_x), (y, mean_y))
    )
    covariance = tf.reduce_mean(x * y, axis=(1, 2)) - (mean_x * mean_y)[:, 0, 0]
    mean_x, mean_y = mean_x[:, 0, 0], mean_y[:, 0, 0]
    luminance = (2.0 * mean_x * mean_y + STABILITY) / (mean_x**2 + mean_y**2 + STABILITY)
    return luminance, (2.0 * covariance + STABILITY) / (variance_x + variance_y + STABILITY)


def _start(sources: MetricOptions) -> PairMean:
    weights = load_weights("vgg16", sources.metric_weights)
    alpha, beta = heads()
    graph = traced(lambda target, generated: dists(target, generated, weights.arrays, alpha, beta))
    return PairMean(lambda pairs: graph(pairs.target, pairs.generated), weights=str(weights))


METRICS = (Metric("dists/vgg", "DISTS of torchvision's VGG16, pictures as they are", _start, "lower"),)
