"""One person's joints in JSON, as OpenPose and MediaPipe write them."""

import json
from typing import Any

from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.bodies import Body, Where, body, choose
from tfwarpgan.data.joints.formats import FARTHEST, Declare
from tfwarpgan.errors import InputError, quoted
from tfwarpgan.storage.text import read_lines
from tfwarpgan.typing import Joints, Pose, Visible

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
    joints, visible, _ = openpose(path, lambda form: form)
    if not visible.any():
        raise InputError(f"{path}: it has no person with joints; choose another pose.")
    return joints, visible


def openpose(path: str, declared: Declare) -> tuple[Joints, Visible, Where]:
    """Like `read_openpose_json`, with the format changed by `declared`; no joint is visible if nobody was found."""
    content = read_json(path)
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(f"{path} has no list 'people'; expected OpenPose's output.")
    return choose([_openpose_body(path, person, declared) for person in people], path)


def _openpose_body(path: str, person: Any, declared: Declare) -> Body | None:
    person = person if isinstance(person, dict) else {}
    numbers = person.get("pose_keypoints_2d") or person.get("pose_keypoints")
    if not numbers:  # hands or a face alone
        return None
    count = len(numbers) if isinstance(numbers, list) else "no"
    if count not in (54, 75):
        raise InputError(f"{path}: {count} pose numbers; expected 54 or 75: x, y, confidence of 18 or 25 joints.")
    return body(declared(formats.OPENPOSE_18 if count == 54 else formats.OPENPOSE_25), checked(path, numbers))


def landmarks(where: str, content: Any, declared: Declare) -> tuple[Joints, Visible, Where]:
    """The best pose of what MediaPipe's interfaces write: landmarks, a list of poses, or either under a key."""
    return choose([_landmark_body(where, pose, declared) for pose in _poses(content)], where)


def _poses(content: Any) -> list[Any]:
    """The lists of landmarks in what MediaPipe writes, such as {"pose_landmarks": [{"landmark": [...]}]}."""
    content = _unwrapped(content)
    is_one = isinstance(content, list) and content and isinstance(content[0], dict) and "x" in content[0]
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
    numbers = []
    for landmark in content:
        landmark = landmark if isinstance(landmark, dict) else {}
        numbers += [landmark.get("x"), landmark.get("y"), landmark.get("visibility", 1.0)]
    return body(form, checked(where, numbers))


def read_json(path: str) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: If the file is missing or is not JSON.
    """
    text = "\n".join(read_lines(path, "a JSON file of joints"))
    try:
        return json.loads(text)
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
