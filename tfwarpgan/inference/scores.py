"""The validation scores of a stage, kept in a file beside its checkpoints; `training.validation` makes them."""

import dataclasses
import json
import os

from tfwarpgan.errors import InputError
from tfwarpgan.options import TrainOptions
from tfwarpgan.storage import object_store
from tfwarpgan.storage.writing import write_atomically

_FILE = "validation.json"


@dataclasses.dataclass(frozen=True)
class Scores:
    """The scores of a stage, of which the greatest is the best.

    Attributes:
        measure: What is measured.
        values: Step -> score, ascending.
        best: (step, score) of the checkpoint that is kept as the best, or None.
    """

    measure: str = ""
    values: dict[int, float] = dataclasses.field(default_factory=dict)
    best: tuple[int, float] | None = None

    def improves(self, score: float) -> bool:
        """Whether a score is better than the best."""
        return self.best is None or score > self.best[1]

    def added(self, measure: str, step: int, score: float) -> "Scores":
        """These and another one."""
        best = (step, score) if self.improves(score) else self.best
        return Scores(measure, {**self.values, step: score}, best)

    def until(self, step: int) -> "Scores":
        """Those that were measured until a step; the best stays, since its checkpoint does."""
        return dataclasses.replace(self, values={at: score for at, score in self.values.items() if at <= step})

    def stale(self, after: int = 0) -> int:
        """How many scores there are since the best one, those until the step `after` not counted."""
        since = max(after, self.best[0] if self.best else 0)
        return sum(step > since for step in self.values)

    def ended(self, train: TrainOptions, stage: str) -> bool:
        """Whether --patience ends the stage here; the matcher's pretraining does not try it."""
        pretraining = train.matcher_pretraining_steps if stage == "geometric_matcher" else 0
        return bool(train.patience) and self.stale(pretraining) >= train.patience


def read_scores(folder: str) -> Scores:
    """The scores in a stage's folder; none where nothing was validated.

    Raises:
        InputError: If the file is not as it was written.
    """
    path = os.path.join(folder, _FILE)
    if not object_store.exists(path):
        return Scores()
    try:
        with open(object_store.local_file(path), encoding="utf-8") as file:
            found = json.load(file)
        values = {int(step): float(score) for step, score in found["scores"]}
        best = found["best"] and (int(found["best"][0]), float(found["best"][1]))
        return Scores(found["measure"], values, best)
    except (ValueError, KeyError, TypeError, IndexError):
        raise InputError(f"{path} is damaged; remove it: training goes on without the scores until now.") from None


def write_scores(folder: str, scores: Scores) -> None:
    """Writes the scores into a stage's folder."""
    found = {"measure": scores.measure, "best": scores.best, "scores": list(scores.values.items())}
    write_atomically(os.path.join(folder, _FILE), json.dumps(found) + "\n")
