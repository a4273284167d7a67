"""Refuses a data set whose joints do not lie on the persons, before anything is written; see `joints.stray`."""

from collections.abc import Callable, Mapping

import numpy as np

from tfwarpgan.data.joints.stray import Tally, tally
from tfwarpgan.data.pairs.joining import Persons
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.data.workers import ordered_map
from tfwarpgan.errors import InputError

SAMPLE = 500  # images of a split that are looked at: they tell shares to a few percent, in seconds


def check_joints(splits: Mapping[str, Persons], source: Callable[[str], str], most: float, workers: int = 0) -> None:
    """Refuses splits whose joints do not lie on the persons of their label maps.

    Args:
        splits: dict of split -> `joining.Persons`.
        source: Function of a split that names the file or folder of its joints.
        most: The largest share of stray joints that is taken; 1 checks nothing.
        workers: Number of processes that read label maps; 0: one per core.

    Raises:
        InputError: Naming the likely cause; or if a label map cannot be read.
    """
    if most >= 1:
        return
    for split, persons in splits.items():
        found = Tally()
        for one in ordered_map(_tally, _sample(persons), workers):
            found.add(one)
        problem = found.problem(most)
        if problem:
            raise InputError(f"{source(split)} ({split}): {problem}")


def _sample(persons: Persons) -> list[tuple[Person, int]]:
    """(person, place) of images at even distances through a split."""
    total = sum(len(person.names) for person in persons)
    chosen = np.linspace(0, total - 1, min(total, SAMPLE)).astype(int)
    found: list[tuple[Person, int]] = []
    start = 0
    for person in persons:
        end = start + len(person.names)
        first, last = np.searchsorted(chosen, (start, end))
        found += [(person, int(place) - start) for place in chosen[first:last]]
        start = end
    return found


def tally_of(person: Person, place: int) -> Tally:
    """The `Tally` of one of a person's images; InputError if its files cannot be read."""
    size = images.image_size(person.images[place])
    labels = label_maps.read_label_map(person.label_maps[place], size)
    return tally(person.joints[place], person.visible[place], labels, size)


def _tally(item: tuple[Person, int]) -> Tally:
    return tally_of(*item)
