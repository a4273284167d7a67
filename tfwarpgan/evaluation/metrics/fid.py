"""Frechet Inception Distance: two sets of pictures as two Gaussians of Inception's features.

FID = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2), covariances over n - 1.

| id                 | network, resizing      | reference in the field  | who reports it       |
|--------------------|------------------------|-------------------------|----------------------|
| `tf2015`           | 2015's, TensorFlow 1   | to be told              | TTUR, torch-fidelity |
| `clean`            | 2015's, clean-fid      | to be told              | clean-fid            |
| `torchvision-gfla` | torchvision's, PyTorch | whole training set      | GFLA, DPTN           |
| `torchvision-cfld` | torchvision's, PyTorch | training set of 256x176 | CFLD                 |
| `keras`            | Keras', clean-fid      | at home                 | nobody               |

GFLA drops the last part of a batch of 64 on both sides.
So the FIDs of pose transfer are of another network than "the" FID. The reference is the targets, or the pictures of
--reference. Few pictures are judged too badly: two halves of one set of 500 pictures are 2,400 apart. Fewer than 2,048
are refused; `kid` has no such bias.

tr (C1 C2)^1/2 is the nuclear norm of R1 R2', where R' R = C: the centered features themselves where they are few, else
by the eigenvectors of C. No matrix square root is taken.

Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, "GANs Trained by a Two Time-Scale Update Rule", NeurIPS 2017.
"""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from tfwarpgan.evaluation.metrics.features import FeatureSets
from tfwarpgan.evaluation.metrics.ids import check_counts
from tfwarpgan.evaluation.metrics.metric import Metric, Pairs, Score
from tfwarpgan.evaluation.networks.extractor import FEEDINGS
from tfwarpgan.options import MetricOptions

Matrix = npt.NDArray[np.floating]


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """A set of features: mean [D], covariance's trace, and a root R [k, D] of it, R' R."""

    mean: Matrix
    trace: float
    root: Matrix


def gaussian(features: Matrix, ddof: int = 1) -> Gaussian:
    """The Gaussian of features [N, D]."""
    features = np.asarray(features, np.float64)
    mean = features.mean(axis=0)
    centered = (features - mean) / np.sqrt(len(features) - ddof)
    if len(features) <= features.shape[1]:
        return Gaussian(mean, float((centered**2).sum()), centered)
    return gaussian_of_moments(mean, centered.T @ centered)


def gaussian_of_moments(mean: Matrix, covariance: Matrix) -> Gaussian:
    """The Gaussian of a mean [D] and a covariance [D, D], such as a file of statistics holds."""
    values, vectors = np.linalg.eigh(covariance)
    root = np.sqrt(np.maximum(values, 0.0))[:, np.newaxis] * vectors.T
    return Gaussian(np.asarray(mean, np.float64), float(np.trace(covariance)), root)


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """The squared distance of two Gaussians."""
    overlap = np.linalg.svd(first.root @ second.root.T, compute_uv=False).sum()
    return float(((first.mean - second.mean) ** 2).sum() + first.trace + second.trace - 2.0 * overlap)


class FrechetDistance:
    """The accumulator.

    Args:
        id: Of the metric.
        feeding: A key of `FEEDINGS`.
        drop: Pictures of a batch whose last part is dropped; 0: none.
        sources: Weights and reference.
    """

    def __init__(self, id: str, feeding: str, drop: int, sources: MetricOptions) -> None:
        self._id, self._sets, self._drop = id, FeatureSets(feeding, sources), drop

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""
        self._sets.update(pairs)

    def result(self) -> Score:
        """The distance; InputError below 2,048 pictures on either side."""
        generated = self._kept(self._sets.generated())
        moments = self._sets.reference_moments()
        if moments is None:
            reference = self._kept(self._sets.reference())
            check_counts([self._id], len(reference))
            other = gaussian(reference)
        else:
            other = gaussian_of_moments(*moments)
        check_counts([self._id], len(generated))
        value = frechet_distance(gaussian(generated), other)
        return Score(value, len(generated), reference=self._sets.told, weights=str(self._sets.weights))

    def _kept(self, features: Matrix) -> Matrix:
        return features[: len(features) - len(features) % self._drop] if self._drop else features


def _metric(name: str, feeding: str, drop: int = 0) -> Metric:
    dropped = f"; the last part of a batch of {drop} is dropped on both sides" if drop else ""
    text = f"Frechet distance of pooled features: {FEEDINGS[feeding].text}{dropped}"
    start = functools.partial(FrechetDistance, f"fid/{name}", feeding, drop)
    return Metric(f"fid/{name}", text, start, "lower", of_set=True)


METRICS = (
    _metric("tf2015", "tf2015"),
    _metric("clean", "clean"),
    _metric("torchvision-gfla", "torchvision", 64),
    _metric("torchvision-cfld", "torchvision"),
    _metric("keras", "keras"),
)
