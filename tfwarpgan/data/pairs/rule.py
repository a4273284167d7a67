"""Pairs by the rule of pose-gan and of the paper (section 4.1).

A pair is any two different images of one person, in either order, that both show both shoulders and both hips.
"""

from __future__ import annotations

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
        most: Number of pairs to draw from all that there are; 0 or more than there are: all.
        seed: Of that draw.

    Returns:
        list of the persons that have pairs.

    Raises:
        InputError: If there is no pair.
    """
    persons = list(persons)
    everything = [(person, pair) for person in persons for pair in person_pairs(person.visible)]
    if not everything:
        raise InputError(
            f"No person of {split} has two images that both show both shoulders and both hips (of "
            f"{len(persons)} persons): check the joints, or use a list of pairs with --pair_source=lists."
        )
    if 0 < most < len(everything):
        drawn = random.Random(f"{seed}/{split}").sample(range(len(everything)), most)
        everything = [everything[place] for place in sorted(drawn)]
    for person in persons:
        person.pairs = []
    for person, pair in everything:
        person.pairs.append(pair)
    return [person for person in persons if person.pairs]


def person_pairs(visible: Sequence[Visible]) -> list[tuple[int, int]]:
    """The pairs of one person.

    Args:
        visible: One bool [18] per image.

    Returns:
        list of (condition, target), positions of images.
    """
    usable = [place for place, joints in enumerate(visible) if np.asarray(joints)[list(REQUIRED)].all()]
    return list(itertools.permutations(usable, 2))
