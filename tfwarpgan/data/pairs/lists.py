"""Lists of pairs: pose-gan's and PATN's CSV with a header, NTED's and PIDM's lines without one.

A line of the latter holds one name and then one or more of the other role: `target,source` or
`target,source,source,...`; which comes first is declared, never guessed.
"""

from collections.abc import Iterator

from tfwarpgan.errors import InputError, OnError, quoted, raise_error
from tfwarpgan.storage.tables import has_header, read_rows, read_table
from tfwarpgan.storage.text import at_row

_COLUMNS = ("from", "to")


def read(path: str, order: str = "header", *, on_error: OnError = raise_error) -> Iterator[tuple[str, str, str]]:
    """Reads a list of pairs row by row, whatever its size.

    Args:
        path: CSV file or list.
        order: "header": by the names of the columns; "source_first" or "target_first" for a list without a header
            (where there is a header, it decides).
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Yields:
        (where, condition's name, target's name).

    Raises:
        InputError: If the file is missing or holds no pair, or has no header and no order is declared.
    """
    if has_header(path, _COLUMNS, "pairs"):
        yield from ((at_row(path, row), first, second) for row, first, second in _pairs(path, on_error))
        return
    if order == "header":
        raise InputError(
            f"{path}: the first line is not a header with from,to; give --pair_order=source_first or target_first "
            "for a list without a header."
        )
    for number, (first, *others) in read_rows(path, "pairs", on_error=on_error):
        if not first or not others or not all(others):
            got = quoted(",".join([first, *others]))
            on_error(InputError(f"{path}, line {number}: expected names separated by commas, got {got}."))
            continue
        for other in others:
            names = (first, other) if order == "source_first" else (other, first)
            yield (f"{path}, line {number}", *names)


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
    return list(_pairs(path, on_error))


def _pairs(path: str, on_error: OnError) -> Iterator[tuple[int, str, str]]:
    for row, (first, second) in read_table(path, _COLUMNS, "pairs with the header from,to", on_error=on_error):
        if not (first and second):
            got = quoted(f"{first},{second}")
            on_error(InputError(f"{at_row(path, row)}: expected two names and a comma, got {got}."))
            continue
        yield row, first, second
