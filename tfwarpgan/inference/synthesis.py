"""Images of people in new poses, from files: what the command `synthesize` does, as functions.

Images, label maps and joints of any size are brought to the model's by the `Framing` of its training pictures.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from tqdm import tqdm

from tfwarpgan.data.joints.stray import oddity
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.storage.pixels import from_pixels, to_pixels
from tfwarpgan.storage.writing import save_png
from tfwarpgan.typing import Array, Joints, LabelMap, Pixels, Size, Visible

Row: TypeAlias = dict[str, Array]  # of a batch
Request: TypeAlias = tuple[str, Callable[[], Row]]  # the image to be written, and what makes its row


def condition_row(
    image_path: str,
    framing: Framing,
    parsing_path: str = "",
    labels: tuple[int, ...] | None = None,
    ignore_label: int = -1,
) -> Row:
    """The person as the pipeline takes it: one row of a batch.

    Args:
        image_path: Image of the person; any format and orientation that `images.read_rgb` reads.
        framing: `Framing` of the model.
        parsing_path: Label map of the image, of the same size; empty if the human parser labels it.
        labels: The LIP label of each label in that file; None: they are LIP's.
        ignore_label: Label in that file that stands for none and becomes the background; below 0: there is none.

    Returns:
        Dictionary of `condition_image` float32 [height, width, 3] in [-1, 1] and, with a label map,
        `condition_parsing` uint8 [height, width].

    Raises:
        InputError: If a file is missing or broken.
    """
    file = framing.file(image_path)
    image, size = images.read_rgb(file), images.image_size(file)
    parsing = framing.file(parsing_path, labels, ignore_label)
    label_map = label_maps.read_label_map(parsing, size) if parsing_path else None
    return framed_condition(image, label_map, framing)


def framed_condition(image: Pixels, labels: LabelMap | None, framing: Framing) -> Row:
    """As `condition_row`, of the used parts of arrays: uint8 [H, W, 3] and a label map uint8 [H, W] or None."""
    row: Row = {"condition_image": from_pixels(framing.image(image))}
    if labels is not None:
        row["condition_parsing"] = framing.label_map(labels)
    return row


def pose_row(joints: Joints, visible: Visible, frame: Size, framing: Framing, source: str, side: str = "target") -> Row:
    """A pose as the pipeline takes it: one row of a batch.

    Args:
        joints: [18, 2], (y, x) in pixels of the frame.
        visible: bool [18].
        frame: (height, width) of the whole image that the joints were annotated in.
        framing: `Framing` of the model.
        source: Where the pose comes from, for the error.
        side: "target", or "condition" for the person's own.

    Returns:
        Dictionary of `target_keypoints` float32 [18, 2], (y, x) in pixels of the model's image, and `target_visible`;
        or of those of the other side.

    Raises:
        InputError: If no joint is visible, they cannot be a person's in the frame, or the framing cuts off all.
    """
    joints, visible = np.asarray(joints), np.asarray(visible)
    if not np.any(visible):
        raise InputError(f"{source}: no joint is visible; choose another pose.")
    # A few joints beyond the edge are a person cut off by it; most of them, a pose of a larger image.
    odd = oddity(joints, visible, frame)
    if odd:
        raise InputError(f"{source}: {odd}; the size of the image that they count in is given with --pose_size.")
    joints, visible = framing.used_joints(joints, visible)
    joints, visible = framing.joints(joints, visible, framing.used_size(frame, f"The image of {source}"))
    if not np.any(visible):
        raise InputError(
            f"{source}: the part of the image that the model shows has no joint; choose another pose, or give the size "
            "of the image that the joints count in with --pose_size."
        )
    return {f"{side}_keypoints": joints, f"{side}_visible": visible}


def synthesize(
    pipeline: Any, requests: Iterable[Request], batch_size: int, total: int | None = None, progress: bool = True
) -> int:
    """Synthesizes in batches and writes each image as PNG, whole or not at all.

    Args:
        pipeline: `pipeline.LocalPipeline`, or another one with its method `draw`.
        requests: Iterable of (path of the PNG, function without arguments that gives the row, of `condition_row`
            and `pose_row` joined); a row is made only when its batch is due.
        batch_size: Rows to synthesize at once; the last batch may be shorter.
        total: Number of requests, for the progress bar.
        progress: Whether to draw a progress bar.

    Returns:
        Number of images written.

    Raises:
        InputError: If rows could not be made, after all others are done; or if an image cannot be written.
    """
    failures: list[str] = []
    written = 0
    with tqdm(total=total, unit="image", desc="synthesize", disable=not progress) as bar:
        for paths, rows in _batches(requests, batch_size, failures):
            drawn = pipeline.draw(stacked(rows))
            for path, image in zip(paths, to_pixels(drawn)):
                save_png(path, image)
            written += len(paths)
            bar.update(written + len(failures) - bar.n)
    if failures:
        count = f" (failed: {len(failures)}, written: {written})" if written + len(failures) > 1 else ""
        raise InputError(f"{failures[0]}{count}")
    return written


def stacked(rows: Sequence[Row]) -> Row:
    """Rows as a batch: dictionary of arrays."""
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def _batches(
    requests: Iterable[Request], batch_size: int, failures: list[str]
) -> Iterator[tuple[list[str], list[Row]]]:
    """The requests in batches of (paths, rows); a row that cannot be made adds its sentence to the failures."""
    paths: list[str] = []
    rows: list[Row] = []
    for path, make_row in requests:
        try:
            rows.append(make_row())
            paths.append(path)
        except InputError as error:
            failures.append(str(error))
        if len(rows) == batch_size:
            yield paths, rows
            paths, rows = [], []
    if rows:
        yield paths, rows


def output_name(condition_name: str, target_name: str) -> str:
    """The file name of a pair's image, `<from>_2_<to>.png`, without the suffixes and folders of both."""
    stems = (os.path.splitext(name)[0].replace("\\", "/").replace("/", "_") for name in (condition_name, target_name))
    return "_2_".join(stems) + ".png"
