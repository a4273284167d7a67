"""What any model must beat: the condition image copied, and the mean of the training images.

A person of Market-1501 changes so little between two images that the condition image itself scores well, and a
blurred mean scores well in L1; a number of a model says something only beside these two.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tfwarpgan.typing import Batch, Image

NAMES = ("copy_condition", "mean_image")


def copy_condition(batch: Batch) -> Image:
    """The condition images [B, H, W, 3] of a batch, given as if they were the synthesized ones."""
    return batch["condition_image"]


def mean_image(dataset: Iterable[Batch], num_pairs: int) -> tuple[npt.NDArray[np.float32], int]:
    """Mean of the target images of the first pairs of a data set, read as a stream.

    Args:
        dataset: Batches with `target_image` [B, H, W, 3] in [-1, 1]; of the training split, or it is not a baseline.
        num_pairs: Pairs to take; a data set that ends earlier is taken whole.

    Returns:
        The mean, float32 [H, W, 3] in [-1, 1], and the number of pairs that it was taken over.
    """
    total: npt.NDArray[np.float64] = np.zeros(())
    count = 0
    for batch in dataset:
        images = np.asarray(batch["target_image"], np.float64)[: num_pairs - count]
        total, count = total + images.sum(axis=0), count + len(images)
        if count >= num_pairs:
            break
    if not count:
        raise ValueError("mean_image() needs at least one pair.")
    return (total / count).astype(np.float32), count
