"""Label maps for a folder of images that has none: batches in, one gray PNG of labels per image out."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.files import list_images
from tfwarpgan.errors import InputError
from tfwarpgan.storage.pixels import from_pixels
from tfwarpgan.storage.writing import save_png
from tfwarpgan.typing import Floats, LabelMap

Waiting: TypeAlias = tuple[str, tuple[int, ...], Floats]  # the label map to be written, its size, the image


def annotate_folder(
    parse: Callable[[Floats], npt.ArrayLike],
    image_dir: str,
    parsing_dir: str,
    *,
    height: int,
    width: int,
    batch_size: int = 16,
) -> tuple[int, int]:
    """Labels every image of a folder; label maps that exist are kept, so an interrupted run goes on.

    Args:
        parse: Function of float32 [B, height, width, 3] in [-1, 1] that gives label probabilities or logits,
            float [B, height, width, labels].
        image_dir: Folder of images; subfolders count.
        parsing_dir: Folder of the label maps, made if it is missing; relative paths are kept.
        height: Height in pixels of what `parse` is given.
        width: Width in pixels of what `parse` is given.
        batch_size: Images in a batch.

    Returns:
        Numbers of label maps (written, kept).

    Raises:
        InputError: If images cannot be read, after all others are labeled, or a label map cannot be written.
    """
    paths = list_images(image_dir, parsing_dir)
    unlabeled = [row for row in paths if not os.path.exists(row[1])]
    failures: list[str] = []
    batch: list[Waiting] = []
    with tqdm(total=len(paths), initial=len(paths) - len(unlabeled), unit="image", file=sys.stderr) as progress:
        for path, output in unlabeled:
            try:
                image = images.read_rgb(path)
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
            f"{len(failures)} of {len(paths)} images could not be labeled, all others are; fix or remove them "
            f"and run again: {' '.join(failures[:3])}{' ...' if len(failures) > 3 else ''}"
        )
    return len(unlabeled), len(paths) - len(unlabeled)


def labels_at_size(scores: npt.ArrayLike, height: int, width: int) -> LabelMap:
    """The label of the largest score at every pixel of an image of another size.

    Args:
        scores: float [h, w, labels].
        height: Height in pixels of the label map.
        width: Width in pixels of the label map.

    Returns:
        uint8 [height, width]; scores are resized bilinearly, label after label since a large image's would not fit
        into memory together.
    """
    scores = np.asarray(scores, np.float32)
    if scores.shape[:2] == (height, width):
        return np.argmax(scores, axis=-1).astype(np.uint8)
    import tensorflow as tf  # names of images are listed without it

    labels, best = np.zeros([height, width], np.uint8), np.full([height, width], -np.inf, np.float32)
    for label in range(scores.shape[-1]):
        score = tf.image.resize(scores[..., label : label + 1], [height, width])[..., 0].numpy()
        labels[score > best] = label
        best = np.maximum(best, score)
    return labels


def _resized(image: Any, height: int, width: int) -> Floats:
    import tensorflow as tf

    if image.shape[:2] != (height, width):
        image = tf.image.resize(image, [height, width], antialias=True).numpy()
    return from_pixels(image)


def _label(parse: Callable[[Floats], npt.ArrayLike], batch: Sequence[Waiting], progress: tqdm) -> None:
    scores = np.asarray(parse(np.stack([image for _, _, image in batch])))
    for (output, size, _), score in zip(batch, scores):
        save_png(output, labels_at_size(score, *size))
        progress.update()
