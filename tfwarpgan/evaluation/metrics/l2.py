"""PG2's `L2`: the Euclidean distance of two pictures over the number of their values.

It is no root mean square error, which would be over the square root of that number.
"""

import numpy as np
import numpy.typing as npt

from tfwarpgan.evaluation.metrics.metric import Levels, Metric, of_pictures


def l2_pg2(target: Levels, generated: Levels) -> npt.NDArray[np.float64]:
    """Root of the sum of squared differences of levels 0..255 [B, H, W, C], over H W C; float64 [B]."""
    squares = (target.astype(np.float64) - generated) ** 2
    return np.sqrt(squares.sum(axis=(1, 2, 3))) / squares[0].size


METRICS = (
    Metric(
        "l2/pg2", "root of the sum of squared differences of levels 0..255, over their number; no root mean square",
        of_pictures(l2_pg2), "lower",
    ),
)  # fmt: skip
