"""Files of joints in every `KeypointFormat`: one file for a data set, or a folder with one file a picture.

Each reader gives the same: a dict of the picture's name, as the source writes it, -> (keypoints float32 [18, 2],
visible bool [18], where it stands). Names from files that are named after pictures have no suffix.
"""

import json
import os

import numpy as np

from tfwarpgan.data import keypoint_formats as formats
from tfwarpgan.data.files import files_below
from tfwarpgan.data.keypoints import FARTHEST, MISSING, NUM_KEYPOINTS, at_row, read_annotation_rows, read_lines
from tfwarpgan.errors import InputError, refuse

_NOBODY = np.full((NUM_KEYPOINTS, 2), MISSING, np.float32), np.zeros(NUM_KEYPOINTS, bool)
_LANDMARK_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark")
_COCO_DIGITS = 12  # COCO names a picture by its number, filled up with zeros


def read(path, kind, *, missing="format", min_score=-1.0, images="", on_error=refuse):
    """Reads the joints of a data set.

    Args:
        path: File or folder of joints.
        kind: A key of `READERS`.
        missing: How a missing joint is written: "format": as the format has it; "-1" or "0".
        min_score: Confidence that a joint must exceed; below 0: the format's own.
        images: COCO results only: JSON file whose `images` name the pictures of its numbers.
        on_error: Function of the `InputError` of a bad row or file; one that does not raise has it left out.

    Returns:
        dict of name -> (keypoints, visible, where). A picture on which nobody was found has no visible joint.

    Raises:
        InputError: If the file or folder is missing, holds nothing, or is in another format.
    """
    path = check_there(path)

    def declared(form):
        return form.declared(missing, min_score)

    if kind == "coco_17":
        return _coco(path, declared(formats.COCO_17), images, on_error)
    return READERS[kind](path, declared, on_error)


def check_there(path):
    """The path of --keypoints without a tilde; InputError if nothing is there."""
    if not os.path.exists(os.path.expanduser(path)):
        raise InputError(f"--keypoints={path} is missing; give the file or folder of the joints.")
    return os.path.expanduser(path)


def read_openpose_json(path):
    """Reads the first person of an OpenPose JSON file, COCO-18 (54 numbers) or BODY_25 (75 numbers).

    Args:
        path: JSON file with `people[0].pose_keypoints` or `.pose_keypoints_2d`: x, y and confidence of each joint.

    Returns:
        (keypoints float32 [18, 2] as (y, x), visible bool [18]); (0, 0) or no confidence means missing.

    Raises:
        InputError: If the file is missing or is no such JSON, or nobody is in it.
    """
    keypoints, visible = _openpose(path, lambda form: form)
    if not visible.any():
        raise InputError(
            f"{path}: nobody was found in the picture, or no joint of the first person; choose another one."
        )
    return keypoints, visible


def _csv(path, declared, on_error):
    if os.path.isdir(path):
        raise InputError(f"--keypoints={path} is a folder; expected an annotation CSV, or say --keypoint_format.")
    rows = read_annotation_rows(path, missing=declared(formats.POSE_GAN).missing, on_error=on_error)
    return {name: (*joints, at_row(path, row)) for name, (*joints, row) in rows.items()}


def _folder(read_file, suffix):
    """A reader of folders with one file a picture, named after it."""

    def read_folder(path, declared, on_error):
        if os.path.isdir(path):
            files = files_below(path, (suffix,))
        else:
            files = {os.path.basename(path): path}
        found = {}
        for relative, file in files.items():
            name = relative[: -len(suffix)].removesuffix("_keypoints")
            if name in found:
                on_error(InputError(f"{file} and {found[name][2]} are of the same picture; keep one of them."))
                continue
            try:
                found[name] = (*read_file(file, declared), file)
            except InputError as error:
                on_error(error)
        if not files:
            raise InputError(f"--keypoints={path} holds no {suffix} file; expected one a picture, named after it.")
        return found

    return read_folder


def _openpose(path, declared):
    content = read_json(path)
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise InputError(f"{path} has no list 'people'; expected OpenPose's output.")
    if not people:
        return _NOBODY
    person = people[0] if isinstance(people[0], dict) else {}
    numbers = person.get("pose_keypoints_2d") or person.get("pose_keypoints")
    count = len(numbers) if isinstance(numbers, list) else "no"
    if count not in (54, 75):
        raise InputError(f"{path}: {count} pose numbers; expected 54 or 75: x, y, confidence of 18 or 25 joints.")
    form = declared(formats.OPENPOSE_18 if count == 54 else formats.OPENPOSE_25)
    return form.to_18(_checked(path, numbers))


def _nted(path, declared):
    cells = [line.split() for line in read_lines(path, f"{NUM_KEYPOINTS} lines of x and y") if line.strip()]
    if len(cells) != NUM_KEYPOINTS or any(len(row) != 2 for row in cells):
        raise InputError(f"{path}: expected {NUM_KEYPOINTS} lines of two numbers, x and y.")
    return declared(formats.NTED).to_18(_checked(path, [_float(cell) for row in cells for cell in row]))


def _float(text):
    try:
        return float(text)
    except ValueError:
        return text


def _mediapipe(path, declared, on_error):
    """A folder of files a picture, or one file: picture name -> landmarks."""
    if os.path.isdir(path):
        return _folder(lambda file, declared: _landmarks(file, read_json(file), declared), ".json")(
            path, declared, on_error
        )
    content, found = read_json(path), {}
    if not isinstance(content, dict) or any(key in content for key in _LANDMARK_KEYS):
        content = {os.path.basename(path).removesuffix(".json"): content}
    for name, landmarks in content.items():
        where = f"{path}, {name[:80]!r}"
        try:
            found[name] = (*_landmarks(where, landmarks, declared), where)
        except InputError as error:
            on_error(error)
    if not content:
        raise InputError(f"{path} is empty; expected the landmarks of one picture or more.")
    return found


def _landmarks(where, content, declared):
    """The first pose of what MediaPipe's interfaces write: landmarks, a list of poses, or either under a key."""
    for _ in range(3):  # {"pose_landmarks": [{"landmark": [...]}]} is the deepest
        if isinstance(content, dict):
            content = next((content[key] for key in _LANDMARK_KEYS if key in content), content)
        elif isinstance(content, list) and content and not (isinstance(content[0], dict) and "x" in content[0]):
            content = content[0]
    if content is None or content == []:
        return _NOBODY
    form = declared(formats.MEDIAPIPE_33)
    if not isinstance(content, list) or len(content) != form.num_joints:
        count = len(content) if isinstance(content, list) else "no"
        raise InputError(f"{where}: {count} landmarks; expected MediaPipe's {form.num_joints}.")
    numbers = []
    for landmark in content:
        landmark = landmark if isinstance(landmark, dict) else {}
        numbers += [landmark.get("x"), landmark.get("y"), landmark.get("visibility", 1.0)]
    return form.to_18(_checked(where, numbers))


def _coco(path, form, images, on_error):
    content = read_json(path)
    results = isinstance(content, list)
    annotations = content if results else content.get("annotations") if isinstance(content, dict) else None
    if not isinstance(annotations, list) or not annotations:
        raise InputError(f"{path} holds no annotations; expected COCO's keypoint annotations or results.")
    names = _coco_names(images or path, read_json(images) if results and images else content)
    found, best = {}, {}
    for place, annotation in enumerate(annotations):
        where = f"{path}, {'result' if results else 'annotation'} {place + 1}"
        try:
            name, rank, numbers = _coco_person(where, annotation, names)
            joints = form.to_18(_checked(where, numbers, 3 * form.num_joints))
        except InputError as error:
            on_error(error)
            continue
        if name not in best or rank > best[name]:  # of several people, the one that the picture is about
            best[name], found[name] = rank, (*joints, where)
    for name in names.values():
        found.setdefault(name, (*_NOBODY, f"{path}, images"))
    return found


def _coco_names(path, content):
    rows = content.get("images", []) if isinstance(content, dict) else []
    names = {}
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        key, name = (row.get("id"), row.get("file_name")) if isinstance(row, dict) else (None, None)
        if not isinstance(key, (int, str)) or not isinstance(name, str) or not name:
            raise InputError(f"{path}, image {place + 1}: expected an id and a file_name.")
        names[key] = name
    return names


def _coco_person(where, annotation, names):
    """(name of the picture, (score, area), numbers) of an annotation or a result."""
    annotation = annotation if isinstance(annotation, dict) else {}
    key = annotation.get("image_id")
    if names and isinstance(key, (int, str)) and key in names:
        name = names[key]
    elif isinstance(key, str) and key and not names:
        name = key
    elif isinstance(key, int) and not isinstance(key, bool) and 0 <= key < 10**_COCO_DIGITS and not names:
        name = f"{key:0{_COCO_DIGITS}d}"
    else:
        raise InputError(f"{where}: image_id {str(key)[:20]!r} names no picture of its images.")
    rank = tuple(_rank(annotation.get(column)) for column in ("score", "area"))
    return name, rank, annotation.get("keypoints")


def _rank(value):
    return value if isinstance(value, (int, float)) and abs(value) < 1e18 else 0.0


def read_json(path):
    """The content of a JSON file.

    Raises:
        InputError: If the file is missing or is no JSON.
    """
    text = "\n".join(read_lines(path, "a JSON file of joints"))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not JSON; expected a file of joints.") from None


def _checked(where, numbers, count=None):
    """The numbers, each of them finite and near a picture."""
    if not isinstance(numbers, list) or (count and len(numbers) != count):
        got = len(numbers) if isinstance(numbers, list) else "no"
        raise InputError(f"{where}: {got} pose numbers; expected {count}: three a joint.")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < FARTHEST:
            raise InputError(f"{where}: the pose holds {str(number)[:20]!r}, which is no number of pixels.")
    return numbers


READERS = {
    "pose_gan": _csv,
    "openpose": _folder(_openpose, ".json"),
    "coco_17": _coco,
    "mediapipe_33": _mediapipe,
    "nted": _folder(_nted, ".txt"),
}


def stamps(path):
    """What changes when the joints do: (name, size, time of change) of each file."""
    path = os.path.expanduser(path)
    files = files_below(path, (".json", ".txt", ".csv")) if os.path.isdir(path) else {path: path}
    states = ((name, os.stat(file)) for name, file in files.items())
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]
