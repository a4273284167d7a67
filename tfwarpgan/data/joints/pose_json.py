"""One person's joints in JSON, as OpenPose and MediaPipe write them."""

import json
from typing import Any

import numpy as np

from tfwarpgan.body.joints import MISSING, NUM_JOINTS
from tfwarpgan.data.joints import formats
from tfwarpgan.data.joints.formats import FARTHEST, Declare
from tfwarpgan.errors import InputError
from tfwarpgan.storage.text import read_lines
from tfwarpgan.typing import Pose

NOBODY = np.full((NUM_JOINTS, 2), MISSING, np.float32), np.zeros(NUM_JOINTS, bool)
LANDMARK_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")


def read_openpose_json(path: str) -> Pose:
    """Reads the first person of an OpenPose JSON file, COCO-18 (54 numbers) or BODY_25 (75 numbers).

    Args:
        path: JSON file with `people[0].pose_keypoints` or `.pose_keypoints_2d`: x, y and confidence of each joint.

    Returns:
        (joints float32 [18, 2] as (y, x), visible bool [18]); (0, 0) or no confidence means missing.

    Raises:
        InputError: If the file is missing or is not such a JSON file, or contains no person.
    """
    joints, visible = openpose(path, lambda form: form)
    if not visible.any():
        raise InputError(f"{path}: it has no person, or no joint of the first one; choose another pose.")
    return joints, visible


def openpose(path: str, declared: Declare) -> Pose:
    """Like `read_openpose_json`, with the format changed by `declared`; no joint is visible if nobody was found."""
    content = read_json(path)
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(f"{path} has no list 'people'; expected OpenPose's output.")
    if not people:
        return NOBODY
    person = people[0] if isinstance(people[0], dict) else {}
    numbers = person.get("pose_keypoints_2d") or person.get("pose_keypoints")
    count = len(numbers) if isinstance(numbers, list) else "no"
    if count not in (54, 75):
        raise InputError(f"{path}: {count} pose numbers; expected 54 or 75: x, y, confidence of 18 or 25 joints.")
    form = declared(formats.OPENPOSE_18 if count == 54 else formats.OPENPOSE_25)
    return form.to_18(checked(path, numbers))


def landmarks(where: str, content: Any, declared: Declare) -> Pose:
    """The first pose of what MediaPipe's interfaces write: landmarks, a list of poses, or either under a key."""
    for _ in range(3):  # {"pose_landmarks": [{"landmark": [...]}]} is the deepest
        if isinstance(content, dict):
            content = next((content[key] for key in LANDMARK_KEYS if key in content), content)
        elif isinstance(content, list) and content and not (isinstance(content[0], dict) and "x" in content[0]):
            content = content[0]
    if content is None or content == []:
        return NOBODY
    form = declared(formats.MEDIAPIPE_33)
    if not isinstance(content, list) or len(content) != form.num_joints:
        count = len(content) if isinstance(content, list) else "no"
        raise InputError(f"{where}: {count} landmarks; expected MediaPipe's {form.num_joints}.")
    numbers = []
    for landmark in content:
        landmark = landmark if isinstance(landmark, dict) else {}
        numbers += [landmark.get("x"), landmark.get("y"), landmark.get("visibility", 1.0)]
    return form.to_18(checked(where, numbers))


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
            raise InputError(f"{where}: the pose holds {str(number)[:20]!r}, which is not a number of pixels.")
    return numbers
