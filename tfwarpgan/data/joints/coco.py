"""Joints in COCO's JSON: the annotations of a data set, or a detector's results."""

from typing import Any

from tfwarpgan.data.joints.formats import Annotations, KeypointFormat
from tfwarpgan.data.joints.pose_json import NOBODY, checked, read_json
from tfwarpgan.data.pictures.files import without_root
from tfwarpgan.errors import InputError, OnError

_DIGITS = 12  # COCO names an image by its number, filled up with zeros


def read(path: str, form: KeypointFormat, images: str, on_error: OnError) -> Annotations:
    """The joints of the best person of each image: of the highest score, else of the largest area.

    Args:
        path: JSON file of annotations (a dict) or results (a list).
        form: `KeypointFormat`.
        images: JSON file whose `images` name the images of results; empty: their names are their numbers.
        on_error: Function of the `InputError` of a bad annotation.

    Returns:
        As `joints.files.read`.
    """
    content = read_json(path)
    results = isinstance(content, list)
    annotations = content if results else content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list) or not annotations:
        raise InputError(f"{path} contains no annotations; expected COCO's keypoint annotations or results.")
    names = _names(images or path, read_json(images) if results and images else content)
    found = Annotations()
    best: dict[str, tuple[float, ...]] = {}
    for place, annotation in enumerate(annotations):
        where = f"{path}, {'result' if results else 'annotation'} {place + 1}"
        try:
            name, rank, numbers = _person(where, annotation, names)
            joints = form.to_18(checked(where, numbers, 3 * form.num_joints))
        except InputError as error:
            on_error(error)
            continue
        rank = (bool(joints[1].any()), *rank)
        if name not in best or rank > best[name]:  # of several people, the one that the image is about
            best[name], found[name] = rank, (*joints, where)
    for name in names.values():
        found.setdefault(name, (*NOBODY, f"{path}, images"))
    return found


def _names(path: str, content: Any) -> dict[int | str, str]:
    rows = content.get("images", []) if isinstance(content, dict) else []
    names = {}
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        key, name = (row.get("id"), row.get("file_name")) if isinstance(row, dict) else (None, None)
        if not isinstance(key, (int, str)) or not isinstance(name, str) or not name:
            raise InputError(f"{path}, image {place + 1}: expected an id and a file_name.")
        names[key] = without_root(name)
    return names


def _person(where: str, annotation: Any, names: dict[int | str, str]) -> tuple[str, tuple[float, ...], Any]:
    """(name of the image, (score, area), numbers) of an annotation or a result."""
    annotation = annotation if isinstance(annotation, dict) else {}
    key = annotation.get("image_id")
    if names and isinstance(key, (int, str)) and key in names:
        name = names[key]
    elif isinstance(key, str) and key and not names:
        name = without_root(key)
    elif isinstance(key, int) and not isinstance(key, bool) and 0 <= key < 10**_DIGITS and not names:
        name = f"{key:0{_DIGITS}d}"
    else:
        raise InputError(f"{where}: image_id {str(key)[:20]!r} is not among its images.")
    rank = tuple(_rank(annotation.get(column)) for column in ("score", "area"))
    return name, rank, annotation.get("keypoints")


def _rank(value: Any) -> float:
    return value if isinstance(value, (int, float)) and abs(value) < 1e18 else 0.0
