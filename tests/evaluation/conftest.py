"""Arrays by integer formulas, whose scores were worked out by other projects' code (docs/evaluation.md)."""

import numpy as np
import pytest


def target_picture(height, width):
    """uint8 [H, W, 3]."""
    y, x, c = np.mgrid[:height, :width, :3]
    return ((40 + 2 * y + 3 * x + 25 * c + (x * y) % 17) % 256).astype(np.uint8)


def generated_picture(height, width):
    """uint8 [H, W, 3], near `target_picture`."""
    y, x, c = np.mgrid[:height, :width, :3]
    levels = target_picture(height, width).astype(int) + (5 * x + 3 * y + 11 * c) % 23 - 11
    return np.clip(levels, 20, 235).astype(np.uint8)


@pytest.fixture
def worked():
    """Function of a size -> (target, generated) as batches of one, uint8 [1, H, W, 3]."""
    return lambda height, width: (target_picture(height, width)[None], generated_picture(height, width)[None])


@pytest.fixture
def joints():
    """(joints [18, 2], visible [18]) in a picture of 128 x 64, joint 13 missing."""
    places = (
        "14,32 24,32 25,23 40,17 54,14 25,41 40,47 54,50 60,26 85,25 110,24 60,38 85,39 -1,-1 12,30 12,34 13,27 -1,-1"
    )
    found = np.array([[float(number) for number in place.split(",")] for place in places.split()], np.float32)
    return found, found[:, 0] >= 0


@pytest.fixture
def features():
    """Function of (n, d, k) -> float64 [n, d] in [0, 1)."""

    def make(n, d, k):
        i, j = np.mgrid[:n, :d]
        return ((i * i * (7 + k) + j * j * 3 + i * j * (5 + 2 * k) + 11 * k) % 101) / 101.0

    return make
