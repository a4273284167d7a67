"""Lists on the disk: for what is larger than memory, and is written once and read from its start to its end."""

import os
import pickle
import tempfile
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Items in a temporary file, in the order in which they were added.

    Attributes:
        path: The file; `read_spool` reads it in another process.
    """

    def __init__(self, folder: str) -> None:
        """Begins an empty one.

        Args:
            folder: Where the file lies; who made the folder removes it.
        """
        descriptor, self.path = tempfile.mkstemp(dir=folder, suffix=".spool")
        self._file = os.fdopen(descriptor, "wb")
        self._count = 0

    def append(self, item: T) -> None:
        """Adds an item that can be pickled."""
        pickle.dump(item, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return read_spool(self.written())

    def written(self) -> str:
        """The path, with all items in the file."""
        self._file.flush()
        return self.path

    def __getstate__(self) -> None:
        raise TypeError("a spool stays in its process; pass its path")


def read_spool(path: str) -> Iterator[T]:
    """The items of a `Spool` by its path."""
    with open(path, "rb") as file:
        while file.peek(1):
            yield pickle.load(file)
