"""The results of mmpose and of YOLO-pose (Ultralytics): COCO's 17 joints of each body, in files named after the images.

mmpose: JSON of its demos (`instance_info`) and of its inferencer (a list of instances). YOLO-pose: the lines of
`save_txt`, with shares of the image, or the JSON of its results, in pixels.
"""

from collections.abc import Callable
from typing import Any

from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.bodies import Body, body, choose
from tfwarpgan.data.joints.formats import Declare, Framed, KeypointFormat
from tfwarpgan.data.joints.frames import SHARES
from tfwarpgan.data.joints.pose_json import checked, read_json
from tfwarpgan.errors import InputError, quoted
from tfwarpgan.storage.text import open_text

_COCO = formats.COCO_17.num_joints


def mmpose(where: str, content: Any, declared: Declare) -> Framed:
    """The best body of an image of mmpose's results.

    Args:
        where: What it is, for messages.
        content: Of the JSON.
        declared: Changes the format.

    Returns:
        (joints, visible, `bodies.Where`, None), in pixels of the image.

    Raises:
        InputError: If it is not mmpose's, is a video's, or has joints that do not begin with COCO's.
    """
    if isinstance(content, dict):
        _check_names(where, content.get("meta_info"))
        content = next((content[key] for key in ("instance_info", "predictions", "instances") if key in content), None)
    while isinstance(content, list) and len(content) == 1 and isinstance(content[0], list):
        content = content[0]
    if not isinstance(content, list) or not all(isinstance(instance, dict) for instance in content):
        raise InputError(f"{where} has no instances; expected the results of mmpose.")
    if any("instances" in instance for instance in content):
        if len(content) > 1:
            raise InputError(f"{where} has the results of {len(content)} frames; expected those of one image.")
        content = content[0]["instances"]
    form = declared(formats.MMPOSE_17)
    return *choose([_mmpose_body(where, instance, form) for instance in content], where), None


def yolo(where: str, content: Any, declared: Declare) -> Framed:
    """As `mmpose`, of the JSON that Ultralytics' results give, in pixels of the image."""
    if not isinstance(content, list) or not all(isinstance(result, dict) for result in content):
        raise InputError(f"{where} is not a list of results; expected the JSON of YOLO-pose.")
    form = declared(formats.YOLO_17)
    bodies: list[Body | None] = []
    for result in content:
        joints = result.get("keypoints")
        if not joints:  # a box alone
            bodies.append(None)
            continue
        columns = [joints.get(key) if isinstance(joints, dict) else None for key in ("x", "y", "visible")]
        columns[2] = columns[2] or [1.0] * _COCO
        if not all(isinstance(column, list) and len(column) == _COCO for column in columns):
            raise InputError(f"{where}: expected x and y of COCO's {_COCO} joints in keypoints.")
        bodies.append(body(form, checked(where, [number for joint in zip(*columns) for number in joint])))
    return *choose(bodies, where), None


def yolo_lines(path: str, declared: Declare) -> Framed:
    """As `mmpose`, of a label file of YOLO-pose: class, box, then x, y and perhaps a score of each joint, as shares.

    A confidence of the box and the number of a track may follow.
    """
    form = declared(formats.YOLO_17)
    bodies = []
    with open_text(path, "a label file of YOLO-pose") as file:
        for number, line in enumerate(file, 1):
            cells = line.split()
            if not cells:
                continue
            each = next((count for count in (3, 2) if 0 <= len(cells) - 5 - count * _COCO <= 2), 0)
            if not each:
                raise InputError(
                    f"{path}, line {number}: {len(cells)} numbers; expected 56: a class, a box, and x, y and score of "
                    f"{_COCO} joints."
                )
            where = f"{path}, line {number}"
            joints = checked(where, [_number(where, cell) for cell in cells[5 : 5 + each * _COCO]])
            x, y = joints[::each], joints[1::each]
            scores = joints[2::3] if each == 3 else [1.0] * _COCO
            scores = [score if a or b else 0.0 for score, a, b in zip(scores, x, y)]  # (0, 0): missing
            bodies.append(body(form, [number for a, b, c in zip(x, y, scores) for number in (a - 0.5, b - 0.5, c)]))
    return *choose(bodies, path), SHARES


def _mmpose_body(where: str, instance: Any, form: KeypointFormat) -> Body | None:
    joints, scores = instance.get("keypoints"), instance.get("keypoint_scores")
    if not joints:
        return None
    if not isinstance(joints, list) or not all(isinstance(joint, list) and len(joint) in (2, 3) for joint in joints):
        raise InputError(f"{where}: keypoints is not a list of x and y; expected the results of mmpose.")
    if len(joints) not in (17, 26, 133, 136):
        raise InputError(
            f"{where}: {len(joints)} joints; expected COCO's 17, or the 26, 133 or 136 of Halpe and WholeBody, which "
            "begin with them."
        )
    if not isinstance(scores, list) or len(scores) != len(joints):
        scores = [joint[2] if len(joint) == 3 else 1.0 for joint in joints]
    numbers = [number for (x, y, *_), score in zip(joints[:17], scores) for number in (x, y, score)]
    return body(form, checked(where, numbers))


def _check_names(where: str, meta: Any) -> None:
    """Refuses results whose own list of joints does not begin with COCO's."""
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    first = names.get("0") if isinstance(names, dict) else None
    if first and first != "nose":
        raise InputError(
            f"{where}: joint 0 is called {quoted(first, 40)}; expected COCO's joints, which begin with nose."
        )


def _number(where: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"{where}: {quoted(cell, 20)} is not a number; expected a label file of YOLO-pose.") from None


ReadContent = Callable[[str, Any, Declare], Framed]


def of_file(read: ReadContent) -> Callable[[str, Declare], Framed]:
    """A reader of one JSON file of a reader of its content."""
    return lambda path, declared: read(path, read_json(path), declared)
