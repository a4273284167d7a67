"""Lists of pairs: pose-gan's and PATN's CSV with a header, NTED's and PIDM's lines without one.

A line of the latter holds one name and then one or more of the other role: `target,source` or
`target,source,source,...`; which comes first is declared, never guessed.
"""

from tfwarpgan.data.joints.pose_gan import at_row, read_lines
from tfwarpgan.data.pairs.persons import read_pairs
from tfwarpgan.errors import InputError, refuse


def read(path, order="header", *, on_error=refuse):
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
        return [(at_row(path, row), *names) for row, *names in read_pairs(path, on_error=on_error)]
    if order == "header":
        raise InputError(
            f"{path}: the first line is no header with from,to; say --pair_order=source_first or target_first "
            "for a list without a header."
        )
    pairs = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        first, *others = (cell.strip() for cell in line.split(","))
        if not first or not others or not all(others):
            on_error(InputError(f"{path}, line {number}: expected names separated by commas, got '{line[:80]}'."))
            continue
        for other in others:
            names = (first, other) if order == "source_first" else (other, first)
            pairs.append((f"{path}, line {number}", *names))
    return pairs
