"""Pictures of people in new poses, from files: what `synthesize` does, for programs.

Pictures, label maps and joints of any size are brought to the model's: pictures bicubic, labels by the nearest pixel,
joints with the frame that they were annotated in.
"""

import os

import numpy as np
from tqdm import tqdm

from tfwarpgan.body.joints import scale
from tfwarpgan.data.pictures import images, label_maps
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import save_png
from tfwarpgan.viewing.drawing import to_uint8


def condition_row(image_path, height, width, parsing_path=""):
    """The person as the pipeline takes it: one row of a batch.

    Args:
        image_path: Picture of the person; any format and orientation that `images.read_rgb` reads.
        height: Of the model, pixels.
        width: Likewise.
        parsing_path: Label map of the picture, of the picture's size; empty where the human parser labels it.

    Returns:
        Dictionary of `condition_image` float32 [height, width, 3] in [-1, 1] and, with a label map,
        `condition_parsing` uint8 [height, width].

    Raises:
        InputError: If a file is missing or broken.
    """
    image = images.read_rgb(image_path)
    row = {"condition_image": images.resize(image, height, width).astype(np.float32) / 127.5 - 1.0}
    if parsing_path:
        labels = label_maps.read_label_map(parsing_path, image.shape[:2])
        row["condition_parsing"] = label_maps.resize(labels, height, width)
    return row


def pose_row(joints, visible, frame, height, width, source):
    """The target pose as the pipeline takes it: one row of a batch.

    Args:
        joints: [18, 2], (y, x) in pixels of the frame.
        visible: bool [18].
        frame: (height, width) of the picture that the joints were annotated in.
        height: Of the model, pixels.
        width: Likewise.
        source: Where the pose comes from, for the error.

    Returns:
        Dictionary of `target_keypoints` float32 [18, 2], (y, x) in pixels of the model's picture, and `target_visible`.

    Raises:
        InputError: If no joint is visible, or most lie outside of the frame.
    """
    if not np.any(visible):
        raise InputError(f"{source}: no joint is visible; choose another pose.")
    outside = np.any((joints < -0.5) | (joints > np.asarray(frame) - 0.5), axis=1) & visible
    # A few joints beyond the edge are a person cut off by it; most of them, a pose of a larger picture.
    if 2 * outside.sum() > np.sum(visible):
        raise InputError(
            f"{source}: {outside.sum()} of {np.sum(visible)} joints lie outside of a picture of {frame[0]} x "
            f"{frame[1]} (height x width); give the size that they were annotated in by --pose_size."
        )
    return {"target_keypoints": scale(joints, visible, frame, (height, width)), "target_visible": visible}


def with_human_parser(pipeline, parse):
    """A pipeline for pictures without a label map.

    Args:
        pipeline: See `synthesize`.
        parse: Human parser: float32 [B, H, W, 3] in [-1, 1] -> scores of the labels [B, H, W, 20].
    """
    import tensorflow as tf

    def call(batch):
        labels = tf.cast(tf.argmax(parse(batch["condition_image"]), axis=-1), tf.uint8)
        return pipeline({**batch, "condition_parsing": labels})

    return call


def for_any_batch_size(function):
    """A function of a batch (dictionary of tensors) as one graph, which a short last batch does not trace anew."""
    import tensorflow as tf  # a server's pictures need none

    graphs = []

    def call(batch):
        if not graphs:
            specs = {key: tf.TensorSpec([None, *value.shape[1:]], value.dtype, key) for key, value in batch.items()}
            graphs.append(tf.function(function, input_signature=[specs]))
        return graphs[0](batch)

    return call


def synthesize(pipeline, requests, batch_size, total=None, progress=True):
    """Synthesizes in batches and writes each picture as PNG, whole or not at all.

    Args:
        pipeline: Callable, batch -> dictionary with `image` [B, H, W, 3] in [-1, 1]; or, outside of any graph, one
            with the method `pictures`, batch of arrays -> [B, H, W, 3].
        requests: Iterable of (path of the PNG, function without arguments that gives the row, of `condition_row`
            and `pose_row` joined); a row is made only when its batch is due.
        batch_size: Rows to synthesize at once; the last batch may be shorter.
        total: Number of requests, for the progress bar.
        progress: Whether to draw a progress bar.

    Returns:
        Number of pictures written.

    Raises:
        InputError: If rows could not be made, after all others are done; or if a picture cannot be written.
    """
    run = getattr(pipeline, "pictures", None) or for_any_batch_size(lambda batch: pipeline(batch)["image"])
    failures, written = [], 0
    with tqdm(total=total, unit="picture", desc="synthesize", disable=not progress) as bar:
        for paths, rows in _batches(requests, batch_size, failures):
            pictures = run({key: np.stack([row[key] for row in rows]) for key in rows[0]})
            for path, picture in zip(paths, to_uint8(pictures)):
                save_png(path, picture)
            written += len(paths)
            bar.update(written + len(failures) - bar.n)
    if failures:
        count = f" ({len(failures)} pictures failed, {written} are written)" if written + len(failures) > 1 else ""
        raise InputError(f"{failures[0]}{count}")
    return written


def _batches(requests, batch_size, failures):
    """The requests in batches of (paths, rows); a row that cannot be made adds its sentence to the failures."""
    paths, rows = [], []
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


def output_name(condition_name, target_name):
    """The file name of a pair's picture, `<from>_2_<to>.png`, without the suffixes and folders of both."""
    stems = (os.path.splitext(name)[0].replace("\\", "/").replace("/", "_") for name in (condition_name, target_name))
    return "_2_".join(stems) + ".png"
