"""Structural similarity, in each protocol that the field reports, by its id.

An SSIM without its protocol compares with nothing: window, covariance and range each move it by several hundredths.

| id         | window                 | covariance | range of the images              | who reports it |
|------------|------------------------|------------|------------------------------------|----------------|
| `gaussian` | Gaussian 1.5, 11 taps  | population | 255                                | this package's own |
| `posegan`  | Gaussian 1.5, 11 taps  | population | largest - smallest generated value | pose-gan, PATN |
| `uniform7` | uniform, 7 taps        | sample     | 255                                | PG2 |
| `win51`    | uniform, 51 taps       | sample     | 255 (1 for images in [0, 1])     | GFLA |

All are computed for each color channel, over the windows that lie wholly inside the image, and averaged; no image
is padded. `posegan` depends on the output that it judges, and is for comparison only.

References:
  [1] Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
      IEEE Transactions on Image Processing, 2004, equations 13 to 16.
"""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.person import masked_mean
from tfwarpgan.layers.pixels import to_levels
from tfwarpgan.typing import Image, Tensor

PROTOCOLS = {
    "gaussian": "Gaussian window of sigma 1.5 (11 taps), population covariance, data range 255, unpadded",
    "posegan": "as gaussian, but data range taken from the generated picture; for comparison only",
    "uniform7": "uniform window of 7, sample covariance, data range 255, unpadded",
    "win51": "uniform window of 51, sample covariance, data range 255 (1 for pictures in [0, 1]), unpadded",
}
PERSON_PROTOCOL = (
    "ssim/gaussian over the person: full map (mirrored border), mean over the pixels that the target's parsing labels"
)
K1, K2 = 0.01, 0.03


def window(protocol: str) -> npt.NDArray[np.float64]:
    """The protocol's one-dimensional window, float64 [taps], which sums to 1; the window is its outer product."""
    if protocol in ("gaussian", "posegan"):
        weights = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    else:
        weights = np.ones({"uniform7": 7, "win51": 51}[protocol])
    return weights / weights.sum()


def ssim(target: Image, generated: Image, protocol: str = "gaussian") -> Tensor:
    """SSIM of each pair of images.

    Args:
        target: [B, H, W, C] in [-1, 1].
        generated: As `target`. The order matters to the protocol `posegan` only.
        protocol: A key of `PROTOCOLS`.

    Returns:
        float32 [B], at most 1.

    Raises:
        InputError: If the images are smaller than the protocol's window.
    """
    weights = window(protocol)
    height, width = target.shape[1:3]
    if min(height, width) < len(weights):
        raise InputError(
            f"SSIM protocol {protocol} needs images of at least {len(weights)} x {len(weights)} pixels, "
            f"these have {height} x {width}."
        )
    x, y = _levels(target), _levels(generated)
    data_range = tf.constant(255.0, tf.float64)
    if protocol == "posegan":
        data_range = tf.reduce_max(y, axis=(1, 2, 3), keepdims=True) - tf.reduce_min(y, axis=(1, 2, 3), keepdims=True)
    sample = protocol in ("uniform7", "win51")
    similarity = _similarity(x, y, weights, data_range, sample)
    return tf.cast(tf.reduce_mean(similarity, axis=(1, 2, 3)), tf.float32)


def ssim_person(target: Image, generated: Image, person: Tensor) -> Tensor:
    """SSIM over the person alone: the full map of `gaussian`, its mean over the person's pixels.

    Near the border the images are continued by their mirror image, edge repeated, as scikit-image's `full=True` does.

    Args:
        target: [B, H, W, C] in [-1, 1].
        generated: Likewise.
        person: bool [B, H, W].

    Returns:
        float32 [B]; NaN for a pair without a person.
    """
    weights = window("gaussian")
    margin = [len(weights) // 2] * 2
    x, y = (tf.pad(_levels(images), [[0, 0], margin, margin, [0, 0]], "SYMMETRIC") for images in (target, generated))
    similarity = _similarity(x, y, weights, tf.constant(255.0, tf.float64), sample=False)
    return tf.cast(masked_mean(similarity, person), tf.float32)


def _levels(images: Image) -> Tensor:
    """Images in [-1, 1] as levels 0..255, float64: E[x^2] - E[x]^2 of nearly flat areas is lost in float32."""
    return to_levels(tf.cast(images, tf.float64))


def _similarity(x: Tensor, y: Tensor, weights: npt.NDArray[np.float64], data_range: Tensor, sample: bool) -> Tensor:
    """The map of local similarities, equation 13, [B, H - taps + 1, W - taps + 1, C]."""
    mean_x, mean_y = _filter(x, weights), _filter(y, weights)
    count = len(weights) ** 2
    unbiased = count / (count - 1) if sample else 1.0
    variance_x = unbiased * (_filter(x * x, weights) - mean_x**2)
    variance_y = unbiased * (_filter(y * y, weights) - mean_y**2)
    covariance = unbiased * (_filter(x * y, weights) - mean_x * mean_y)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    numerator = (2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2)
    # A generated image of one color has range 0 under `posegan`: 0 / 0 counts as 0 there.
    return tf.math.divide_no_nan(numerator, (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))


def _filter(images: Image, weights: npt.NDArray[np.float64]) -> Tensor:
    """Separable filter without padding, as two products with banded matrices (any device, float64)."""
    rows, columns = (_band(images.shape[axis], weights) for axis in (1, 2))
    return tf.einsum("ph,bhwc,qw->bpqc", rows, images, columns)


def _band(size: int, weights: npt.NDArray[np.float64]) -> Tensor:
    band = np.zeros((size - len(weights) + 1, size))
    for row in range(len(band)):
        band[row, row : row + len(weights)] = weights
    return tf.constant(band, tf.float64)
