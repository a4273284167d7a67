"""Lists and CSV files as people have them, read row by row by Python's `csv`, whatever their size.

The delimiter is found in the first line; quotes, capitals in the header, a byte order mark, the line ends of any
system, an index column and spaces around cells are taken for what they are. A row is one line.
"""

import csv
from collections.abc import Iterator, Sequence

from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.storage.text import at_row, iterate_lines

_DELIMITERS = ",\t;:| "


def read_table(
    path: str, columns: Sequence[str], what: str, *, delimiter: str = ",", on_error: OnError = raise_error
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table with a header.

    Args:
        path: Text file.
        columns: Names of the columns wanted, in small letters; the file may have others, in any order.
        what: What is expected, for messages.
        delimiter: The usual one, which is tried first; names in the first column may hold it.
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Yields:
        (row, cells of the columns wanted without spaces around them), rows counted from 1 below the header.

    Raises:
        InputError: If the file is missing or empty, or its header lacks a column.
    """
    lines = iterate_lines(path, what)
    _, first = next(lines)
    found, header = _find_header(path, first, columns, delimiter)
    places = [header.index(column) for column in columns]
    is_any = False
    for number, line in lines:
        if not line.strip():
            continue
        is_any = True
        row = number - 1
        try:
            cells = _fit(_cells(at_row(path, row), line, found), len(header), places[0], found)
            if len(cells) <= max(places):
                raise InputError(
                    f"{at_row(path, row)}: {len(cells)} columns, separated by {_shown(found)}; expected "
                    f"{delimiter.join(columns)}, got '{line.strip()[:80]}'."
                )
        except InputError as error:
            on_error(error)
            continue
        yield row, [cells[place] for place in places]
    if not is_any:
        raise InputError(f"{path} has no rows below its header; expected {what}.")


def has_header(path: str, columns: Sequence[str], what: str) -> bool:
    """Whether the first line of a table names these columns."""
    _, first = next(iterate_lines(path, what))
    return _header(first, columns, ",") is not None


def read_rows(path: str, what: str, *, on_error: OnError = raise_error) -> Iterator[tuple[int, list[str]]]:
    """The rows of a table without a header: (line, cells); a first column that only counts the rows is left out."""
    found = ""
    for number, line in iterate_lines(path, what):
        if not line.strip():
            continue
        found = found or next((mark for mark in "\t;,| " if len(_try_split(line, mark)) > 1), ",")
        try:
            cells = _cells(f"{path}, line {number}", line, found)
        except InputError as error:
            on_error(error)
            continue
        yield number, cells[1:] if len(cells) > 2 and cells[0].isdecimal() else cells


def read_names(path: str, what: str = "a list of names") -> Iterator[tuple[int, str]]:
    """The names of a list with one per line: (line, name), without quotes and a first column that counts them."""
    for number, line in iterate_lines(path, what):
        name = line.strip()
        count, mark, rest = name.replace(",", "\t", 1).partition("\t")
        if mark and count.strip(' "').isdecimal():
            name = rest.strip()
        if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
            name = name[1:-1].strip()
        if name:
            yield number, name


def _find_header(path: str, line: str, columns: Sequence[str], usual: str) -> tuple[str, list[str]]:
    found = _header(line, columns, usual)
    if found is None:
        raise InputError(
            f"{path}: the header '{line.strip()[:80]}' has no column{'s'[: len(columns) > 1]} {' and '.join(columns)}; "
            f"expected {usual.join(columns)}."
        )
    for column in columns:
        if found[1].count(column) > 1:
            raise InputError(f"{path}: the header names the column {column} twice; expected {usual.join(columns)}.")
    return found


def _header(line: str, columns: Sequence[str], usual: str) -> tuple[str, list[str]] | None:
    """(delimiter, names of the columns) of the first line, if it names all the columns wanted."""
    for mark in usual + _DELIMITERS.replace(usual, ""):
        names = [name.casefold() for name in _try_split(line, mark)]
        if set(columns) <= set(names):
            return mark, names
    return None


def _cells(where: str, line: str, delimiter: str) -> list[str]:
    try:
        return _split(line, delimiter)
    except csv.Error as error:
        raise InputError(f"{where}: the line cannot be read ({error}); check its quotes.") from None


def _try_split(line: str, delimiter: str) -> list[str]:
    """The cells of a line if this is its delimiter."""
    try:
        return _split(line.strip(), delimiter)
    except csv.Error:
        return []


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of a line, quoted or not; a line that is quoted as a whole is one too many times quoted."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    cells = next(csv.reader([line.strip()], delimiter=delimiter, skipinitialspace=True, strict=True))
    if len(cells) == 1 and delimiter in cells[0]:
        return _split(cells[0], delimiter)
    return [cell.strip() for cell in cells]


def _fit(cells: list[str], count: int, name: int, delimiter: str) -> list[str]:
    """As many cells as the header has: a list in brackets is one cell, and so is a name that holds the delimiter."""
    if len(cells) > count and any(cell.startswith("[") for cell in cells):
        cells = _brackets_together(cells, delimiter)
    more = len(cells) - count
    if more == 1 and cells[0].isdecimal() and delimiter != ":":  # rows are numbered, without a column of the header
        return cells[1:]
    if more > 0:
        cells = [*cells[:name], delimiter.join(cells[name : name + more + 1]), *cells[name + more + 1 :]]
    return cells


def _brackets_together(cells: Sequence[str], delimiter: str) -> list[str]:
    joined: list[str] = []
    for cell in cells:
        if joined and joined[-1].startswith("[") and not joined[-1].endswith("]"):
            joined[-1] += delimiter + cell
        else:
            joined.append(cell)
    return joined


def _shown(delimiter: str) -> str:
    return {"\t": "tabs", " ": "spaces"}.get(delimiter, f"'{delimiter}'")
