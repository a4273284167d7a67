"""Inception Score: pictures that a classifier is sure about, and of many classes; exp(mean KL(p(y|x) || p(y))).

`openai2015` is what pose-gan, PG2, PATN and the authors of the Soft-Gated Warping-GAN ran: the graph of 2015-12-05 with
its own resizing, its 1,008 classes WITHOUT the bias of the classifier, 10 splits in the order of the pictures, mean and
population deviation over them. With the bias, or with torchvision's weights, the number is another. PATN's DeepFashion
numbers are of pictures padded with white (`+white40`), mask-IS of pictures black outside of a mask (`+mask/posegan`).

It never sees a target, and fewer pictures score less: the score of the targets stands beside it.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for Training GANs", NeurIPS 2016, section 4.
"""

import numpy as np
import numpy.typing as npt

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.metric import Metric, Pairs, Score
from tfwarpgan.evaluation.networks.extractor import FEEDINGS, extractor
from tfwarpgan.options import MetricOptions

SPLITS = 10


def inception_score(logits: npt.ArrayLike, splits: int = SPLITS) -> tuple[float, float]:
    """The score of pictures in their order.

    Args:
        logits: [N, classes], N not below `splits`.
        splits: Parts that are scored on their own; part i begins at i N // splits.

    Returns:
        (mean, population standard deviation) over the parts.
    """
    logits = np.asarray(logits, np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    bounds = [part * len(logits) // splits for part in range(splits + 1)]
    scores = [_part(log_p[start:end]) for start, end in zip(bounds, bounds[1:])]
    return float(np.mean(scores)), float(np.std(scores))


def _part(log_p: npt.NDArray[np.float64]) -> float:
    largest = log_p.max(axis=0)
    log_mean = largest + np.log(np.exp(log_p - largest).mean(axis=0))  # no class has probability 0
    divergence = (np.exp(log_p) * (log_p - log_mean)).sum(axis=1)
    return float(np.exp(divergence.mean()))


class InceptionScore:
    """The accumulator."""

    def __init__(self, sources: MetricOptions) -> None:
        self._extract = extractor("tf2015", sources.metric_weights)
        self._generated: list[npt.NDArray[np.float32]] = []
        self._targets: list[npt.NDArray[np.float32]] = []

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""
        self._generated.append(self._extract.logits(pairs.generated))
        self._targets.append(self._extract.logits(pairs.target))

    def result(self) -> Score:
        """The score, its deviation over the splits, and the score of the targets; InputError for too few pictures."""
        logits = np.concatenate(self._generated)
        if len(logits) < SPLITS:
            raise InputError(f"--metrics: is/openai2015 needs at least {SPLITS} pictures, one for each split.")
        mean, spread = inception_score(logits)
        targets, _ = inception_score(np.concatenate(self._targets))
        return Score(mean, len(logits), None, spread, {"targets": targets}, weights=str(self._extract.weights))


METRICS = (
    Metric(
        "is/openai2015",
        f"exp(mean KL) of softmax without bias over 1008 classes, {SPLITS} splits in order: {FEEDINGS['tf2015'].text}",
        InceptionScore,
        of_set=True,
    ),
)
