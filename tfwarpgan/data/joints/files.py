"""Files of joints in every `KeypointFormat`: one file for a data set, or a folder with one file per image.

Each reader returns the same: a dict of the image's name, as the source writes it, -> (joints float32 [18, 2],
visible bool [18], where it stands). Names from files that are named after images have no suffix.
"""

import os
from collections.abc import Callable
from typing import Any, TypeAlias

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.joints import coco, formats
from tfwarpgan.data.joints.formats import Annotations, Declare, KeypointFormat
from tfwarpgan.data.joints.pose_gan import read_annotation_rows
from tfwarpgan.data.joints.pose_json import LANDMARK_KEYS, checked, landmarks, openpose, read_json
from tfwarpgan.data.pictures.files import files_below
from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.storage.text import at_row, read_lines
from tfwarpgan.typing import Joints, Visible

Reader: TypeAlias = Callable[[str, Declare, OnError], Annotations]


def read(
    path: str,
    kind: str,
    *,
    missing: str = "format",
    min_score: float = -1.0,
    images: str = "",
    on_error: OnError = raise_error,
) -> Annotations:
    """Reads the joints of a data set.

    Args:
        path: File or folder of joints.
        kind: A key of `READERS`.
        missing: How a missing joint is written: "format": as the format has it; "-1" or "0".
        min_score: Confidence that a joint must exceed; below 0: the format's own.
        images: COCO results only: JSON file whose `images` name the images of its numbers.
        on_error: Function of the `InputError` of a bad row or file; one that does not raise has it left out.

    Returns:
        dict of name -> (joints, visible, where). An image in which nobody was found has no visible joint.

    Raises:
        InputError: If the file or folder is missing, holds nothing, or is in another format.
    """
    path = check_there(path)

    def declared(form: KeypointFormat) -> KeypointFormat:
        return form.declared(missing, min_score)

    if kind == "coco_17":
        return coco.read(path, declared(formats.COCO_17), images, on_error)
    return READERS[kind](path, declared, on_error)


def check_there(path: str) -> str:
    """The path of --keypoints without a tilde; InputError if nothing is there."""
    if not os.path.exists(os.path.expanduser(path)):
        raise InputError(f"--keypoints={path} is missing; give the file or folder of the joints.")
    return os.path.expanduser(path)


def _csv(path: str, declared: Declare, on_error: OnError) -> Annotations:
    if os.path.isdir(path):
        raise InputError(
            f"--keypoints={path} is a folder; expected an annotation CSV; for other formats, set --keypoint_format."
        )
    rows = read_annotation_rows(path, missing=declared(formats.POSE_GAN).missing, on_error=on_error)
    return {name: (joints, visible, at_row(path, row)) for name, (joints, visible, row) in rows.items()}


def _folder(read_file: Callable[[str, Declare], tuple[Joints, Visible, str]], suffix: str) -> Reader:
    """A reader of folders with one file per image, named after it."""

    def read_folder(path: str, declared: Declare, on_error: OnError) -> Annotations:
        if os.path.isdir(path):
            files = files_below(path, (suffix,))
        else:
            files = {os.path.basename(path): path}
        found: Annotations = {}
        for relative, file in files.items():
            name = relative[: -len(suffix)].removesuffix("_keypoints")
            if name in found:
                on_error(InputError(f"{file} and {found[name][2]} are of the same image; keep one of them."))
                continue
            try:
                found[name] = read_file(file, declared)
            except InputError as error:
                on_error(error)
        if not files:
            raise InputError(f"--keypoints={path} contains no {suffix} file; expected one per image, named after it.")
        return found

    return read_folder


def _nted(path: str, declared: Declare) -> tuple[Joints, Visible, str]:
    cells = [line.split() for line in read_lines(path, f"{NUM_JOINTS} lines of x and y") if line.strip()]
    if len(cells) != NUM_JOINTS or any(len(row) != 2 for row in cells):
        raise InputError(f"{path}: expected {NUM_JOINTS} lines of two numbers, x and y.")
    return *declared(formats.NTED).to_18(checked(path, [_float(cell) for row in cells for cell in row])), path


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _mediapipe(path: str, declared: Declare, on_error: OnError) -> Annotations:
    """A folder with one file per image, or one file: image name -> landmarks."""
    if os.path.isdir(path):
        return _folder(lambda file, declared: landmarks(file, read_json(file), declared), ".json")(
            path, declared, on_error
        )
    content: Any = read_json(path)
    found: Annotations = {}
    if not isinstance(content, dict) or any(key in content for key in LANDMARK_KEYS):
        content = {os.path.basename(path).removesuffix(".json"): content}
    for name, pose in content.items():
        where = f"{path}, {name[:80]!r}"
        try:
            found[name] = landmarks(where, pose, declared)
        except InputError as error:
            on_error(error)
    if not content:
        raise InputError(f"{path} is empty; expected the landmarks of at least one image.")
    return found


READERS: dict[str, Any] = {
    "pose_gan": _csv,
    "openpose": _folder(openpose, ".json"),
    "coco_17": coco.read,
    "mediapipe_33": _mediapipe,
    "nted": _folder(_nted, ".txt"),
}


def stamps(path: str) -> list[tuple[str, int, int]]:
    """What changes when the joints do: (name, size, time of change) of each file."""
    path = os.path.expanduser(path)
    files = files_below(path, (".json", ".txt", ".csv")) if os.path.isdir(path) else {path: path}
    states = ((name, os.stat(file)) for name, file in files.items())
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]
