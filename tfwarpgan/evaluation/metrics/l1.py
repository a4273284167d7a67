"""Mean absolute difference of images, on each scale that the field prints it on, and two that bear its name.

| id            | formula                         | who reports it |
|---------------|---------------------------------|----------------|
| `l1/range2`   | mean of |a - b|, a and b in [-1, 1]   | this package, PATN |
| `l1/range1`   | mean of |a - b|, a and b in [0, 1]    | GFLA: `l1`     |
| `l1/range255` | mean of |a - b|, a and b in 0..255    | PG2            |
| `mae/gfla`    | sum of |a - b| / sum of (a + b) | GFLA: `mae`, which is no mean absolute error |
"""

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.evaluation.metrics.metric import Levels, Metric, in_graph_by_parsing, of_pictures
from tfwarpgan.evaluation.metrics.person import masked_mean, person_of
from tfwarpgan.typing import Labels, Tensor

RANGES = {"range2": 2.0, "range1": 1.0, "range255": 255.0}


def l1(target: Levels, generated: Levels, data_range: float = 2.0) -> npt.NDArray[np.float64]:
    """Mean absolute difference of each pair of images.

    Args:
        target: [B, H, W, C] levels 0..255.
        generated: As `target`.
        data_range: Of the result: 255 for the difference of levels, 1 of images in [0, 1], 2 of images in [-1, 1].

    Returns:
        float64 [B] in [0, data_range].
    """
    return _differences(target, generated).mean(axis=(1, 2, 3)) * (data_range / 255.0)


def mae_gfla(target: Levels, generated: Levels) -> npt.NDArray[np.float64]:
    """GFLA's `mae`: sum of the differences over the sum of both pictures; NaN for two black ones. As `l1`."""
    sums = (target.astype(np.float64) + generated).sum(axis=(1, 2, 3))
    with np.errstate(invalid="ignore"):
        return _differences(target, generated).sum(axis=(1, 2, 3)) / sums


def l1_person(target: Tensor, generated: Tensor, parsing: Labels) -> Tensor:
    """`l1` of range 2 over the pixels that the target's parsing labels; float64 [B], NaN for a pair without a person."""
    difference = tf.abs(tf.cast(target, tf.float64) - tf.cast(generated, tf.float64)) / 127.5
    return masked_mean(difference, person_of(parsing))


def _differences(target: Levels, generated: Levels) -> npt.NDArray[np.float64]:
    return np.abs(target.astype(np.float64) - generated)


def _metric(name: str, data_range: float) -> Metric:
    text = f"mean absolute difference over pixels and channels, of pictures whose range is {data_range:g}"
    return Metric(f"l1/{name}", text, of_pictures(lambda a, b: l1(a, b, data_range)), "lower")


METRICS = (
    *(_metric(name, data_range) for name, data_range in RANGES.items()),
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
