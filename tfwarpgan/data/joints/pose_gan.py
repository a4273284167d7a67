"""Body joints in the order of OpenPose (COCO-18), and the files that hold them.

Joints are float32 [18, 2] as (y, x) in pixels of their image, with visible [18] bool; a missing joint is (-1, -1).
Left and right are the person's own.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from tfwarpgan.body.joints import MISSING, NUM_JOINTS
from tfwarpgan.data.joints.formats import FARTHEST, Annotations
from tfwarpgan.errors import InputError, OnError, quoted, raise_error
from tfwarpgan.storage.tables import read_table
from tfwarpgan.storage.text import at_row
from tfwarpgan.typing import Joints, Pose, Visible

_COLUMNS = ("name", "keypoints_y", "keypoints_x")


def read_annotation_csv(path: str, *, on_error: OnError = raise_error) -> dict[str, Pose]:
    """Reads the annotation format of pose-gan: `name:keypoints_y:keypoints_x`, then `x.jpg: [18 y]: [18 x]`.

    A joint with -1 in either coordinate is missing. Rows are counted from 1 below the header.

    Args:
        path: The CSV file.
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Returns:
        dict of name -> (joints float32 [18, 2], visible bool [18]), in the file's order.

    Raises:
        InputError: If the file is missing or empty, or a row cannot be read or contradicts an earlier one.
    """
    rows = collect_rows(path, iterate_annotation_rows(path, on_error=on_error), on_error=on_error)
    return {name: (joints, visible) for name, (joints, visible, _) in rows.items()}


def collect_rows(
    path: str, rows: Iterable[tuple[str, Joints, Visible, int]], *, on_error: OnError = raise_error
) -> Annotations:
    """The rows of `iterate_annotation_rows` by their names; a name may only repeat the joints that it has."""
    found = Annotations()
    for name, joints, visible, row in rows:
        where = at_row(path, row)
        earlier = found.setdefault(name, (joints, visible, where))
        if earlier[0] is not joints and not np.array_equal(earlier[0], joints):
            first = earlier[2].rpartition(", ")[2]
            on_error(InputError(f"{where}: {name} has different joints in {first}; keep one of them."))
    return found


def iterate_annotation_rows(
    path: str, *, missing: float = MISSING, on_error: OnError = raise_error
) -> Iterator[tuple[str, Joints, Visible, int]]:
    """The rows of an annotation CSV, one in memory at a time: (name, joints, visible, row), also of a repeated name.

    With `missing` 0, a joint is missing at (0, 0) instead of at -1.
    """
    what = f"annotations with the header {':'.join(_COLUMNS)}"
    for row, (name, y, x) in read_table(path, _COLUMNS, what, delimiter=":", on_error=on_error):
        try:
            joints, visible = _joints(at_row(path, row), name, y, x, missing)
        except InputError as error:
            on_error(error)
            continue
        yield name, joints, visible, row


def annotation_row(name: str, joints: Joints, visible: Visible) -> str:
    """A row of the annotation CSV: the inverse of `read_annotation_csv` for one image, joints in whole pixels."""
    points = np.where(np.asarray(visible)[:, np.newaxis], np.rint(joints), MISSING).astype(int)
    return f"{name}: {points[:, 0].tolist()}: {points[:, 1].tolist()}"


def _joints(where: str, name: str, y: str, x: str, missing: float) -> Pose:
    if not name:
        raise InputError(f"{where}: the image name is empty; write the file name.")
    joints = np.array([_numbers(where, "keypoints_y", y), _numbers(where, "keypoints_x", x)], np.float32).T
    visible = np.any(joints != 0, axis=1) if missing == 0 else np.all(joints != MISSING, axis=1)
    return np.where(visible[:, np.newaxis], joints, np.float32(MISSING)), visible


def _numbers(where: str, column: str, cell: str) -> list[float]:
    if not (cell.startswith("[") and cell.endswith("]")):
        raise InputError(f"{where}: {column} is not a list in square brackets; expected {NUM_JOINTS} numbers.")
    parts = cell[1:-1].split(",") if cell[1:-1].strip() else []
    if len(parts) != NUM_JOINTS:
        raise InputError(f"{where}: {column} has {len(parts)} joints; expected {NUM_JOINTS}.")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = [_float(part) for part in parts]
    for number, part in zip(numbers, parts):
        if not abs(number) < FARTHEST:  # true for nan too
            raise InputError(f"{where}: {column} holds {quoted(part, 20)}, which is not a number of pixels.")
    return numbers


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
