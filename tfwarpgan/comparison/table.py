"""The numbers of a table: means over seeds, their intervals, and tests of every row against the first.

Rows are compared by seeds, where there are several: then a difference is one of the methods. With one seed they are
compared by pairs, in clusters of a person: then it is one of two trained models.
"""

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tfwarpgan.comparison.results import Metric, Result, person_clusters
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.statistics import (
    bootstrap_p,
    clustered_means,
    holm,
    percentile_interval,
    sign_flip_test,
    t_interval,
)

LEVEL = 0.05
LEAST_PERSONS = 10  # a bootstrap of fewer is too sure of itself
Results = Mapping[int, Result]  # of a row, by seed


@dataclasses.dataclass(frozen=True)
class Cell:
    """A row's number: the mean over its seeds, its interval (NaN for one seed) and the numbers themselves."""

    mean: float
    interval: tuple[float, float]
    values: Mapping[int, float]


@dataclasses.dataclass(frozen=True)
class Test:
    """A row against another: the mean difference of the numbers, its interval, p-value and the one adjusted by Holm.

    `better` says of the difference whether the row is the better one. What cannot be tested is NaN.
    """

    difference: float
    interval: tuple[float, float]
    p: float
    better: bool
    adjusted: float = math.nan

    @property
    def is_significant(self) -> bool:
        return self.adjusted < LEVEL


@dataclasses.dataclass(frozen=True)
class Table:
    """Everything that is printed.

    Attributes:
        titles: Of the rows, in order.
        metrics: The columns, in order.
        cells: (title, name of the metric) -> cell; missing: the row has no such number.
        tests: Likewise, of every row but the first against the first.
        best: Name of the metric -> title of the row that is significantly better than every other; or missing.
        seeds: All seeds.
        by_pairs: Whether rows are compared by pairs, not by seeds.
        persons: Of the test pairs.
        others: Numbers that were measured otherwise than those of the first row: title and protocol.
    """

    titles: tuple[str, ...]
    metrics: tuple[Metric, ...]
    cells: Mapping[tuple[str, str], Cell]
    tests: Mapping[tuple[str, str], Test]
    best: Mapping[str, str]
    seeds: tuple[int, ...]
    by_pairs: bool
    persons: int
    others: tuple[str, ...]


def make_table(results: Mapping[str, Results], seeds: Sequence[int], columns: Sequence[str] = ()) -> Table:
    """The table of rows.

    Args:
        results: Title -> seed -> what its evaluation found; the first row is what the others are compared with.
        seeds: All seeds.
        columns: Names or ids of the metrics; empty: those that have a number for each pair.

    Raises:
        InputError: If rows were scored on other pairs, or a column is unknown.
    """
    _check_pairs(results)
    metrics = _columns(results, columns)
    cells = {
        (title, metric.name): _cell({seed: result.values[metric.name] for seed, result in of_row.items()})
        for title, of_row in results.items()
        for metric in metrics
        if of_row and all(metric.name in result.values for result in of_row.values())
    }
    tests: dict[tuple[str, str], Test] = {}
    best: dict[str, str] = {}
    for metric in metrics:
        there = {title: of_row for title, of_row in results.items() if (title, metric.name) in cells}
        against_first, winner = _tests_of(metric, there, cells, next(iter(results)), by_pairs=len(seeds) == 1)
        tests |= {(title, metric.name): test for title, test in against_first.items()}
        best |= {metric.name: winner} if winner else {}
    return Table(
        tuple(results), tuple(metrics), cells, tests, best, tuple(seeds),
        by_pairs=len(seeds) == 1,
        persons=len(set(person_clusters(next(_all(results)).names))),
        others=_measured_otherwise(results, metrics),
    )  # fmt: skip


def _tests_of(
    metric: Metric, there: Mapping[str, Results], cells: Mapping[tuple[str, str], Cell], first: str, by_pairs: bool
) -> tuple[dict[str, Test], str]:
    """The tests of a column's rows against the first, and the row that is significantly better than every other."""
    if not there:
        return {}, ""
    against_first = _tests(there, first, metric, by_pairs) if first in there else {}
    winner = max(there, key={title: _rank(metric, cells[title, metric.name]) for title in there}.__getitem__)
    against_winner = against_first if winner == first else _tests(there, winner, metric, by_pairs)
    wins = [test.is_significant and not test.better for test in against_winner.values()]
    return against_first, winner if wins and all(wins) else ""


def _measured_otherwise(results: Mapping[str, Results], metrics: Sequence[Metric]) -> tuple[str, ...]:
    found = {
        f"[{title}] {result.metrics[metric.name].protocol}": None
        for title, of_row in results.items()
        for result in of_row.values()
        for metric in metrics
        if metric.name in result.metrics and result.metrics[metric.name].protocol != metric.protocol
    }
    return tuple(found)


def _rank(metric: Metric, cell: Cell) -> float:
    quality = float(metric.quality(np.array(cell.mean)))
    return quality if math.isfinite(quality) else -math.inf


def _cell(values: Mapping[int, float]) -> Cell:
    return Cell(float(np.mean(list(values.values()))), t_interval(list(values.values())), values)


def _columns(results: Mapping[str, Results], columns: Sequence[str]) -> list[Metric]:
    there: dict[str, Metric] = {}
    by_pair: list[Metric] = []
    for result in _all(results):
        for name, metric in result.metrics.items():
            there.setdefault(name, metric)
            if result.of_pairs(metric) is not None and metric not in by_pair and there[name] is metric:
                by_pair.append(metric)
    if not columns:
        return by_pair
    named = {**{metric.id: metric for metric in there.values()}, **there}
    for name in columns:
        if there and name not in named:
            raise InputError(f"--columns: {name} is none of {', '.join(there)}.")
    return [named[name] for name in columns if name in named]


def _check_pairs(results: Mapping[str, Results]) -> None:
    """Refuses rows of other test pairs: their numbers would not compare."""
    first: tuple[str, list[str]] | None = None
    for title, of_row in results.items():
        for result in of_row.values():
            targets = sorted(target for _, target in result.names)
            first = first or (title, targets)
            if targets != first[1]:
                raise InputError(
                    f"[{title}] was scored on other pairs ({len(targets)}) than [{first[0]}] ({len(first[1])}): "
                    f"{result.folder}; evaluate both on the same."
                )


def _all(results: Mapping[str, Results]) -> Iterator[Result]:
    return (result for of_row in results.values() for result in of_row.values())


def _tests(results: Mapping[str, Results], first: str, metric: Metric, by_pairs: bool) -> dict[str, Test]:
    """Every other row against one, adjusted for their number."""
    compare = functools.partial(_by_pairs if by_pairs else _by_seeds, metric=metric)
    found = {title: compare(results[first], results[title]) for title in results if title != first}
    testable = [title for title, test in found.items() if math.isfinite(test.p)]
    for title, p in zip(testable, holm([found[title].p for title in testable])):
        found[title] = dataclasses.replace(found[title], adjusted=p)
    return found


def _by_seeds(first: Results, other: Results, metric: Metric) -> Test:
    """The exact sign-flip test of the differences of runs with the same seed."""
    pairs = [(first[seed].values[metric.name], other[seed].values[metric.name]) for seed in first if seed in other]
    if not pairs:
        return Test(math.nan, (math.nan, math.nan), math.nan, better=False)
    ours, theirs = np.array(pairs).T
    gains = metric.quality(theirs) - metric.quality(ours)
    p = sign_flip_test(gains.tolist()) if np.isfinite(gains).all() and len(gains) > 1 else math.nan
    return Test(float(np.mean(theirs - ours)), t_interval(theirs - ours), p, better=bool(np.mean(gains) > 0))


def _by_pairs(first: Results, other: Results, metric: Metric) -> Test:
    """The bootstrap of the pairs of two runs, by persons."""
    (ours, *_), (theirs, *_) = first.values(), other.values()
    values = ours.of_pairs(metric), theirs.of_pairs(metric)
    difference = theirs.values[metric.name] - ours.values[metric.name]
    if values[0] is None or values[1] is None or ours.names != theirs.names:
        return Test(difference, (math.nan, math.nan), math.nan, better=False)
    known = np.isfinite(values[0]) & np.isfinite(values[1])
    clusters = np.array(person_clusters(ours.names))[known]
    if len(set(clusters)) < LEAST_PERSONS:
        return Test(difference, (math.nan, math.nan), math.nan, better=False)
    means = clustered_means(np.stack([values[0][known], values[1][known]]), clusters)
    gains = metric.quality(means[1]) - metric.quality(means[0])
    interval = percentile_interval(means[1] - means[0])
    return Test(difference, interval, bootstrap_p(gains), better=bool(np.mean(gains) > 0))
