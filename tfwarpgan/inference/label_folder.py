"""Label maps for a folder of pictures that has none: batches in, one grey PNG of labels a picture out."""

import os
import sys

import numpy as np
from tqdm import tqdm

from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.files import PICTURE_SUFFIXES
from tfwarpgan.errors import InputError
from tfwarpgan.viewing.drawing import save_png

SUFFIXES = PICTURE_SUFFIXES


def list_pictures(image_dir, output_dir, flag="parsing_dir", without=()):
    """The pictures of a folder and its sub-folders with the PNG files that are made of them.

    Args:
        image_dir: Folder of pictures.
        output_dir: Folder of the PNG files; what lies in it is no picture, also where it is inside `image_dir`.
        flag: What `output_dir` is called on the command line.
        without: More folders of what is no picture.

    Returns:
        Sorted list of (picture path, PNG path): the relative path is kept, the suffix becomes .png.

    Raises:
        InputError: If there is no picture, or two would become the same file.
    """
    if not image_dir or not os.path.isdir(image_dir):
        raise InputError(f"--image_dir={image_dir} is no folder; give the folder of the pictures.")
    if not output_dir or os.path.realpath(image_dir) == os.path.realpath(output_dir):
        raise InputError(f"--{flag}={output_dir} must name a folder other than --image_dir, for what is made.")
    outputs = {}
    for path in _files(image_dir, output_dir, *without):
        stem, suffix = os.path.splitext(path)
        if suffix.lower() in SUFFIXES:
            output = os.path.join(output_dir, os.path.relpath(stem, image_dir) + ".png")
            outputs.setdefault(output, []).append(stem + suffix)
    for output, pictures in outputs.items():
        if len(pictures) > 1:
            raise InputError(f"{' and '.join(sorted(pictures))} would both become {output}; rename one.")
    if not outputs:
        raise InputError(f"--image_dir={image_dir} holds no picture ({', '.join(SUFFIXES)}).")
    return sorted((pictures[0], output) for output, pictures in outputs.items())


def other_files(image_dir, parsing_dir):
    """The files below `image_dir` that are no pictures by their names, sorted."""
    files = _files(image_dir, parsing_dir)
    return sorted(path for path in files if os.path.splitext(path)[1].lower() not in SUFFIXES)


def _files(image_dir, *without):
    """All files below a folder, but for those in some folders inside it."""
    skipped = {os.path.realpath(place) for place in without}
    for folder, subfolders, names in os.walk(image_dir, followlinks=True):
        subfolders[:] = [name for name in subfolders if os.path.realpath(os.path.join(folder, name)) not in skipped]
        yield from (os.path.join(folder, name) for name in names)


def annotate_folder(parse, image_dir, parsing_dir, *, height, width, batch_size=16):
    """Labels every picture of a folder; label maps that exist are kept, so an interrupted run goes on.

    Args:
        parse: Function of float32 [B, height, width, 3] in [-1, 1] that gives label probabilities or logits,
            float [B, height, width, labels].
        image_dir: Folder of pictures; sub-folders count.
        parsing_dir: Folder of the label maps, made if it is missing; relative paths are kept.
        height: Height in pixels of what `parse` is given.
        width: Width in pixels of what `parse` is given.
        batch_size: Pictures in a batch.

    Returns:
        Numbers of label maps (written, kept).

    Raises:
        InputError: If pictures cannot be read, after all others are labelled, or a label map cannot be written.
    """
    pictures = list_pictures(image_dir, parsing_dir)
    unlabelled = [row for row in pictures if not os.path.exists(row[1])]
    failures, batch = [], []
    with tqdm(
        total=len(pictures), initial=len(pictures) - len(unlabelled), unit="picture", file=sys.stderr
    ) as progress:
        for picture, output in unlabelled:
            try:
                image = images.read_rgb(picture)
                batch.append((output, image.shape[:2], _resized(image, height, width)))
            except InputError as error:
                failures.append(str(error))
            if len(batch) == batch_size:
                _label(parse, batch, progress)
                batch = []
        if batch:
            _label(parse, batch, progress)
    if failures:
        raise InputError(
            f"{len(failures)} of {len(pictures)} pictures could not be labelled, all others are; mend or remove them "
            f"and run again: {' '.join(failures[:3])}{' ...' if len(failures) > 3 else ''}"
        )
    return len(unlabelled), len(pictures) - len(unlabelled)


def labels_at_size(scores, height, width):
    """The label of the largest score at every pixel of a picture of another size.

    Args:
        scores: float [h, w, labels].
        height: Height in pixels of the label map.
        width: Width in pixels of the label map.

    Returns:
        uint8 [height, width]; scores are resized bilinearly, label after label since a large picture's would not fit
        into memory together.
    """
    scores = np.asarray(scores, np.float32)
    if scores.shape[:2] == (height, width):
        return np.argmax(scores, axis=-1).astype(np.uint8)
    import tensorflow as tf  # names of pictures are listed without it

    labels, best = np.zeros([height, width], np.uint8), np.full([height, width], -np.inf, np.float32)
    for label in range(scores.shape[-1]):
        score = tf.image.resize(scores[..., label : label + 1], [height, width])[..., 0].numpy()
        labels[score > best] = label
        best = np.maximum(best, score)
    return labels


def _resized(image, height, width):
    import tensorflow as tf

    if image.shape[:2] != (height, width):
        image = tf.image.resize(image, [height, width], antialias=True).numpy()
    return np.asarray(image, np.float32) / 127.5 - 1.0


def _label(parse, batch, progress):
    scores = np.asarray(parse(np.stack([image for _, _, image in batch])))
    for (output, size, _), score in zip(batch, scores):
        save_png(output, labels_at_size(score, *size))
        progress.update()
