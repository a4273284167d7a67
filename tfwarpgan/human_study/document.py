"""A study's folder, and its document: everything that analysis needs and raters must not see.

STUDY/trials.json     the document: methods, pairs, and each rater's trials
STUDY/public/         what may lie on a web server: the page, its scripts, pictures under hashed names
STUDY/mturk/          the page and the table for Mechanical Turk
STUDY/answers.sqlite  answers, once there are some
STUDY/worker.key      the key that worker ids are hashed with, once some were imported
"""

import dataclasses
import functools
import hashlib
import json
import os
from typing import Any

from tfwarpgan.errors import InputError
from tfwarpgan.human_study.design import PRACTICE, REAL, Comparison, Trial

DOCUMENT, PUBLIC, MTURK, ANSWERS, KEY = "trials.json", "public", "mturk", "answers.sqlite", "worker.key"
QUESTION = "Which picture looks more natural?"


@dataclasses.dataclass(frozen=True)
class Study:
    """A study.

    Attributes:
        methods: Their names; the first one is that of table 2's rows.
        comparisons: Pairs of methods that are compared.
        pairs: Names of the pictures that are judged.
        slots: The trials of each rater, in order.
        pictures: Method -> name -> address below the public folder; `REAL` and `CORRUPTED` have theirs too.
        conditions: Name -> address of the picture of the person, where it is shown.
        poses: The same of the target pose.
        contact: Whom raters can ask.
        purpose: What they are told that it is for.
        terms: Under what terms the pictures are shown.
        seed: Of the design.
        version: Of the package.
    """

    methods: list[str]
    comparisons: list[Comparison]
    pairs: list[str]
    slots: list[list[Trial]]
    pictures: dict[str, dict[str, str]]
    conditions: dict[str, str]
    poses: dict[str, str]
    contact: str
    purpose: str
    terms: str
    seed: int
    version: str

    @functools.cached_property
    def id(self) -> str:
        """Twelve digits of a hash of all the rest."""
        return hashlib.sha256(json.dumps(self._values(), sort_keys=True).encode()).hexdigest()[:12]

    @property
    def protocol(self) -> str:
        """What the numbers are: the question, without a time limit, and what is shown beside the two pictures."""
        return f"choice/natural-untimed{'+condition' if self.conditions else ''}{'+pose' if self.poses else ''}"

    def to_json(self) -> str:
        """The text of the document."""
        return json.dumps({"study": self.id, "protocol": self.protocol, **self._values()}, indent=1) + "\n"

    def _values(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {"slots": [[dataclasses.astuple(trial) for trial in slot] for slot in self.slots]}

    def public_trials(self, slot: int) -> list[dict[str, str]]:
        """A rater's trials as the page gets them: addresses, and in practice which side is right."""
        return [self._public(trial) for trial in self.slots[slot]]

    def _public(self, trial: Trial) -> dict[str, str]:
        shown = {side: self.pictures[trial.chosen(side)][trial.name] for side in ("left", "right")}
        if trial.kind == PRACTICE:
            return shown | {"real": "left" if trial.left == REAL else "right"}
        for what, addresses in (("condition", self.conditions), ("pose", self.poses)):
            if trial.name in addresses and trial.left in self.methods:
                shown[what] = addresses[trial.name]
        return shown


def load(folder: str) -> Study:
    """The study in a folder.

    Raises:
        InputError: If there is none, or its document was changed.
    """
    path = os.path.join(folder, DOCUMENT)
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
        known = values.pop("study")
        del values["protocol"]
        values["slots"] = [[Trial(*trial) for trial in slot] for slot in values["slots"]]
        values["comparisons"] = [(first, second) for first, second in values["comparisons"]]
        study = Study(**values)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; make the study first: python -m tfwarpgan.study make.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give a folder that study make wrote.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is not the document of a study; give a folder that study make wrote.") from None
    if study.id != known:
        raise InputError(f"{path} was changed after the study was made; restore it, or make the study anew.")
    return study
