"""Which images are for training and which for tests, so that no person is in both.

In this order: the official lists `train.lst` and `test.lst` beside the data; folders of their own; annotation files of
their own; else the persons are assigned by a seed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.storage.tables import read_names

if TYPE_CHECKING:
    from tfwarpgan.data.layouts.layout import Layout

SPLITS = ("train", "test")


def list_files(data_dir: str) -> list[str]:
    """The paths of the official lists of a data set, one name per line."""
    return [os.path.join(data_dir, f"{split}.lst") for split in SPLITS]


def assign(layout: Layout, *, on_error: OnError = raise_error) -> dict[str, set[str]] | None:
    """The images of each split.

    Args:
        layout: `layout.Layout`.
        on_error: Function of the `InputError` of a bad line in a list; one that does not raise has the line left out.

    Returns:
        {"train": set of keys, "test": set of keys}, or None where the layout's annotation files are one per split.

    Raises:
        InputError: If a list is wrong, or there are too few persons to split.
    """
    lists = [os.path.exists(path) for path in list_files(layout.data_dir)]
    if all(lists):
        return {split: _listed(layout, path, on_error) for split, path in zip(SPLITS, list_files(layout.data_dir))}
    if any(lists):
        raise InputError(f"{layout.data_dir} has only one of train.lst and test.lst; there must be both or neither.")
    own = {key: layout.own_split(key) for key in layout.images}
    if own and all(own.values()):
        return {split: {key for key, name in own.items() if name == split} for split in SPLITS}
    if not layout.data_options.keypoints and all(os.path.exists(layout.annotation_csv(split)) for split in SPLITS):
        if layout.annotation_csv("train") != layout.annotation_csv("test"):
            return None
    persons = {key: layout.person(key) for key in layout.images}
    options = layout.data_options
    names = {person for person in persons.values() if person is not None}
    assigned = assign_persons(names, options.test_share, options.split_seed)
    return {split: {key for key, person in persons.items() if person in assigned[split]} for split in SPLITS}


def assign_persons(persons: Collection[str], test_share: float, seed: int) -> dict[str, set[str]]:
    """Assigns persons to the splits; a person's split depends only on the name and the seed.

    Args:
        persons: Names, each once.
        test_share: Share of them for the test split; each split gets one at least, but with a share of 1, where all
            are for tests.
        seed: Another seed, another split.

    Returns:
        {"train": set of names, "test": set of names}.

    Raises:
        InputError: If there are fewer than two persons.
    """
    if test_share >= 1:
        return {"train": set(), "test": set(persons)}
    if len(persons) < 2:
        raise InputError(
            f"{len(persons)} persons cannot be split into train and test; add images of more persons, or "
            "set --test_share=1 for tests alone."
        )
    order = sorted(persons, key=lambda person: hashlib.sha256(f"{seed}/{person}".encode()).digest())
    count = min(max(round(test_share * len(order)), 1), len(order) - 1)
    return {"train": set(order[count:]), "test": set(order[:count])}


def _listed(layout: Layout, path: str, on_error: OnError) -> set[str]:
    keys: set[str] = set()
    for number, name in read_names(path):
        if layout.image(name) is None:
            on_error(InputError(f"{path}, line {number}: {layout.why_missing(name)}"))
            continue
        keys.add(layout.key(name) or name)
    return keys
