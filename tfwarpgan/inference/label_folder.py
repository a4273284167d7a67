"""Label maps for a folder of pictures that has none: batches in, one grey PNG of labels a picture out."""

import os
import sys

import numpy as np
from tqdm import tqdm

from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.files import PICTURE_SUFFIXES, list_pictures
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import save_png

SUFFIXES = PICTURE_SUFFIXES


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
