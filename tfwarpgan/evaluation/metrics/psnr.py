"""Peak signal-to-noise ratio: 10 log10(255^2 / mean squared error) of each pair, then the mean over the pairs.

PG2, GFLA and CFLD print this number (the last two of pictures in [0, 1], which is the same). Identical pictures have an
infinite ratio: the mean is over the others, and their number is printed beside it.
"""

import numpy as np
import numpy.typing as npt

from tfwarpgan.evaluation.metrics.metric import Levels, Metric, of_pictures


def psnr(target: Levels, generated: Levels) -> npt.NDArray[np.float64]:
    """The ratio of each pair in dB.

    Args:
        target: [B, H, W, C] levels 0..255.
        generated: Likewise.

    Returns:
        float64 [B]; infinite for identical pictures.
    """
    errors = ((target.astype(np.float64) - generated) ** 2).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(255.0**2 / errors)


METRICS = (
    Metric(
        "psnr/255", "10 log10(255^2 / mean squared error) of each pair in dB; identical pairs are left out and counted",
        of_pictures(psnr, infinite="identical_pairs"),
    ),
)  # fmt: skip
