"""The prepared copies of data sets in a folder: which one belongs to a data set as it is now, and what there is.

Beside the copies lies a small file for each state of a data set that was met, with the name of its copy, and with what
of the data set is not used, which is no part of the copy.
"""

import contextlib
import dataclasses
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence

from tfwarpgan.errors import InputError
from tfwarpgan.storage import object_store
from tfwarpgan.storage.locks import disk_errors, locked
from tfwarpgan.storage.writing import write_atomically

STATES = ".states"
_NAME = re.compile(r"(people|market1501|deepfashion|lip|folder)-[0-9a-f]{12}")


@dataclasses.dataclass(frozen=True)
class Copy:
    """A prepared copy of a data set, in all its sizes.

    Attributes:
        folder: Where it lies.
        sizes: Names of the sizes of its images, as "128x64".
        size: Bytes.
        changed: When it was written last, seconds since 1970.
    """

    folder: str
    sizes: tuple[str, ...]
    size: int
    changed: float


def recall(prepared_dir: str, state: str) -> tuple[str, list[str]]:
    """(name of the copy that belongs to a state, notes about it); the name is empty if it was not met."""
    path = os.path.join(prepared_dir, STATES, state)
    if not object_store.exists(path):
        return "", []
    if object_store.is_remote(path):
        text = object_store.read(path).decode()
    else:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    name, *notes = json.loads(text)
    return name, notes


def remember(prepared_dir: str, state: str, name: str, notes: Sequence[str]) -> None:
    """Writes down which copy belongs to a state, and notes about it."""
    path = os.path.join(prepared_dir, STATES, state)
    with disk_errors(path, "--prepared_dir"):
        write_atomically(path, json.dumps([name, *notes]))


def list_copies(prepared_dir: str) -> list[Copy]:
    """The copies in a folder, by their names.

    Raises:
        InputError: If the folder is in an object store.
    """
    prepared_dir = _local(prepared_dir)
    if not os.path.isdir(prepared_dir):
        return []
    return [
        _copy(entry.path)
        for entry in sorted(os.scandir(prepared_dir), key=lambda entry: entry.name)
        if entry.is_dir() and _NAME.fullmatch(entry.name)
    ]


def remove_copies(prepared_dir: str) -> list[Copy]:
    """Removes the copies in a folder, and nothing else; who is just writing one is waited for.

    Returns:
        What was removed.

    Raises:
        InputError: As `list_copies`, or if something cannot be removed.
    """
    copies = list_copies(prepared_dir)
    try:
        for copy in copies:
            with locked(copy.folder):
                shutil.rmtree(copy.folder)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(os.path.join(_local(prepared_dir), STATES))
    except OSError as error:
        raise InputError(f"{error.filename} cannot be removed ({error.strerror}); check its permissions.") from None
    return copies


def _local(prepared_dir: str) -> str:
    if object_store.is_remote(prepared_dir):
        raise InputError(f"--prepared_dir={prepared_dir} is in an object store; list and remove it with its own tools.")
    return os.path.expanduser(prepared_dir)


def _copy(folder: str) -> Copy:
    states = [os.stat(path) for path in _files(folder)]
    sizes = tuple(sorted(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))))
    changed = max((state.st_mtime for state in states), default=os.stat(folder).st_mtime)
    return Copy(folder, _sizes(folder, sizes), sum(state.st_size for state in states), changed)


def _files(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        yield from (os.path.join(place, name) for name in names)


def _sizes(folder: str, builders: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the configurations below the folders of the builders."""
    return tuple(sorted(name for builder in builders for name in os.listdir(os.path.join(folder, builder))))
