"""The paper's filter (section 4.1): "remove the failure case images with pose estimator and human parser".

An image goes if too few joints were found on it, if a joint that is asked for is missing, or if the label map leaves
too little of it for the person. Its pairs go with it, and so do persons who have no pair left.
"""

import collections
import csv
import dataclasses
import functools
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tfwarpgan.body.joints import NAMES, required_joints
from tfwarpgan.data.pairs.joining import NewPersons, Persons
from tfwarpgan.data.pairs.joint_check import tally_of
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.pictures import label_maps
from tfwarpgan.data.workers import ordered_map
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions


@dataclasses.dataclass(frozen=True)
class Removed:
    """An image that was left out.

    Attributes:
        split: "train" or "test".
        name: Of the image.
        row: Where its joints stand.
        rule: The flag that it failed: "min_joints", "required_joints", "min_foreground" or "max_stray_joints_image".
        reason: What was found.
    """

    split: str
    name: str
    row: str
    rule: str
    reason: str


def is_active(data_options: DataOptions) -> bool:
    """Whether the options ask for a filter."""
    asked = data_options.min_joints or data_options.required_joints or data_options.min_foreground
    return bool(asked) or data_options.max_stray_joints_image < 1


def filter_persons(
    splits: Mapping[str, Persons], data_options: DataOptions, workers: int = 0, new_persons: NewPersons = list
) -> tuple[dict[str, Persons], list[Removed]]:
    """Leaves out what the options say.

    Args:
        splits: dict of split -> `joining.Persons`.
        data_options: `options.DataOptions`: the fields of `options.FilterOptions`.
        workers: Number of processes that read label maps; 0: one per core.
        new_persons: Makes an empty `joining.Persons` for those that are left.

    Returns:
        (dict of split -> `joining.Persons`, list of `Removed`).

    Raises:
        InputError: If a label map cannot be read, or a split has no pair left.
    """
    if not is_active(data_options):
        return dict(splits), []
    check = functools.partial(
        _failures, data_options=data_options, required=required_joints(data_options.required_joints)
    )
    left: dict[str, Persons] = {}
    removed: list[Removed] = []
    for split, persons in splits.items():
        left[split] = new_persons()
        for person, failures in zip(persons, ordered_map(check, persons, workers)):
            removed += [
                Removed(split, person.names[place], person.rows[place], *why) for place, why in failures.items()
            ]
            person = without(person, failures)
            if person.pairs:
                left[split].append(person)
        if len(persons) and not len(left[split]):
            rules = count_by_rule(each for each in removed if each.split == split)
            flags = " and ".join(f"--{rule}={getattr(data_options, rule)}" for rule in rules)
            raise InputError(f"No pair of {split} is left with {flags}; relax what they ask for.")
    return left, removed


def without(person: Person, places: Collection[int]) -> Person:
    """The `Person` without the images at these places, and without their pairs."""
    if not places:
        return person
    kept = [place for place in range(len(person.names)) if place not in places]
    now = {place: number for number, place in enumerate(kept)}
    pairs = [(now[first], now[second]) for first, second in person.pairs if first in now and second in now]
    columns: dict[str, Any] = {
        field.name: [getattr(person, field.name)[place] for place in kept]
        for field in dataclasses.fields(person)
        if field.name not in ("name", "pairs") and getattr(person, field.name)
    }
    return dataclasses.replace(person, pairs=pairs, **columns)


def count_by_rule(removed: Iterable[Removed]) -> dict[str, int]:
    """Dict of rule -> number of images, most first."""
    return dict(collections.Counter(each.rule for each in removed).most_common())


def report(removed: Iterable[Removed]) -> str:
    """The images that were left out as CSV text: split,name,rule,reason,annotation."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["split", "name", "rule", "reason", "annotation"])
    writer.writerows([each.split, each.name, each.rule, each.reason, each.row] for each in removed)
    return text.getvalue()


def _failures(person: Person, data_options: DataOptions, required: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Dict of an image's place -> (rule, reason), for the images of a person that fail."""
    found = {place: failure(person, place, data_options, required) for place in range(len(person.names))}
    return {place: why for place, why in found.items() if why}


def failure(person: Person, place: int, data_options: DataOptions, required: Sequence[int]) -> tuple[str, str] | None:
    """Why an image is left out: (rule, reason), or None if it stays."""
    visible = np.asarray(person.visible[place])
    if visible.sum() < data_options.min_joints:
        return "min_joints", f"{visible.sum()} of {len(NAMES)} joints"
    missing = [NAMES[joint] for joint in required if not visible[joint]]
    if missing:
        return "required_joints", f"no {', no '.join(missing)}"
    if data_options.min_foreground:
        share = np.mean(label_maps.read_label_map(person.label_maps[place]) != 0)
        if share < data_options.min_foreground:
            return "min_foreground", f"{100 * share:.1f} % of the label map is foreground"
    if data_options.max_stray_joints_image < 1:
        found = tally_of(person, place)
        if found.share > data_options.max_stray_joints_image:
            return "max_stray_joints_image", f"{found.stray} of {found.visible} joints lie on background"
    return None
