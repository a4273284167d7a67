"""Which pictures are for training and which for tests, so that no person is in both.

In this order: the official lists `train.lst` and `test.lst` beside the data; folders of their own; annotation files of
their own; else the persons are assigned by a seed.
"""

import hashlib
import os

from tfwarpgan.errors import InputError, raise_error
from tfwarpgan.storage.text import read_lines

SPLITS = ("train", "test")


def list_files(data_dir):
    """Where the official lists of a data set lie, one name a line."""
    return [os.path.join(data_dir, f"{split}.lst") for split in SPLITS]


def assign(layout, *, on_error=raise_error):
    """The pictures of each split.

    Args:
        layout: `layout.Layout`.
        on_error: Function of the `InputError` of a bad line in a list; one that does not raise has the line left out.

    Returns:
        {"train": set of keys, "test": set of keys}, or None where the layout's annotation files are one a split.

    Raises:
        InputError: If a list is wrong, or there are too few persons to split.
    """
    lists = [os.path.exists(path) for path in list_files(layout.data_dir)]
    if all(lists):
        return {split: _listed(layout, path, on_error) for split, path in zip(SPLITS, list_files(layout.data_dir))}
    if any(lists):
        raise InputError(f"{layout.data_dir} holds one of train.lst and test.lst; both or none of them must be there.")
    own = {key: layout.own_split(key) for key in layout.pictures}
    if own and all(own.values()):
        return {split: {key for key, name in own.items() if name == split} for split in SPLITS}
    if not layout.data_options.keypoints and all(os.path.exists(layout.annotation_csv(split)) for split in SPLITS):
        if layout.annotation_csv("train") != layout.annotation_csv("test"):
            return None
    persons = {key: layout.person(key) for key in layout.pictures}
    options = layout.data_options
    assigned = assign_persons(set(persons.values()) - {None}, options.test_share, options.split_seed)
    return {split: {key for key, person in persons.items() if person in assigned[split]} for split in SPLITS}


def assign_persons(persons, test_share, seed):
    """Assigns persons to the splits; who goes where depends on the name and the seed alone, not on the others' order.

    Args:
        persons: Names, each once.
        test_share: Share of them for the test split; each split gets one at least.
        seed: Another seed, another split.

    Returns:
        {"train": set of names, "test": set of names}.

    Raises:
        InputError: If there are fewer than two persons.
    """
    if len(persons) < 2:
        raise InputError(f"{len(persons)} persons cannot be split into train and test; add pictures of more persons.")
    order = sorted(persons, key=lambda person: hashlib.sha256(f"{seed}/{person}".encode()).digest())
    count = min(max(round(test_share * len(order)), 1), len(order) - 1)
    return {"train": set(order[count:]), "test": set(order[:count])}


def _listed(layout, path, on_error):
    keys = set()
    for number, line in enumerate(read_lines(path, "a list of names"), 1):
        name = line.strip()
        if not name:
            continue
        if layout.image(name) is None:
            where = f"{path}, line {number}"
            on_error(InputError(f"{where}: there is no picture {name[:80]}; add the file or remove the line."))
            continue
        keys.add(layout.key(name))
    return keys
