"""Pairs by the rule of pose-gan and of the paper (section 4.1).

A pair is any two different images of one person, in either order, that both show both shoulders and both hips.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Visible

if TYPE_CHECKING:
    from tfwarpgan.data.pairs.persons import Person

REQUIRED = (2, 5, 8, 11)  # shoulders and hips


def build_pairs(persons: Iterable[Person], split: str, most: int = 0, seed: int = 0) -> list[Person]:
    """Gives persons their pairs.

    Args:
        persons: Iterable of `persons.Person`; theirs are set.
        split: "train" or "test".
        most: Number of pairs to draw from all that there are, which are not listed; 0 or more than there are: all.
        seed: Of that draw.

    Returns:
        list of the persons that have pairs.

    Raises:
        InputError: If there is no pair.
    """
    persons = list(persons)
    counts = [count_pairs(person.visible) for person in persons]
    if not any(counts):
        raise no_pairs(split, len(persons))
    drawn = draw(sum(counts), split, most, seed)
    start = 0
    for person, count in zip(persons, counts):
        person.pairs = person_pairs(person.visible, None if drawn is None else part_of(drawn, start, count))
        start += count
    return [person for person in persons if person.pairs]


def no_pairs(split: str, persons: int) -> InputError:
    """The error of a split in which nobody has a pair."""
    return InputError(
        f"No person of {split} has two images that both show both shoulders and both hips (of {persons} persons): "
        "check the joints, or use a list of pairs with --pair_source=lists."
    )


def draw(count: int, split: str, most: int, seed: int) -> list[int] | None:
    """The positions, sorted, of the pairs that are drawn from `count` pairs; None: all."""
    return sorted(random.Random(f"{seed}/{split}").sample(range(count), most)) if 0 < most < count else None


def part_of(drawn: Sequence[int], start: int, count: int) -> list[int]:
    """Of sorted positions those of `count` pairs from `start` on, counted from there."""
    first, last = bisect.bisect_left(drawn, start), bisect.bisect_left(drawn, start + count)
    return [place - start for place in drawn[first:last]]


def usable(visible: Sequence[Visible]) -> list[int]:
    """Positions of the images that a pair may have."""
    return [place for place, joints in enumerate(visible) if np.asarray(joints)[list(REQUIRED)].all()]


def count_pairs(visible: Sequence[Visible]) -> int:
    """Number of the pairs of one person."""
    count = len(usable(visible))
    return count * (count - 1)


def person_pairs(visible: Sequence[Visible], drawn: Sequence[int] | None = None) -> list[tuple[int, int]]:
    """The pairs of one person.

    Args:
        visible: One bool [18] per image.
        drawn: Positions of the pairs wanted, among all in their order; None: all.

    Returns:
        list of (condition, target), positions of images.
    """
    places = usable(visible)
    if drawn is None:
        return list(itertools.permutations(places, 2))
    others = len(places) - 1  # that a condition goes with
    return [(places[k // others], places[k % others + (k % others >= k // others)]) for k in drawn]
