"""Files of joints in every `KeypointFormat`: one file for a data set, or a folder with one file per image.

Each reader returns the same: a dict of the image's name, as the source writes it, -> (joints float32 [18, 2],
visible bool [18], where it stands). Names from files that are named after images have no suffix.
"""

import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.joints import coco, detectors, formats
from tfwarpgan.data.joints.formats import Annotations, Declare, Framed, KeypointFormat
from tfwarpgan.data.joints.pose_gan import collect_rows, iterate_annotation_rows
from tfwarpgan.data.joints.pose_json import (
    LANDMARK_KEYS,
    checked,
    landmarks,
    openpose,
    openpose_bodies,
    read_json,
    shows_25b,
)  # fmt: skip
from tfwarpgan.data.pictures.files import files_below, without_root
from tfwarpgan.errors import InputError, OnError, raise_error
from tfwarpgan.storage.text import read_lines

ReadFile: TypeAlias = Callable[[str, Declare], Framed]
Reader: TypeAlias = Callable[[str, Declare, OnError, bool], Annotations]
_NAME_KEYS = ("image_path", "img_path", "file_name", "filename", "image", "image_name", "path", "file", "name")
_BODY = {"keypoints", "bbox", "box"}  # keys of what is one body
_PREFIX = "results_"  # of the files of mmpose's demos


def read(
    path: str,
    kind: str,
    *,
    missing: str = "format",
    min_score: float = -1.0,
    images: str = "",
    follow_links: bool = False,
    on_error: OnError = raise_error,
) -> Annotations:
    """Reads the joints of a data set.

    Args:
        path: File or folder of joints.
        kind: A key of `READERS`.
        missing: How a missing joint is written: "format": as the format has it; "-1" or "0".
        min_score: Confidence that a joint must exceed; below 0: the format's own.
        images: COCO results only: JSON file whose `images` name the images of its numbers.
        follow_links: Whether links may lead out of a folder of joints.
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
    return READERS[kind](path, declared, on_error, follow_links)


def check_there(path: str) -> str:
    """The path of --keypoints without a tilde; InputError if nothing is there."""
    if not os.path.exists(os.path.expanduser(path)):
        raise InputError(f"--keypoints={path} is missing; give the file or folder of the joints.")
    return os.path.expanduser(path)


def _csv(path: str, declared: Declare, on_error: OnError, follow_links: bool) -> Annotations:
    del follow_links
    if os.path.isdir(path):
        raise InputError(
            f"--keypoints={path} is a folder; expected an annotation CSV; for other formats, set --keypoint_format."
        )
    rows = iterate_annotation_rows(path, missing=declared(formats.POSE_GAN).missing, on_error=on_error)
    return collect_rows(path, rows, on_error=on_error)


def _folder(readers: Mapping[str, ReadFile]) -> Reader:
    """A reader of folders with one file per image, named after it; `readers` are by the suffix of the files."""

    def read_folder(path: str, declared: Declare, on_error: OnError, follow_links: bool) -> Annotations:
        if os.path.isdir(path):
            files = files_below(path, tuple(readers), follow_links=follow_links)
        else:
            files = {os.path.basename(path): path}
        found = Annotations()
        for relative, file in files.items():
            base, suffix = os.path.splitext(relative)
            place, _, last = base.removesuffix("_keypoints").rpartition("/")
            name = f"{place}/{last.removeprefix(_PREFIX)}".lstrip("/")
            read_file = readers.get(suffix.lower()) or next(iter(readers.values()))
            if name in found:
                on_error(InputError(f"{file} and {found[name][2]} are of the same image; keep one of them."))
                continue
            try:
                joints, visible, where, frame = read_file(file, declared)
            except InputError as error:
                on_error(error)
                continue
            found[name] = joints, visible, where
            if frame:
                found.frames[name] = frame
        if not files:
            raise InputError(
                f"--keypoints={path} contains no {' or '.join(readers)} file; expected one per image, named after it."
            )
        return found

    return read_folder


def _openpose(path: str, declared: Declare, on_error: OnError, follow_links: bool) -> Annotations:
    """A folder of OpenPose's files; the order of 25 joints is told from the first of them together."""
    order = functools.cache(lambda: _order_25(path, follow_links))
    return _folder({".json": lambda file, declared: openpose(file, declared, order())})(
        path, declared, on_error, follow_links
    )


def _order_25(path: str, follow_links: bool) -> KeypointFormat:
    bodies: list[list[float]] = []
    files = files_below(path, (".json",), follow_links=follow_links) if os.path.isdir(path) else {path: path}
    for file in itertools.islice(files.values(), 50):
        with contextlib.suppress(InputError):
            bodies += [numbers for numbers in openpose_bodies(file)[0] if len(numbers) == 75]
    return formats.OPENPOSE_25B if shows_25b(bodies) else formats.OPENPOSE_25


def _nted(path: str, declared: Declare) -> Framed:
    cells = [line.split() for line in read_lines(path, f"{NUM_JOINTS} lines of x and y") if line.strip()]
    if len(cells) != NUM_JOINTS or any(len(row) != 2 for row in cells):
        raise InputError(f"{path}: expected {NUM_JOINTS} lines of two numbers, x and y.")
    return *declared(formats.NTED).to_18(checked(path, [_float(cell) for row in cells for cell in row])), path, None


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _json(read: detectors.ReadContent, more: Mapping[str, ReadFile], is_one: Callable[[Any], bool]) -> Reader:
    """A reader of JSON: a folder with one file per image, a file of one image, or one file of all.

    Args:
        read: Function of (where, what one image's JSON holds, declared).
        more: Readers of files with other suffixes, in a folder.
        is_one: Whether what a file holds is one image's.
    """
    folder = _folder({".json": detectors.of_file(read), **more})

    def read_json_files(path: str, declared: Declare, on_error: OnError, follow_links: bool) -> Annotations:
        if os.path.isdir(path) or os.path.splitext(path)[1].lower() in more:
            return folder(path, declared, on_error, follow_links)
        content: Any = read_json(path)
        if not content or not isinstance(content, (dict, list)):
            raise InputError(f"{path} is empty; expected the joints of at least one image.")
        found = Annotations()
        for name, one in _named(path, content, is_one):
            where = f"{path}, {name[:80]!r}"
            try:
                found[name] = read(where, one, declared)[:3]
            except InputError as error:
                on_error(error)
        return found

    return read_json_files


def _named(path: str, content: Any, is_one: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """(name, joints) of each image of a JSON file: name -> joints, rows with a name, or one image, named after it."""
    if is_one(content):
        yield os.path.basename(path).removesuffix(".json").removeprefix(_PREFIX), content
        return
    if isinstance(content, dict):
        yield from ((without_root(name), one) for name, one in content.items())
        return
    bodies: dict[str, list[Any]] = {}  # of rows that are one body each
    for row in content:
        key = next(key for key in _NAME_KEYS if isinstance(row.get(key), str))
        name, rest = without_root(row[key]), {other: value for other, value in row.items() if other != key}
        if _BODY & set(rest):
            bodies.setdefault(name, []).append(rest)
        else:
            yield name, next(iter(rest.values())) if len(rest) == 1 else rest
    yield from bodies.items()


def _is_landmarks(content: Any) -> bool:
    """Whether this is what MediaPipe gives for one image, in any wrapping."""
    if isinstance(content, dict):
        return any(key in content for key in LANDMARK_KEYS)
    return not _are_named(content, _NAME_KEYS)


def _is_instances(content: Any) -> bool:
    """Whether this is what mmpose or YOLO-pose gives for one image."""
    if isinstance(content, dict):
        return any(key in content for key in ("instance_info", "predictions", "instances", "meta_info"))
    is_body = any(_BODY & set(row) for row in content if isinstance(row, dict))
    return not _are_named(content, _NAME_KEYS[:-1] if is_body else _NAME_KEYS)  # YOLO's `name` is that of the class


def _are_named(rows: Any, keys: Sequence[str]) -> bool:
    """Whether each row is a dict with a name."""
    return all(isinstance(row, dict) and any(isinstance(row.get(key), str) for key in keys) for row in rows)


READERS: dict[str, Any] = {
    "pose_gan": _csv,
    "openpose": _openpose,
    "coco_17": coco.read,
    "mediapipe_33": _json(landmarks, {}, _is_landmarks),
    "mmpose": _json(detectors.mmpose, {}, _is_instances),
    "yolo_pose": _json(detectors.yolo, {".txt": detectors.yolo_lines}, _is_instances),
    "nted": _folder({".txt": _nted}),
}


def stamps(path: str, follow_links: bool = False) -> list[tuple[str, int, int]]:
    """What changes when the joints do: (name, size, time of change) of each file."""
    path = os.path.expanduser(path)
    is_folder = os.path.isdir(path)
    files = files_below(path, (".json", ".txt", ".csv"), follow_links=follow_links) if is_folder else {path: path}
    states = ((name, os.stat(file)) for name, file in files.items())
    return [(name, state.st_size, state.st_mtime_ns) for name, state in states]
