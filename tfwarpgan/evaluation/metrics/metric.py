"""What every metric is: batches of scored pairs in, one number out, with what the number depends on."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Array

Levels = npt.NDArray[Any]  # [B, H, W, 3] RGB on the scale of 0..255: uint8, or floating once a picture was changed


@dataclasses.dataclass(frozen=True)
class Pairs:
    """A batch of pairs that are scored.

    Attributes:
        names: (condition, target) of each pair.
        target: `Levels` of the true pictures.
        generated: Of those that are judged.
        parsing: LIP labels of the targets, integer [B, H, W]; None: there are none.
        poses: Role -> (joints float [B, 18, 2] as (y, x), visible bool [B, 18]); roles are "target", "condition", and
            "detected" and "detected_target", which a detector found in the generated and in the true pictures.
        pictures: Names of the generated pictures' files without suffix; none: they are in no file.
    """

    names: Sequence[tuple[str, str]]
    target: Levels
    generated: Levels
    parsing: Array | None = None
    poses: Mapping[str, tuple[Array, Array]] = dataclasses.field(default_factory=dict)
    pictures: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.names)


@dataclasses.dataclass(frozen=True)
class Score:
    """A metric over all pairs.

    Attributes:
        value: The number; NaN where no pair has one.
        count: Pairs (of PCKh and MKR: joints) that it is a mean over.
        pairs: The number of each pair, [pairs]; None for a metric of a set.
        spread: Standard deviation, of metrics that are reported with one.
        beside: Other numbers that belong to it, by name.
        reference: The set that it was measured against and its hash; empty: the targets.
        weights: sha256 of the files of the networks that measured it.
    """

    value: float
    count: int
    pairs: Array | None = None
    spread: float | None = None
    beside: Mapping[str, float] = dataclasses.field(default_factory=dict)
    reference: str = ""
    weights: str = ""


class Accumulator(Protocol):
    """A metric being measured."""

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""

    def result(self) -> Score:
        """The metric over all batches so far."""


NO_SOURCES = MetricOptions()


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric in one protocol.

    Attributes:
        id: Its name, `metric/protocol`.
        protocol: What is computed, in one sentence.
        start: Function of `MetricOptions` -> new `Accumulator`.
        goal: What is better: "higher", "lower", or "one", a number near 1.
        needs: What `Pairs` must hold beside the pictures: "parsing", "pictures", or roles of `Pairs.poses`.
        of_set: It is a number of all pictures together, without one for each pair.
    """

    id: str
    protocol: str
    start: Callable[[MetricOptions], Accumulator]
    goal: str = "higher"
    needs: tuple[str, ...] = ()
    of_set: bool = False


class PairMean:
    """A number for each pair, and the mean of those that are finite.

    Args:
        measure: Function of `Pairs` -> numbers [B].
        infinite: What infinite numbers mean, as a key of `Score.beside`, which then holds their count.
        weights: See `Score.weights`.
    """

    def __init__(self, measure: Callable[[Pairs], Any], infinite: str = "", weights: str = "") -> None:
        self._measure, self._infinite, self._weights = measure, infinite, weights
        self._values: list[Array] = []

    def update(self, pairs: Pairs) -> None:
        """Takes a batch in."""
        self._values.append(np.asarray(self._measure(pairs), np.float64))

    def result(self) -> Score:
        """The mean, with the numbers of all pairs."""
        values = np.concatenate([np.zeros(0), *self._values])
        finite = values[np.isfinite(values)]
        beside = {self._infinite: float(np.isinf(values).sum())} if self._infinite else {}
        mean = float(finite.mean()) if len(finite) else float("nan")
        return Score(mean, len(finite), values, beside=beside, weights=self._weights)


def of_pictures(measure: Callable[[Any, Any], Any], infinite: str = "") -> Callable[[MetricOptions], Accumulator]:
    """`Metric.start` of a NumPy function of (target, generated) -> numbers [B]."""
    return lambda sources: PairMean(lambda pairs: measure(pairs.target, pairs.generated), infinite)


def in_graph(measure: Callable[[Any, Any], Any]) -> Callable[[MetricOptions], Accumulator]:
    """As `of_pictures`, of a TensorFlow function."""
    return of_pictures(traced(measure))


def in_graph_by_parsing(measure: Callable[[Any, Any, Any], Any]) -> Callable[[MetricOptions], Accumulator]:
    """As `in_graph`, of a function of (target, generated, parsing)."""
    graph = traced(measure)
    return lambda sources: PairMean(lambda pairs: graph(pairs.target, pairs.generated, pairs.parsing))


def traced(measure: Callable[..., Any]) -> Callable[..., Any]:
    """A TensorFlow function of batches as a graph for each size of pictures, and for any size of batches."""
    graphs: dict[Any, Any] = {}

    def call(*batches: Any) -> Any:
        key = tuple((batch.shape[1:], batch.dtype) for batch in batches)
        if key not in graphs:
            specs = [tf.TensorSpec([None, *batch.shape[1:]], batch.dtype) for batch in batches]
            graphs[key] = tf.function(measure, input_signature=specs)
        return graphs[key](*batches)

    return call
