"""What an evaluation found: every number with its id and all that it depends on."""

import dataclasses
import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

import tfwarpgan
from tfwarpgan.typing import Array

MODEL = "model"


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What all numbers of an evaluation depend on, beside their protocols.

    Attributes:
        height, width: Of the pictures that were compared, before any padding.
        quantization: How the generated pictures became levels: "round", "truncate", or that they were files, by suffix.
        order: Of the pairs, which only splits of a set depend on.
        reference: The true pictures, by name and hash.
        kit: Version of this package.
    """

    height: int
    width: int
    quantization: str
    order: str
    reference: str
    kit: str = tfwarpgan.__version__

    def of(self, id: str, reference: str = "", weights: str = "") -> str:
        """The whole id of a number, with the reference and the weights that it has of its own."""
        padding = [part.removeprefix("white") for part in id.split("+") if part.startswith("white")]
        return "; ".join(
            [
                id,
                f"size {self.height}x{self.width}",
                f"padding {padding[0]} white columns at each side" if padding else "padding none",
                f"quantization {self.quantization}",
                f"order {self.order}",
                f"reference {reference or self.reference}",
                f"weights {weights or 'none'}",
                f"tfwarpgan {self.kit}",
            ]
        )


@dataclasses.dataclass(frozen=True)
class Result:
    """One number of the model and the same number of the baselines.

    Attributes:
        name: Its key in metrics.json.
        id: `metric/protocol`, see `metrics.ids`.
        protocol: What is computed.
        goal: What is better: "higher", "lower", or "one", a number near 1.
        model: The number.
        baselines: Name -> the number of that baseline; empty: it has none.
        by_label: For each label, of a parsing.
        measured: The whole id, see `Measurement.of`.
        count: Pairs (or joints) that it is a mean over.
        spread: Its standard deviation, where it is reported with one.
        beside: Other numbers that belong to it.
    """

    name: str
    id: str
    protocol: str
    goal: str
    model: float
    baselines: Mapping[str, float] = dataclasses.field(default_factory=dict)
    by_label: tuple[float, ...] = ()
    measured: str = ""
    count: int = 0
    spread: float | None = None
    beside: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def beats_baselines(self) -> bool | None:
        """Whether the model is better than every baseline; None where there is none."""
        if not self.baselines:
            return None
        return all(self._distance(self.model) < self._distance(value) for value in self.baselines.values())

    def _distance(self, value: float) -> float:
        return {"higher": -value, "lower": value, "one": abs(value - 1.0)}[self.goal]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The results over all pairs, and those of each pair (`pairs[name][who]`, float [pairs]).

    Attributes:
        metrics: All results.
        names: (condition, target) of each pair.
        pairs: See above.
        pose_change: The size of each pair's change of pose, float32 [pairs], see `pose_change`; NaN: not known.
        measurement: What all of them depend on.
    """

    metrics: tuple[Result, ...]
    names: tuple[tuple[str, str], ...]
    pairs: Mapping[str, Mapping[str, Array]]
    pose_change: Array
    measurement: Measurement

    def __len__(self) -> int:
        return len(self.names)

    def ranking(self, metric: str = "ssim_gaussian") -> npt.NDArray[np.intp]:
        """The positions of the pairs, the best first."""
        values = self.pairs[metric][MODEL]
        goal = next(result.goal for result in self.metrics if result.name == metric)
        return np.argsort(values if goal == "lower" else -values, kind="stable")


class PictureHash:
    """sha256 of the levels of pictures in their order, whatever files they came from."""

    def __init__(self) -> None:
        self._hash, self._count = hashlib.sha256(), 0

    def update(self, pictures: npt.NDArray[np.uint8]) -> None:
        """Takes pictures [B, H, W, 3] in."""
        self._hash.update(np.ascontiguousarray(pictures).tobytes())
        self._count += len(pictures)

    def __str__(self) -> str:
        return f"{self._count} targets sha256:{self._hash.hexdigest()[:12]}"
