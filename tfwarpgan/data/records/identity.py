"""What makes two prepared data sets the same: the records that they would hold, not where or how they were described.

A data set's state, see `layouts.opening.fingerprint`, is quickly found out, but changes with a touched file, a moved
folder or a flag that has no effect. Its content is what the records are made of; to find that out, every file is read.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tfwarpgan.data.layouts.lip import Row
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.workers import ordered_map
from tfwarpgan.errors import InputError

_MODULUS = 1 << 128


def content_of(splits: Mapping[str, Iterable[Any]], more: Any, workers: int) -> str:
    """Hash of the content of a data set; the order of its items does not count.

    Args:
        splits: dict of split -> `persons.Person` or `lip.Row`.
        more: What else the records depend on.
        workers: Number of processes; 0: one per core.

    Returns:
        12 hexadecimal digits.

    Raises:
        InputError: If a file cannot be read.
    """
    sums = [(split, sum(ordered_map(_digest, items, workers)) % _MODULUS) for split, items in sorted(splits.items())]
    return hashlib.sha256(repr([sums, more]).encode()).hexdigest()[:12]


def state_of(state: Any) -> str:
    """Hash of the state of a data set: 12 hexadecimal digits."""
    return hashlib.sha256(repr(state).encode()).hexdigest()[:12]


def _digest(item: Person | Row) -> int:
    parts = _row_parts(item) if isinstance(item, tuple) else _person_parts(item)
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=16).digest(), "little")


def _person_parts(person: Person) -> list[Any]:
    files = [_file(path) for path in (*person.images, *person.label_maps)]
    joints = np.stack(person.joints).astype(np.float32).tobytes(), np.stack(person.visible).tobytes()
    return [person.name, list(person.names), files, joints, list(person.pairs)]


def _row_parts(row: Row) -> list[Any]:
    return [row[0], *map(_file, row[1:])]


def _file(path: str) -> tuple[Any, ...]:
    """The bytes of a file, and what of it is used."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); replace the file.") from None
    return digest.hexdigest(), sorted(getattr(path, "__dict__", {}).items())
