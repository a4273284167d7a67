"""Lists on the disk: for what is larger than memory, and is written once and read from its start to its end."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Items in a temporary file, in the order in which they were added, one in each line, as JSON.

    Attributes:
        path: The file; `read_spool` reads it in another process.
        unpack: The inverse of `pack`.
    """

    def __init__(self, folder: str, pack: Callable[[T], Any], unpack: Callable[[Any], T]) -> None:
        """Begins an empty one.

        Args:
            folder: Where the file lies; who made the folder removes it.
            pack: Function of an item that gives what JSON can hold: lists, texts and numbers.
            unpack: Its inverse.
        """
        descriptor, self.path = tempfile.mkstemp(dir=folder, suffix=".spool")
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        self._pack, self.unpack = pack, unpack
        self._count = 0

    def append(self, item: T) -> None:
        """Adds an item."""
        self._file.write(json.dumps(self._pack(item)) + "\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return read_spool(self.written(), self.unpack)

    def written(self) -> str:
        """The path, with all items in the file."""
        self._file.flush()
        return self.path

    def __getstate__(self) -> None:
        raise TypeError("a spool stays in its process; pass its path")


def read_spool(path: str, unpack: Callable[[Any], T]) -> Iterator[T]:
    """The items of a `Spool`, by its path and its `unpack`."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield unpack(json.loads(line))
