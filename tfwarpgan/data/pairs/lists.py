"""Lists of pairs: pose-gan's and PATN's CSV with a header, NTED's and PIDM's lines without one.

A line of the latter holds one name and then one or more of the other role: `target,source` or
`target,source,source,...`; which comes first is declared, never guessed.
"""

import csv

from tfwarpgan.errors import InputError, OnError, quoted, raise_error
from tfwarpgan.storage.text import at_row, read_lines


def read(path: str, order: str = "header", *, on_error: OnError = raise_error) -> list[tuple[str, str, str]]:
    """Reads a list of pairs.

    Args:
        path: CSV file or list.
        order: "header": by the names of the columns; "source_first" or "target_first" for a list without a header
            (where there is a header, it decides).
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Returns:
        list of (where, condition's name, target's name).

    Raises:
        InputError: If the file is missing or holds no pair, or has no header and no order is declared.
    """
    lines = read_lines(path, "pairs")
    if {"from", "to"} <= {cell.strip() for cell in lines[0].split(",")}:
        return [(at_row(path, row), first, second) for row, first, second in read_pairs(path, on_error=on_error)]
    if order == "header":
        raise InputError(
            f"{path}: the first line is not a header with from,to; give --pair_order=source_first or target_first "
            "for a list without a header."
        )
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        first, *others = (cell.strip() for cell in line.split(","))
        if not first or not others or not all(others):
            on_error(InputError(f"{path}, line {number}: expected names separated by commas, got {quoted(line)}."))
            continue
        for other in others:
            names = (first, other) if order == "source_first" else (other, first)
            pairs.append((f"{path}, line {number}", *names))
    return pairs


def read_pairs(path: str, *, on_error: OnError = raise_error) -> list[tuple[int, str, str]]:
    """Reads a pairs CSV.

    Args:
        path: CSV file with a header that names the columns `from` and `to`.
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Returns:
        list of (row, from, to), rows counted from 1 below the header.

    Raises:
        InputError: If the file is missing, holds no pair, or a row has not both names.
    """
    lines = read_lines(path, "pairs with the header from,to")
    try:
        header, *rows = csv.reader(lines, quoting=csv.QUOTE_NONE)
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file ({error}); expected pairs with the header from,to.") from None
    header = [column.strip() for column in header]
    for column in ("from", "to"):
        if header.count(column) != 1:
            raise InputError(f"{path}: the header has no column '{column}'; expected from,to.")
    places = header.index("from"), header.index("to")
    pairs = []
    for row, cells in enumerate(rows, start=1):
        if not any(cell.strip() for cell in cells):
            continue
        first, second = (cells[place].strip() if place < len(cells) else "" for place in places)
        if not (first and second):
            got = quoted(",".join(cells))
            on_error(InputError(f"{at_row(path, row)}: expected two names and a comma, got {got}."))
            continue
        pairs.append((row, first, second))
    if not any(any(cell.strip() for cell in cells) for cells in rows):
        raise InputError(f"{path} contains no pairs; a split needs at least one.")
    return pairs
