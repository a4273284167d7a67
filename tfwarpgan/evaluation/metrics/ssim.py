"""Structural similarity, in each protocol that the field reports, by its id.

An SSIM without its protocol compares with nothing: one and the same pair of pictures scores .80 to .99 by them.

| id         | window                | covariance | data range                         | who reports it |
|------------|-----------------------|------------|------------------------------------|----------------|
| `gaussian` | Gaussian 1.5, 11 taps | population | 255                                | this package   |
| `posegan`  | Gaussian 1.5, 11 taps | population | largest - smallest generated value | pose-gan, PATN |
| `uniform7` | uniform, 7 taps       | sample     | 255                                | PG2            |
| `win51`    | uniform, 51 taps      | sample     | 1, of pictures in [0, 1]           | GFLA, CFLD: column `ssim` |
| `ssim_256` | Gaussian 1.5, 11 taps | population | as posegan, all in float32         | GFLA, CFLD: that column |
| `bodyroi7` | uniform, 7 taps       | sample     | largest - smallest target value, of gray pictures | Ma et al. 2018 |

All are computed for each color channel, over the windows that lie wholly inside the image, and averaged. No image is
padded: PATN's numbers of DeepFashion are of images padded with white, `ssim/posegan+white40`. `posegan` and
`ssim_256` depend on the output that they judge, and are for comparison only.

References:
  [1] Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
      IEEE Transactions on Image Processing, 2004, equations 13 to 16.
"""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.metric import Metric, in_graph, in_graph_by_parsing
from tfwarpgan.evaluation.metrics.person import masked_mean, person_of
from tfwarpgan.typing import Labels, Tensor

K1, K2 = 0.01, 0.03
GRAY = (0.2125, 0.7154, 0.0721)  # weights of red, green and blue, ITU-R BT.709 as scikit-image rounds them


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What differs between the protocols; see the table above.

    `unit`: the levels were divided by 255 in float32 first, as GFLA does; `single`: all is computed in float32.
    """

    text: str
    taps: int = 11
    sample: bool = False
    range_of: str = ""
    gray: bool = False
    unit: bool = False
    single: bool = False


PROTOCOLS = {
    "gaussian": Protocol("Gaussian window of sigma 1.5 (11 taps), population covariance, data range 255"),
    "posegan": Protocol(
        "as gaussian, but data range taken from the generated picture; for comparison only", range_of="generated"
    ),
    "uniform7": Protocol("uniform window of 7, sample covariance, data range 255", 7, True),
    "win51": Protocol("uniform window of 51, sample covariance, data range 1 of [0, 1]", 51, True, unit=True),
    "ssim_256": Protocol(
        "as posegan, in single precision; for comparison only", range_of="generated", unit=True, single=True
    ),
    "bodyroi7": Protocol(
        "gray pictures, uniform window of 7, sample covariance, data range taken from the target",
        7, True, range_of="target", gray=True,
    ),
}  # fmt: skip


def window(protocol: str) -> npt.NDArray[np.float64]:
    """The protocol's one-dimensional window, float64 [taps], which sums to 1; the window is its outer product."""
    taps = PROTOCOLS[protocol].taps
    weights = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2) if taps == 11 else np.ones(taps)
    return weights / weights.sum()


def ssim(target: Tensor, generated: Tensor, protocol: str = "gaussian") -> Tensor:
    """SSIM of each pair of images.

    Args:
        target: [B, H, W, C] levels 0..255, uint8 or floating.
        generated: As `target`. The order matters to the protocols with a range of their own only.
        protocol: A key of `PROTOCOLS`.

    Returns:
        float64 [B], at most 1; 0 where the data range is 0.

    Raises:
        InputError: If the images are smaller than the protocol's window.
    """
    facts, weights = PROTOCOLS[protocol], window(protocol)
    height, width = target.shape[1:3]
    if min(height, width) < facts.taps:
        raise InputError(
            f"ssim/{protocol} needs images of at least {facts.taps} x {facts.taps} pixels, these have "
            f"{height} x {width}; leave it out."
        )
    x, y = (_prepared(images, facts) for images in (target, generated))
    local = similarity(x, y, weights, _data_range(x, y, facts), facts.sample)
    by_channel = tf.reduce_mean(tf.cast(local, tf.float64), axis=(1, 2))
    return tf.cast(tf.reduce_mean(tf.cast(by_channel, x.dtype), axis=1), tf.float64)


def ssim_person(target: Tensor, generated: Tensor, parsing: Labels) -> Tensor:
    """SSIM over the person alone: the full map of `gaussian`, its mean over the pixels that the parsing labels.

    Near the border the images are continued by their mirror image, edge repeated, as scikit-image's `full=True` does.

    Args:
        target: [B, H, W, C] levels 0..255.
        generated: Likewise.
        parsing: The target's labels, integer [B, H, W].

    Returns:
        float64 [B]; NaN for a pair without a person.
    """
    facts, weights = PROTOCOLS["gaussian"], window("gaussian")
    x, y = (continued(_prepared(images, facts), weights) for images in (target, generated))
    return masked_mean(similarity(x, y, weights, _data_range(x, y, facts)), person_of(parsing))


def continued(images: Tensor, weights: npt.NDArray[np.float64]) -> Tensor:
    """Images [B, H, W, C] continued by their mirror image, edge repeated, by half a window on each side."""
    margin = [len(weights) // 2] * 2
    return tf.pad(images, [[0, 0], margin, margin, [0, 0]], "SYMMETRIC")


def _prepared(images: Tensor, facts: Protocol) -> Tensor:
    """Levels as float64 (E[x^2] - E[x]^2 of nearly flat areas is lost in float32) or, where asked for, as float32."""
    exact = tf.float32 if facts.single else tf.float64
    levels = tf.cast(images, tf.float64)
    if facts.unit:
        levels = tf.cast(tf.cast(levels / 255.0, tf.float32), exact) * 255.0
    return tf.tensordot(levels, tf.constant([GRAY], tf.float64), [[3], [1]]) if facts.gray else levels


def _data_range(x: Tensor, y: Tensor, facts: Protocol) -> Tensor:
    if not facts.range_of:
        return tf.constant(255.0, x.dtype)
    judge = {"target": x, "generated": y}[facts.range_of]
    largest, smallest = (reduce(judge, axis=(1, 2, 3), keepdims=True) for reduce in (tf.reduce_max, tf.reduce_min))
    return largest - smallest


def similarity(
    x: Tensor, y: Tensor, weights: npt.NDArray[np.float64], data_range: Tensor | float, sample: bool = False
) -> Tensor:
    """The map of local similarities, equation 13.

    Args:
        x: [B, H, W, C], levels from 0 on; float32 or float64.
        y: Likewise.
        weights: The one-dimensional window, which sums to 1.
        data_range: Difference of the largest and the smallest level that there could be.
        sample: Covariances of a sample in place of those of a population.

    Returns:
        [B, H - taps + 1, W - taps + 1, C], of the type of `x`.
    """
    mean_x, mean_y = _filter(x, weights), _filter(y, weights)
    count = len(weights) ** 2
    unbiased = count / (count - 1) if sample else 1.0
    variance_x = unbiased * (_filter(x * x, weights) - mean_x * mean_x)
    variance_y = unbiased * (_filter(y * y, weights) - mean_y * mean_y)
    covariance = unbiased * (_filter(x * y, weights) - mean_x * mean_y)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    numerator = (2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2)
    # A picture of one color has range 0 where it gives the range: 0 / 0 counts as 0 there.
    return tf.math.divide_no_nan(numerator, (mean_x * mean_x + mean_y * mean_y + c1) * (variance_x + variance_y + c2))


def _filter(images: Tensor, weights: npt.NDArray[np.float64]) -> Tensor:
    """Separable filter without padding, as two products with banded matrices (any device); sums are float64."""
    rows, columns = (_band(images.shape[axis], weights) for axis in (1, 2))
    for equation, band in (("ph,bhwc->bpwc", rows), ("qw,bpwc->bpqc", columns)):
        images = tf.cast(tf.einsum(equation, band, tf.cast(images, tf.float64)), images.dtype)
    return images


def _band(size: int, weights: npt.NDArray[np.float64]) -> Tensor:
    band = np.zeros((size - len(weights) + 1, size))
    for row in range(len(band)):
        band[row, row : row + len(weights)] = weights
    return tf.constant(band, tf.float64)


METRICS = (
    *(
        Metric(f"ssim/{name}", facts.text, in_graph(functools.partial(ssim, protocol=name)))
        for name, facts in PROTOCOLS.items()
    ),
    Metric(
        "ssim/person",
        "ssim/gaussian over the person: full map (mirrored border), mean over the pixels that the target's parsing "
        "labels",
        in_graph_by_parsing(ssim_person),
        needs=("parsing",),
    ),
)
