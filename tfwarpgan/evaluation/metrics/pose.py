"""Whether the generated person stands in the target's pose: PCKh, AKD and MKR of joints that a detector found.

Detectors differ, so that the id's detector is named (--detector), and the same number of the true pictures, where their
joints were detected too (--detected_targets), stands beside it as a ceiling.

`pckh/patn`  PATN's: a joint is right if it is off by less than half the extent of the head in x AND in y (strictly;
             the extents may be 0). Head: the target's visible nose, neck, eyes and ears, two at least, else the picture
             counts in neither numerator nor denominator. A joint missing in the prediction is wrong; one that the
             target lacks does not count. One ratio over all joints of all pictures. It is not the PCKh of MPII.
`akd/mean`   Average keypoint distance: mean Euclidean distance in pixels over the joints that both have.
`mkr/mean`   Missing keypoint rate: share of the target's joints that the prediction lacks.

Zhu et al., "Progressive Pose Attention Transfer", CVPR 2019; Siarohin et al., "Animating Arbitrary Objects via Deep
Motion Transfer", CVPR 2019.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tfwarpgan.evaluation.metrics.metric import Metric, Pairs, Score
from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Array

HEAD = (0, 1, 14, 15, 16, 17)
Poses = tuple[Array, Array]  # joints [B, 18, 2] as (y, x), visible [B, 18]
Parts = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # numerators and denominators [B]


def pckh(target: Poses, detected: Poses) -> Parts:
    """(right joints, joints that count) of each picture."""
    joints, visible = np.asarray(target[0], np.float64), np.asarray(target[1], bool)
    head = list(HEAD)
    seen = visible[:, head, np.newaxis]
    largest = np.where(seen, joints[:, head], -np.inf).max(axis=1)
    smallest = np.where(seen, joints[:, head], np.inf).min(axis=1)
    counts = visible & (visible[:, head].sum(axis=1) >= 2)[:, np.newaxis]
    with np.errstate(invalid="ignore"):
        reach = 0.5 * (largest - smallest)[:, np.newaxis]
        near = (np.abs(np.asarray(detected[0], np.float64) - joints) < reach).all(axis=-1)
    right = counts & np.asarray(detected[1], bool) & near
    return right.sum(axis=1).astype(np.float64), counts.sum(axis=1).astype(np.float64)


def distances(target: Poses, detected: Poses) -> Parts:
    """(sum of the distances, joints that both have) of each picture."""
    both = np.asarray(target[1], bool) & np.asarray(detected[1], bool)
    lengths = np.linalg.norm(np.asarray(target[0], np.float64) - np.asarray(detected[0], np.float64), axis=-1)
    return np.where(both, lengths, 0.0).sum(axis=1), both.sum(axis=1).astype(np.float64)


def missing(target: Poses, detected: Poses) -> Parts:
    """(joints of the target that were not found, joints of the target) of each picture."""
    visible, found = np.asarray(target[1], bool), np.asarray(detected[1], bool)
    return (visible & ~found).sum(axis=1).astype(np.float64), visible.sum(axis=1).astype(np.float64)


class JointRatio:
    """A ratio over all joints of all pictures, and of each picture.

    Args:
        count: Function of (target, detected) poses -> `Parts`.
        sources: What the detector is called.
    """

    def __init__(self, count: Callable[[Poses, Poses], Parts], sources: MetricOptions) -> None:
        self._count, self._detector = count, sources.detector or "not named"
        self._parts: list[Parts] = []
        self._ceiling: list[Parts] = []

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""
        self._parts.append(self._count(pairs.poses["target"], pairs.poses["detected"]))
        if "detected_target" in pairs.poses:
            self._ceiling.append(self._count(pairs.poses["target"], pairs.poses["detected_target"]))

    def result(self) -> Score:
        """The ratio, with that of the true pictures beside it where they were detected too."""
        numerators, denominators = (np.concatenate(column) for column in zip(*self._parts))
        beside = {"targets": _ratio(self._ceiling)} if self._ceiling else {}
        with np.errstate(invalid="ignore"):
            of_pictures = np.where(denominators > 0, numerators / denominators, np.nan)
        weights = f"detector {self._detector}"
        return Score(_ratio(self._parts), int(denominators.sum()), of_pictures, None, beside, weights=weights)


def _ratio(parts: list[Parts]) -> float:
    numerator, denominator = (float(np.concatenate(column).sum()) for column in zip(*parts))
    return numerator / denominator if denominator else float("nan")


def _metric(id: str, count: Callable[[Poses, Poses], Parts], goal: str, text: str) -> Metric:
    return Metric(id, text, lambda sources: JointRatio(count, sources), goal, ("target", "detected"))


METRICS = (
    _metric("pckh/patn", pckh, "higher", "share of the target's joints within half the head's extent in x and in y"),
    _metric("akd/mean", distances, "lower", "mean distance in pixels of the joints that target and prediction have"),
    _metric("mkr/mean", missing, "lower", "share of the target's joints that the prediction lacks"),
)
