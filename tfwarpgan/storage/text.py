"""Text files with one item per line, and how messages name a place in them."""

import itertools
import os

from tfwarpgan.errors import InputError


def read_lines(path: str, what: str) -> list[str]:
    """The lines of a text file, without a byte order mark and with any line ends.

    Raises:
        InputError: If the file is missing, empty or not UTF-8 text; `what` says what was expected.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        raise InputError(f"{path} is missing; expected {what}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; expected {what}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({os.strerror(error.errno or 0)}); expected {what}.") from None
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} is empty; expected {what}.")
    return lines


def holds_rows(path: str, header: str) -> bool | None:
    """Whether a text file has more than a header, a first line that holds this word; None if there is no such file."""
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        lines = list(itertools.islice(filter(str.strip, file), 2))
    return len(lines) != 1 or header not in lines[0].lower()


def at_row(path: str, row: int) -> str:
    """How messages name a place in a CSV file; rows are counted from 1 below the header."""
    return f"{path}, row {row} (line {row + 1})"
