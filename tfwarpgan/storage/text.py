"""Text files with one item per line, and how messages name a place in them."""

import codecs
import contextlib
import itertools
import os
from collections.abc import Iterator
from typing import IO

from tfwarpgan.errors import InputError

MOST = 1 << 20  # characters of a line: far more than any row has, and little memory


@contextlib.contextmanager
def open_text(path: str, what: str) -> Iterator[IO[str]]:
    """A text file, UTF-8 or with the byte order mark of UTF-16, with any line ends.

    Raises:
        InputError: If the file is missing or is not text; `what` says what was expected.
    """
    try:
        with open(path, "rb") as start:
            is_16 = start.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        with open(path, encoding="utf-16" if is_16 else "utf-8-sig") as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{path} is missing; expected {what}.") from None
    except UnicodeError:
        raise InputError(f"{path} is not UTF-8 text; expected {what}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({os.strerror(error.errno or 0)}); expected {what}.") from None


def iterate_lines(path: str, what: str) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers from 1, from the first that holds something; one in memory at a time.

    Raises:
        InputError: If the file is missing, empty or not text, or a line is too long to be a row.
    """
    is_any = False
    with open_text(path, what) as file:
        number = 0
        while line := file.readline(MOST + 1):
            number += 1
            if len(line) > MOST:
                raise InputError(f"{path}, line {number} is longer than a row can be; expected {what}.")
            is_any = is_any or bool(line.strip())
            if is_any:
                yield number, line.rstrip("\n")
    if not is_any:
        raise InputError(f"{path} is empty; expected {what}.")


def read_lines(path: str, what: str) -> list[str]:
    """The lines of a small text file, as `iterate_lines` gives them."""
    return [line for _, line in iterate_lines(path, what)]


def holds_rows(path: str, header: str) -> bool | None:
    """Whether a text file has more than a header, a first line that holds this word; None if there is no such file."""
    if not os.path.isfile(path):
        return None
    try:
        lines = list(itertools.islice((line for _, line in iterate_lines(path, header) if line.strip()), 2))
    except InputError:
        return True  # what is wrong with it is said where it is read
    return len(lines) != 1 or header not in lines[0].lower()


def at_row(path: str, row: int) -> str:
    """How messages name a place in a CSV file; rows are counted from 1 below the header."""
    return f"{path}, row {row} (line {row + 1})"
