"""What an evaluation left in its folder, read for a table: the numbers, those of each pair, and some pictures."""

import csv
import dataclasses
import functools
import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Floats

EVALUATION = "evaluation"  # the folder in that of a run


@dataclasses.dataclass(frozen=True)
class Metric:
    """A column of a table: its key in metrics.json, its id, its protocol, and what is better."""

    name: str
    id: str
    protocol: str
    goal: str

    def quality(self, values: Floats) -> Floats:
        """Numbers of this metric as numbers of which more is better."""
        return {"higher": values, "lower": -values, "one": -np.abs(values - 1.0)}[self.goal]


@dataclasses.dataclass(frozen=True)
class Result:
    """The evaluation of one run."""

    folder: str
    metrics: Mapping[str, Metric]
    values: Mapping[str, float]
    data: str

    @functools.cached_property
    def pairs(self) -> dict[str, list[str]]:
        """pairs.csv by column: `from`, `to`, and numbers as text."""
        with open(os.path.join(self.folder, "pairs.csv"), encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        return {name: [row[place] for row in rows] for place, name in enumerate(header)}

    @property
    def names(self) -> list[tuple[str, str]]:
        """(condition, target) of each pair, without folders and suffixes."""
        stems = ([os.path.splitext(os.path.basename(name))[0] for name in self.pairs[key]] for key in ("from", "to"))
        return list(zip(*stems))

    def of_pairs(self, metric: Metric) -> Floats | None:
        """The metric's number of each pair, NaN where it has none; None if it is not measured by pair."""
        values = self.pairs.get(f"{metric.name}_model")
        return None if values is None else np.array([float(value or "nan") for value in values])


def read_result(folder: str) -> Result | None:
    """The evaluation in a folder; None if there is none.

    Raises:
        InputError: If its files are not as `evaluate` writes them.
    """
    path = os.path.join(folder, "metrics.json")
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        entries = {name: entry for name, entry in content["metrics"].items() if "model" in entry}
        metrics = {
            name: Metric(name, entry.get("id", name), entry.get("measured", entry["protocol"]), entry["goal"])
            for name, entry in entries.items()
        }
        values = {name: math.nan if entry["model"] is None else entry["model"] for name, entry in entries.items()}
        reference = content.get("measurement", {}).get("reference", "")
        result = Result(folder, metrics, values, reference)
        return dataclasses.replace(result, data=f"{reference} {_hash_of_names(result)}".strip())
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not as evaluate writes it ({error!r}); evaluate the run again.") from None


def _hash_of_names(result: Result) -> str:
    text = "\n".join(",".join(names) for names in result.names)
    return f"{len(result.names)} pairs sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def person_clusters(names: Sequence[tuple[str, str]]) -> list[int]:
    """A number for each pair, the same for pairs that images connect: a pair shows one person, so these do too."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = name = parents[parents[name]]
        return name

    for condition, target in names:
        parents[root(condition or target)] = root(target)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(root(target), len(numbers)) for _, target in names]
