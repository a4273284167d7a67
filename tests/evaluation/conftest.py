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


INCEPTION_KERNELS = {  # heights and widths of the convolutions, by the end of their names
    "Conv2d_1a_3x3": (3, 3), "Conv2d_2a_3x3": (3, 3), "Conv2d_2b_3x3": (3, 3), "Conv2d_3b_1x1": (1, 1),
    "Conv2d_4a_3x3": (3, 3), "branch1x1": (1, 1), "branch5x5_1": (1, 1), "branch5x5_2": (5, 5), "branch3x3": (3, 3),
    "branch3x3dbl_1": (1, 1), "branch3x3dbl_2": (3, 3), "branch3x3dbl_3": (3, 3), "branch_pool": (1, 1),
    "branch7x7_1": (1, 1), "branch7x7_2": (1, 7), "branch7x7_3": (7, 1), "branch7x7dbl_1": (1, 1),
    "branch7x7dbl_2": (7, 1), "branch7x7dbl_3": (1, 7), "branch7x7dbl_4": (7, 1), "branch7x7dbl_5": (1, 7),
    "branch3x3_1": (1, 1), "branch3x3_2": (3, 3), "branch7x7x3_1": (1, 1), "branch7x7x3_2": (1, 7),
    "branch7x7x3_3": (7, 1), "branch7x7x3_4": (3, 3), "branch3x3_2a": (1, 3), "branch3x3_2b": (3, 1),
    "branch3x3dbl_3a": (1, 3), "branch3x3dbl_3b": (3, 1),
}  # fmt: skip
# Inputs of each convolution of a block as multiples of its width: of the block's input, or of one channel of a branch.
OUTPUTS = {"Mixed_5": 4, "Mixed_6a": 2, "Mixed_6": 4, "Mixed_7a": 2, "Mixed_7": 6}  # branches that a block joins


def inception_shapes(width=1):
    """Name -> (height, width, in, out) of the kernels of an Inception whose convolutions have `width` channels."""
    from tfwarpgan.evaluation.weights.graph_def import node_names

    shapes, into = {}, 3
    block, joined = "", 0
    for name in node_names():
        scope, _, branch = name.partition(".")
        if branch and scope != block:
            into = into if not block else joined
            joined = width * next(count for start, count in OUTPUTS.items() if scope.startswith(start))
            joined += into if scope.endswith("a") and scope != "Mixed_5a" else 0  # pooled beside
            block = scope
        first = not branch or branch in ("branch1x1", "branch3x3", "branch_pool") or branch.endswith("_1")
        kernel = INCEPTION_KERNELS[branch or scope]
        shapes[name] = (*kernel, into if first else width, width)
        if not branch:
            into = width
    return shapes, joined


@pytest.fixture(scope="session")
def tiny_inception():
    """Function of (width, classes) -> tensors of an Inception as PyTorch names them, with random values."""

    def make(width=1, classes=1008, seed=0):
        random = np.random.default_rng(seed)
        tensors = {}
        shapes, last = inception_shapes(width)
        for name, (height, wide, into, out) in shapes.items():
            scale = (2 / (height * wide * into)) ** 0.5
            tensors[f"{name}.conv.weight"] = random.normal(0, scale, (out, into, height, wide)).astype(np.float32)
            for part, middle in (("weight", 1.2), ("bias", 0.2), ("running_mean", 0.0), ("running_var", 1.0)):
                tensors[f"{name}.bn.{part}"] = (middle + random.uniform(-0.2, 0.2, out)).astype(np.float32)
        tensors["fc.weight"] = random.normal(0, 1, (classes, last)).astype(np.float32)
        tensors["fc.bias"] = random.normal(0, 1, classes).astype(np.float32)
        return tensors

    return make
