"""Several metrics of several contenders (the model, its baselines), measured in one pass over the pairs."""

from collections.abc import Iterator, Mapping, Sequence

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics.ids import key
from tfwarpgan.evaluation.metrics.metric import Accumulator, Metric, Pairs, Score
from tfwarpgan.evaluation.results import MODEL, Measurement, Result
from tfwarpgan.options import MetricOptions
from tfwarpgan.typing import Array


class Scoreboard:
    """An accumulator for each metric and contender; numbers of a set are measured of the model alone.

    Args:
        metrics: What to measure.
        sources: Files that some of them need.
        there: What the pairs hold, of `Metric.needs`.

    Raises:
        InputError: If a metric needs what is not there.
    """

    def __init__(self, metrics: Sequence[Metric], sources: MetricOptions, there: Sequence[str]) -> None:
        check_needs(metrics, there)
        self.metrics, self._sources = list(metrics), sources
        self._running: dict[str, dict[str, Accumulator]] = {metric.id: {} for metric in metrics}
        self._scores: dict[str, dict[str, Score]] = {}
        for metric in metrics:  # what lacks a file is refused before anything is measured
            self._running[metric.id][MODEL] = metric.start(sources)

    def update(self, who: str, pairs: Pairs) -> None:
        """Takes a batch of a contender in."""
        for metric in self.metrics:
            if who == MODEL or not metric.of_set:
                running = self._running[metric.id]
                if who not in running:
                    running[who] = metric.start(self._sources)
                running[who].update(pairs)

    def scores(self) -> dict[str, dict[str, Score]]:
        """The scores by id and contender."""
        if not self._scores:
            self._scores = {
                id: {who: accumulator.result() for who, accumulator in running.items()}
                for id, running in self._running.items()
            }
        return self._scores

    def pairs(self) -> dict[str, dict[str, Array]]:
        """Key in pairs.csv -> who -> the numbers of all pairs, of the metrics that have them."""
        found = {
            key(id): {who: score.pairs for who, score in scores.items() if score.pairs is not None}
            for id, scores in self.scores().items()
        }
        return {name: values for name, values in found.items() if values}

    def results(self, measurement: Measurement) -> Iterator[Result]:
        """The numbers with all that they depend on."""
        for metric in self.metrics:
            scores = self.scores()[metric.id]
            yield result_of(metric, scores[MODEL], scores, measurement)


_LACKS = {
    "parsing": "label maps, which only the pairs of a run have, if its data set has any",
    "target": "the joints of the targets; give --keypoints",
    "condition": "the joints of the condition images; give --keypoints, and --pairs where the names do not tell them",
    "pictures": "pictures in files; synthesize them first, then score them with --pictures",
    "detected": "the joints that a detector found in the pictures; give --detected",
}


def check_needs(metrics: Sequence[Metric], there: Sequence[str]) -> None:
    """Refuses metrics that need what the pairs do not hold.

    Raises:
        InputError: Naming the first of them.
    """
    for metric in metrics:
        for need in metric.needs:
            if need not in there:
                raise InputError(f"--metrics: {metric.id} needs {_LACKS[need]}.")


def result_of(metric: Metric, score: Score, scores: Mapping[str, Score], measurement: Measurement) -> Result:
    """A metric's `Result` from its scores by contender."""
    return Result(
        key(metric.id),
        metric.id,
        metric.protocol,
        metric.goal,
        score.value,
        {who: other.value for who, other in scores.items() if who != MODEL},
        measured=measurement.of(metric.id, score.reference, score.weights),
        count=score.count,
        spread=score.spread,
        beside=score.beside,
    )
