"""Mean absolute difference of images, on each scale that the field prints it on, and two that bear its name.

| id            | formula                         | who reports it |
|---------------|---------------------------------|----------------|
| `l1/range2`   | mean of |a - b|, a and b in [-1, 1]   | this package, PATN |
| `l1/range1`   | mean of |a - b|, a and b in [0, 1]    | GFLA: `l1`     |
| `l1/range255` | mean of |a - b|, a and b in 0..255    | PG2            |
| `mae/gfla`    | sum of |a - b| / sum of (a + b) | GFLA: `mae`, which is no mean absolute error |

GFLA computes both of its own in float32, and so do we.
"""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.evaluation.metrics.metric import Levels, Metric, in_graph_by_parsing, of_pictures
from tfwarpgan.evaluation.metrics.person import masked_mean, person_of
from tfwarpgan.typing import Labels, Tensor


def l1(target: Levels, generated: Levels, data_range: float = 2.0) -> npt.NDArray[np.float64]:
    """Mean absolute difference of each pair of images.

    Args:
        target: [B, H, W, C] levels 0..255.
        generated: As `target`.
        data_range: Of the result: 255 for the difference of levels, 2 of images in [-1, 1].

    Returns:
        float64 [B] in [0, data_range].
    """
    return np.abs(target.astype(np.float64) - generated).mean(axis=(1, 2, 3)) * (data_range / 255.0)


def l1_gfla(target: Levels, generated: Levels) -> npt.NDArray[np.float64]:
    """Mean absolute difference of each pair of images in [0, 1], in float32; as `l1`."""
    return np.array([np.abs(a - b).mean() for a, b in _unit_pairs(target, generated)], np.float64)


def mae_gfla(target: Levels, generated: Levels) -> npt.NDArray[np.float64]:
    """Sum of the differences over the sum of both pictures, in float32; NaN for two black ones. As `l1`."""
    with np.errstate(invalid="ignore"):
        return np.array([np.abs(a - b).sum() / (a + b).sum() for a, b in _unit_pairs(target, generated)], np.float64)


def l1_person(target: Tensor, generated: Tensor, parsing: Labels) -> Tensor:
    """`l1` over the pixels that the target's parsing labels; float64 [B], NaN for a pair without a person."""
    difference = tf.abs(tf.cast(target, tf.float64) - tf.cast(generated, tf.float64)) / 127.5
    return masked_mean(difference, person_of(parsing))


def _unit_pairs(target: Levels, generated: Levels) -> Iterator[Sequence[npt.NDArray[np.float32]]]:
    """The pairs, one by one, as float32 in [0, 1]."""
    unit = [levels.astype(np.float32) / np.float32(255.0) for levels in (target, generated)]
    return zip(*unit)


_TEXT = "mean absolute difference over pixels and channels, of pictures"
METRICS = (
    Metric("l1/range2", f"{_TEXT} in [-1, 1]", of_pictures(l1), "lower"),
    Metric("l1/range1", f"{_TEXT} in [0, 1]", of_pictures(l1_gfla), "lower"),
    Metric("l1/range255", f"{_TEXT} of levels 0..255", of_pictures(functools.partial(l1, data_range=255.0)), "lower"),
    Metric(
        "mae/gfla", "sum of absolute differences over the sum of both pictures; no mean absolute error",
        of_pictures(mae_gfla), "lower",
    ),
    Metric(
        "l1/person",
        "l1/range2 over the person: mean over the pixels that the target's parsing labels, and channels",
        in_graph_by_parsing(l1_person),
        "lower",
        ("parsing",),
    ),
)  # fmt: skip
