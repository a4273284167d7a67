"""One person's joints in JSON, as OpenPose and MediaPipe write them."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfwarpgan.body.joints import LIMBS
from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.bodies import Body, body, choose
from tfwarpgan.data.joints.formats import FARTHEST, Declare, Framed, KeypointFormat
from tfwarpgan.errors import InputError, quoted
from tfwarpgan.storage.text import open_text
from tfwarpgan.typing import Joints, Pose, Size, Visible

LANDMARK_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")


def read_openpose_json(path: str) -> Pose:
    """Reads the best person of an OpenPose JSON file, COCO-18 (54 numbers) or BODY_25 (75 numbers).

    Args:
        path: JSON file with `people[].pose_keypoints` or `.pose_keypoints_2d`: x, y and confidence of each joint.

    Returns:
        (joints float32 [18, 2] as (y, x), visible bool [18]); (0, 0) or no confidence means missing.

    Raises:
        InputError: If the file is missing or is not such a JSON file, or contains no person.
    """
    joints, visible, _, _ = openpose(path, lambda form: form)
    if not visible.any():
        raise InputError(f"{path}: it has no person with joints; choose another pose.")
    return joints, visible


def openpose(path: str, declared: Declare, order_25: KeypointFormat | None = None) -> Framed:
    """Like `read_openpose_json`, with the format changed by `declared`; no joint is visible if nobody was found.

    Args:
        path: JSON file, of OpenPose or of the programs that write in its way.
        declared: Changes the format.
        order_25: The order of 25 joints, BODY_25 or BODY_25B; None: as they show it.

    Returns:
        (joints, visible, `bodies.Where`, (height, width) of the canvas that the file states, or None).
    """
    numbers_of, canvas = openpose_bodies(path)
    return *choose([_openpose_body(numbers, declared, order_25) for numbers in numbers_of], path), canvas


def _openpose_body(numbers: list[float], declared: Declare, order_25: KeypointFormat | None) -> Body | None:
    if not numbers:  # hands or a face alone
        return None
    if len(numbers) == 54:
        form = formats.OPENPOSE_18
    else:
        form = order_25 or (formats.OPENPOSE_25B if shows_25b([numbers]) else formats.OPENPOSE_25)
    return body(declared(form), numbers)


def openpose_bodies(path: str) -> tuple[list[list[float]], Size | None]:
    """The numbers of each body of a file, 54 or 75, or none, and the (height, width) of the canvas that it states.

    ControlNet and ComfyUI write a list of what OpenPose writes, with the size of the picture that they drew on.
    """
    content = read_json(path)
    if isinstance(content, list) and content and isinstance(content[0], dict):
        content = content[0] if "people" in content[0] else {"people": content}
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(f"{path} has no list 'people'; expected OpenPose's output.")
    bodies = []
    for person in people:
        person = person if isinstance(person, dict) else {}
        numbers = person.get("pose_keypoints_2d") or person.get("pose_keypoints") or []
        if isinstance(numbers, list) and numbers and isinstance(numbers[0], list):
            numbers = [number for joint in numbers for number in (joint if isinstance(joint, list) else [joint])]
        count = len(numbers) if isinstance(numbers, list) else "no"
        if count not in (0, 54, 75):
            raise InputError(f"{path}: {count} pose numbers; expected 54 or 75: x, y, confidence of 18 or 25 joints.")
        bodies.append(checked(path, numbers))
    sides = [content.get(f"canvas_{side}") for side in ("height", "width")]
    is_stated = all(isinstance(side, int) and 0 < side < FARTHEST for side in sides)
    return bodies, (sides[0], sides[1]) if is_stated else None


def shows_25b(bodies: Sequence[Sequence[float]]) -> bool:
    """Whether 25 joints are in the order of OpenPose's BODY_25B: read in that order, their limbs are shorter.

    Args:
        bodies: The 75 numbers of each body.
    """
    ratios = []
    for numbers in bodies:
        points = np.asarray(numbers, np.float64).reshape(25, 3)
        shown = points[points[:, 2] > 0, :2]
        if len(shown) < 6 or np.linalg.svd(shown - shown.mean(0), compute_uv=False)[1] < 1e-3 * np.ptp(shown):
            continue  # too few, or all on a line
        lengths = [_limb_length(*form.to_18(points)) for form in (formats.OPENPOSE_25B, formats.OPENPOSE_25)]
        if all(lengths):
            ratios.append(lengths[0] / lengths[1])
    return bool(ratios) and float(np.median(ratios)) < 1


def _limb_length(joints: Joints, visible: Visible) -> float:
    """Mean length of the limbs that are seen, pixels; 0 if there are fewer than three."""
    lengths = [np.hypot(*(joints[first] - joints[last])) for first, last in LIMBS if visible[first] and visible[last]]
    return float(np.mean(lengths)) if len(lengths) >= 3 else 0.0


def landmarks(where: str, content: Any, declared: Declare) -> Framed:
    """The best pose of what MediaPipe's interfaces write: landmarks, a list of poses, or either under a key.

    Where no landmark has a visibility, as in some interfaces, a joint outside of the image counts as missing.
    """
    return *choose([_landmark_body(where, pose, declared) for pose in _poses(content)], where), None


def _poses(content: Any) -> list[Any]:
    """The lists of landmarks in what MediaPipe writes, such as {"pose_landmarks": [{"landmark": [...]}]}."""
    content = _unwrapped(content)
    is_one = isinstance(content, list) and content and _is_landmark(content[0])
    return [content] if is_one or not isinstance(content, list) else [_unwrapped(pose) for pose in content]


def _unwrapped(content: Any) -> Any:
    for _ in range(2):
        if isinstance(content, dict):
            content = next((content[key] for key in LANDMARK_KEYS if key in content), content)
    return content


def _landmark_body(where: str, content: Any, declared: Declare) -> Body | None:
    if content is None or content == []:
        return None
    form = declared(formats.MEDIAPIPE_33)
    if not isinstance(content, list) or len(content) != form.num_joints:
        count = len(content) if isinstance(content, list) else "no"
        raise InputError(f"{where}: {count} landmarks; expected MediaPipe's {form.num_joints}.")
    rows = [_landmark(landmark) for landmark in content]
    is_stated = any(visibility is not None for _, _, visibility in rows)
    numbers = checked(where, [number for x, y, _ in rows for number in (x, y)])
    points = np.array(numbers, np.float64).reshape(-1, 2)
    inside = ((points >= 0) & (points <= 1)).all(axis=1)
    if is_stated:
        scores = checked(where, [0.0 if visibility is None else visibility for _, _, visibility in rows])
    else:
        scores = inside.astype(float).tolist()
    return body(form, np.column_stack([points, scores]).ravel().tolist())


def _is_landmark(content: Any) -> bool:
    if isinstance(content, dict):
        return "x" in content
    return isinstance(content, list) and bool(content) and isinstance(content[0], (int, float))


def _landmark(landmark: Any) -> tuple[Any, Any, Any]:
    """(x, y, visibility or None) of a landmark, which is a dict or a list of x, y, z and visibility."""
    if isinstance(landmark, list):
        return (*landmark, None, None)[0], (*landmark, None, None)[1], landmark[3] if len(landmark) > 3 else None
    landmark = landmark if isinstance(landmark, dict) else {}
    return landmark.get("x"), landmark.get("y"), landmark.get("visibility")


def read_json(path: str) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: If the file is missing or is not JSON.
    """
    try:
        with open_text(path, "a JSON file of joints") as file:
            text = file.read()
            if not text.strip():
                raise InputError(f"{path} is empty; expected a JSON file of joints.")
            return json.loads(text)
    except InputError:
        raise
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not JSON; expected a file of joints.") from None


def checked(where: str, numbers: Any, count: int | None = None) -> list[float]:
    """The numbers, each of them finite and near an image."""
    if not isinstance(numbers, list) or (count and len(numbers) != count):
        got = len(numbers) if isinstance(numbers, list) else "no"
        raise InputError(f"{where}: {got} pose numbers; expected {count}: three per joint.")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < FARTHEST:
            raise InputError(f"{where}: the pose holds {quoted(number, 20)}, which is not a number of pixels.")
    return numbers
