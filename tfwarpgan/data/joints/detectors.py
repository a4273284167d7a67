"""The results of mmpose and of YOLO-pose (Ultralytics): COCO's 17 joints of each body, in files named after the images.

mmpose: JSON of its demos (`instance_info`) and of its inferencer (a list of instances). YOLO-pose: the lines of
`save_txt`, with shares of the image, or the JSON of its results, in pixels.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.formats import Declare, Framed, KeypointFormat
from tfwarpgan.data.joints.frames import SHARES
from tfwarpgan.data.joints.pose_json import NOBODY, body_rank, checked, read_json
from tfwarpgan.errors import InputError
from tfwarpgan.storage.text import open_text

_COCO = formats.COCO_17.num_joints


def mmpose(where: str, content: Any, declared: Declare) -> Framed:
    """The best body of an image of mmpose's results.

    Args:
        where: What it is, for messages.
        content: Of the JSON.
        declared: Changes the format.

    Returns:
        (joints, visible, None), in pixels of the image.

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
    bodies = [_mmpose_body(where, instance) for instance in content if instance.get("keypoints")]
    return *_best(declared(formats.MMPOSE_17), bodies), None


def yolo(where: str, content: Any, declared: Declare) -> Framed:
    """As `mmpose`, of the JSON that Ultralytics' results give, in pixels of the image."""
    if not isinstance(content, list) or not all(isinstance(result, dict) for result in content):
        raise InputError(f"{where} is not a list of results; expected the JSON of YOLO-pose.")
    bodies = []
    for result in content:
        joints = result.get("keypoints")
        if not joints:
            continue
        columns = [joints.get(key) if isinstance(joints, dict) else None for key in ("x", "y", "visible")]
        columns[2] = columns[2] or [1.0] * _COCO
        if not all(isinstance(column, list) and len(column) == _COCO for column in columns):
            raise InputError(f"{where}: expected x and y of COCO's {_COCO} joints in keypoints.")
        bodies.append(checked(where, [number for joint in zip(*columns) for number in joint]))
    return *_best(declared(formats.YOLO_17), bodies), None


def yolo_lines(path: str, declared: Declare) -> Framed:
    """As `mmpose`, of a label file of YOLO-pose: class, box, then x, y and perhaps a score of each joint, as shares.

    A confidence of the box and the number of a track may follow.
    """
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
            bodies.append([number for a, b, c in zip(x, y, scores) for number in (a - 0.5, b - 0.5, c)])
    return *_best(declared(formats.YOLO_17), bodies), SHARES


def _best(form: KeypointFormat, bodies: Sequence[Sequence[float]]) -> Any:
    """(joints, visible) of the body that the image is about."""
    poses = [(*form.to_18(numbers), numbers[2::3]) for numbers in bodies]
    return max(poses, key=lambda pose: body_rank(*pose))[:2] if poses else NOBODY


def _mmpose_body(where: str, instance: Any) -> list[float]:
    joints, scores = instance["keypoints"], instance.get("keypoint_scores")
    if not isinstance(joints, list) or not all(isinstance(joint, list) and len(joint) in (2, 3) for joint in joints):
        raise InputError(f"{where}: keypoints is not a list of x and y; expected the results of mmpose.")
    if len(joints) not in (17, 26, 133, 136):
        raise InputError(
            f"{where}: {len(joints)} joints; expected COCO's 17, or the 26, 133 or 136 of Halpe and WholeBody, which "
            "begin with them."
        )
    if not isinstance(scores, list) or len(scores) != len(joints):
        scores = [joint[2] if len(joint) == 3 else 1.0 for joint in joints]
    return checked(where, [number for (x, y, *_), score in zip(joints[:17], scores) for number in (x, y, score)])


def _check_names(where: str, meta: Any) -> None:
    """Refuses results whose own list of joints does not begin with COCO's."""
    names = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    first = names.get("0") if isinstance(names, dict) else None
    if first and first != "nose":
        raise InputError(
            f"{where}: joint 0 is called {str(first)[:40]!r}; expected COCO's joints, which begin with nose."
        )


def _number(where: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise InputError(f"{where}: '{cell[:20]}' is not a number; expected a label file of YOLO-pose.") from None


ReadContent = Callable[[str, Any, Declare], Framed]


def of_file(read: ReadContent) -> Callable[[str, Declare], Framed]:
    """A reader of one JSON file of a reader of its content."""
    return lambda path, declared: read(path, read_json(path), declared)
