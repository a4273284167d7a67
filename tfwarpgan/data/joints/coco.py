"""Joints in COCO's JSON: the annotations of a data set, or a detector's results."""

import dataclasses
from typing import Any

from tfwarpgan.data.joints.bodies import Body, body, choose
from tfwarpgan.data.joints.formats import Annotations, KeypointFormat
from tfwarpgan.data.joints.pose_json import checked, read_json
from tfwarpgan.data.pictures.files import without_root
from tfwarpgan.errors import InputError, OnError, quoted

_DIGITS = 12  # COCO names an image by its number, filled up with zeros


def read(path: str, form: KeypointFormat, images: str, on_error: OnError) -> Annotations:
    """The joints of the best person of each image, see `bodies`.

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
    bodies: dict[str, list[Body | None]] = {name: [] for name in names.values()}
    for place, annotation in enumerate(annotations):
        where = f"{path}, {'result' if results else 'annotation'} {place + 1}"
        try:
            name = _name(where, annotation, names)
            bodies.setdefault(name, []).append(_body(where, annotation, form))
        except InputError as error:
            on_error(error)
            continue
    return Annotations({name: choose(found, f"{path}, images") for name, found in bodies.items()})


def _names(path: str, content: Any) -> dict[int | str, str]:
    rows = content.get("images", []) if isinstance(content, dict) else []
    names = {}
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        key, name = (row.get("id"), row.get("file_name")) if isinstance(row, dict) else (None, None)
        if not isinstance(key, (int, str)) or not isinstance(name, str) or not name:
            raise InputError(f"{path}, image {place + 1}: expected an id and a file_name.")
        names[key] = without_root(name)
    return names


def _name(where: str, annotation: Any, names: dict[int | str, str]) -> str:
    """The name of the image of an annotation or a result."""
    annotation = annotation if isinstance(annotation, dict) else {}
    key = annotation.get("image_id")
    if names and isinstance(key, (int, str)) and key in names:
        return names[key]
    if isinstance(key, str) and key and not names:
        return without_root(key)
    if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < 10**_DIGITS and not names:
        return f"{key:0{_DIGITS}d}"
    said = "it has no image_id" if key is None or key == "" else f"image_id {quoted(key, 20)} is not among its images"
    raise InputError(f"{where}: {said}.")


def _body(where: str, annotation: dict[str, Any], form: KeypointFormat) -> Body | None:
    numbers = annotation.get("keypoints")
    if not numbers:  # a box or a segment alone
        return None
    score, area = (_number(annotation.get(column)) for column in ("score", "area"))
    return dataclasses.replace(body(form, checked(where, numbers, 3 * form.num_joints), score, area), place=where)


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and abs(value) < 1e18 else None
