"""Kernel Inception Distance: how far two sets of features are apart by a polynomial kernel, without a bias of few.

The unbiased squared maximum mean discrepancy with (x . y / D + 1)^3, mean and deviation over 100 subsets of 1,000
pictures (of all, where there are fewer) that are drawn without replacement by seed 2020, as torch-fidelity does. It may
be below 0.

Binkowski, Sutherland, Arbel, Gretton, "Demystifying MMD GANs", ICLR 2018, section 3.
"""

import numpy as np
import numpy.typing as npt

from tfwarpgan.evaluation.metrics.features import FeatureSets
from tfwarpgan.evaluation.metrics.metric import Metric, Pairs, Score
from tfwarpgan.evaluation.networks.extractor import FEEDINGS
from tfwarpgan.options import MetricOptions

SUBSETS, SUBSET_SIZE, SEED = 100, 1000, 2020
Matrix = npt.NDArray[np.floating]


def squared_discrepancy(x: Matrix, y: Matrix) -> float:
    """The unbiased estimate for features x [m, D] and y [m, D], m > 1."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    within_x, within_y, between = (_kernel(a, b) for a, b in ((x, x), (y, y), (x, y)))
    count = len(x)
    within = sum(kernel.sum() - np.trace(kernel) for kernel in (within_x, within_y))
    return float(within / (count * (count - 1)) - 2.0 * between.mean())


def kernel_distance(
    generated: Matrix, reference: Matrix, subsets: int = SUBSETS, size: int = SUBSET_SIZE, seed: int = SEED
) -> tuple[float, float]:
    """(mean, standard deviation) of `squared_discrepancy` over random subsets of both sets [N, D], [M, D]."""
    size = min(size, len(generated), len(reference))
    random = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        part = generated[random.choice(len(generated), size, replace=False)]
        values.append(squared_discrepancy(part, reference[random.choice(len(reference), size, replace=False)]))
    return float(np.mean(values)), float(np.std(values))


def _kernel(x: Matrix, y: Matrix) -> Matrix:
    return (x @ y.T / x.shape[1] + 1.0) ** 3


class KernelDistance:
    """The accumulator; arguments as of `FeatureSets`."""

    def __init__(self, sources: MetricOptions) -> None:
        self._sets = FeatureSets("clean", sources)

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""
        self._sets.update(pairs)

    def result(self) -> Score:
        """The distance, its deviation over the subsets, and their size."""
        generated, reference = self._sets.generated(), self._sets.reference()
        mean, spread = kernel_distance(generated, reference)
        size = {"subset_size": float(min(SUBSET_SIZE, len(generated), len(reference)))}
        return Score(mean, len(generated), None, spread, size, self._sets.told, str(self._sets.weights))


METRICS = (
    Metric(
        "kid/clean",
        f"unbiased squared MMD with (x . y / D + 1)^3, {SUBSETS} subsets of {SUBSET_SIZE} by seed {SEED}: "
        f"{FEEDINGS['clean'].text}",
        KernelDistance,
        "lower",
        of_set=True,
    ),
)
