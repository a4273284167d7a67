"""Files of joints in every `KeypointFormat`: one file for a data set, or a folder with one file a picture.

Each reader gives the same: a dict of the picture's name, as the source writes it, -> (keypoints float32 [18, 2],
visible bool [18], where it stands). Names from files that are named after pictures have no suffix.
"""

import os

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.joints import coco, formats
from tfwarpgan.data.joints.pose_gan import read_annotation_rows
from tfwarpgan.data.joints.pose_json import LANDMARK_KEYS, checked, landmarks, openpose, read_json
from tfwarpgan.data.pictures.files import files_below
from tfwarpgan.errors import InputError, raise_error
from tfwarpgan.storage.text import at_row, read_lines


def read(path, kind, *, missing="format", min_score=-1.0, images="", on_error=raise_error):
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
        return coco.read(path, declared(formats.COCO_17), images, on_error)
    return READERS[kind](path, declared, on_error)


def check_there(path):
    """The path of --keypoints without a tilde; InputError if nothing is there."""
    if not os.path.exists(os.path.expanduser(path)):
        raise InputError(f"--keypoints={path} is missing; give the file or folder of the joints.")
    return os.path.expanduser(path)


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


def _nted(path, declared):
    cells = [line.split() for line in read_lines(path, f"{NUM_JOINTS} lines of x and y") if line.strip()]
    if len(cells) != NUM_JOINTS or any(len(row) != 2 for row in cells):
        raise InputError(f"{path}: expected {NUM_JOINTS} lines of two numbers, x and y.")
    return declared(formats.NTED).to_18(checked(path, [_float(cell) for row in cells for cell in row]))


def _float(text):
    try:
        return float(text)
    except ValueError:
        return text


def _mediapipe(path, declared, on_error):
    """A folder of files a picture, or one file: picture name -> landmarks."""
    if os.path.isdir(path):
        return _folder(lambda file, declared: landmarks(file, read_json(file), declared), ".json")(
            path, declared, on_error
        )
    content, found = read_json(path), {}
    if not isinstance(content, dict) or any(key in content for key in LANDMARK_KEYS):
        content = {os.path.basename(path).removesuffix(".json"): content}
    for name, pose in content.items():
        where = f"{path}, {name[:80]!r}"
        try:
            found[name] = (*landmarks(where, pose, declared), where)
        except InputError as error:
            on_error(error)
    if not content:
        raise InputError(f"{path} is empty; expected the landmarks of one picture or more.")
    return found


READERS = {
    "pose_gan": _csv,
    "openpose": _folder(openpose, ".json"),
    "coco_17": coco.read,
    "mediapipe_33": _mediapipe,
    "nted": _folder(_nted, ".txt"),
}


def stamps(path):
    """What changes when the joints do: (name, size, time of change) of each file."""
    path = os.path.expanduser(path)
    files = files_below(path, (".json", ".txt", ".csv")) if os.path.isdir(path) else {path: path}
    states = ((name, os.stat(file)) for name, file in files.items())
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]
