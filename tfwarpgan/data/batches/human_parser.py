"""The human parser's batches: crops around the labeled persons, degraded for training as street cameras do.

Images come from the files of a LIP folder, or from prepared records, of it or of a data set of pairs.
"""

import functools
import os
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.data.batches import augmentation
from tfwarpgan.data.batches.pairs import decode_image, decode_labels
from tfwarpgan.data.batches.shares import WHOLE, Share
from tfwarpgan.data.layouts.lip import Row
from tfwarpgan.data.pictures.files import ImageFile
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.data.records.preparation import Prepared
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import LabelMap, Pixels, Tensor

PATHS_IN_MEMORY = 10_000  # paths, not pixels: what the shuffle holds


def read_example(
    image_path: bytes, labels_path: bytes, table: tuple[int, ...] | None = None
) -> tuple[Pixels, LabelMap]:
    """An image uint8 [H, W, 3] and its label map uint8 [H, W]; InputError if they cannot be read or differ in size."""
    image = read_rgb(os.fsdecode(image_path))
    return image, read_label_map(ImageFile(os.fsdecode(labels_path), labels=table), image.shape[:2])


def lip_dataset(
    rows: Mapping[str, Sequence[Row]],
    data_options: DataOptions,
    split: str = "train",
    *,
    start: int = 0,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Batches for the human parser.

    "train" repeats forever, shuffled; each image is cropped to a random box around its person, mirrored half of the
    time and degraded as street cameras do. Any other split is one pass over val in order, each image cropped to a
    fixed margin around its person, the last batch short.

    Args:
        rows: Of both splits, as `opening.open_lip` gives them.
        data_options: `DataOptions`; of it lip_label_mapping, lip_shares, height, width, batch_size and seed.
        split: "train", or "val" (also called "test").
        start: Images of the training stream that were consumed before: a resumed run goes on exactly there.
        share: Of each training batch, what this worker reads.

    Returns:
        tf.data.Dataset of {"image": float32 [B, H, W, 3] in [-1, 1], "parsing": uint8 [B, H, W], 255 ignored}.

    Raises:
        InputError: If no name begins as a share says.
    """
    training = split == "train"
    of_split = rows["train" if training else "val"]
    read = functools.partial(read_example, table=to_lip(data_options.lip_label_mapping))
    paths = _mixed(of_split, data_options.shares_of_lip(), data_options.seed) if training else _paths(of_split)
    return cropped_batches(
        paths, lambda *pair: tf.numpy_function(read, pair, [tf.uint8, tf.uint8]), data_options, training, start, share
    )


def cropped_batches(
    files: tf.data.Dataset,
    read: Callable[..., Sequence[Tensor]],
    data_options: DataOptions,
    training: bool,
    start: int = 0,
    share: Share = WHOLE,
) -> tf.data.Dataset:
    """Reads a stream of images and label maps, crops them around their persons, and batches them.

    Args:
        files: tf.data.Dataset of what `read` takes; for training endless and shuffled.
        read: Function in the graph that gives uint8 [H, W, 3] and uint8 [H, W].
        data_options: `DataOptions`; of it height, width, batch_size and seed.
        training: Whether crops are random and degraded.
        start: Images that were consumed before.
        share: Of each training batch, what this worker reads.

    Returns:
        As `lip_dataset`.
    """
    numbered = tf.data.Dataset.zip((tf.data.Dataset.counter(), files)).skip(start)
    if training:
        numbered = share.of(numbered, data_options.batch_size)

    def prepare(number: Tensor, file: Sequence[Tensor]) -> dict[str, Tensor]:
        image, labels = read(*file)
        image, labels = tf.ensure_shape(image, [None, None, 3]), tf.ensure_shape(labels, [None, None])
        if training:
            seed = tf.stack([tf.constant(data_options.seed, tf.int64), number])
            image, labels = augmentation.augment(image, labels, data_options.height, data_options.width, seed)
        else:
            image, labels = augmentation.place_person(image, labels, data_options.height, data_options.width)
        return {"image": image * 2.0 - 1.0, "parsing": labels}

    examples = numbered.map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    size = share.size(data_options.batch_size)
    return examples.batch(size, drop_remainder=training).prefetch(tf.data.AUTOTUNE)


def _paths(rows: Sequence[Row]) -> tf.data.Dataset:
    _, images, labels = zip(*rows)
    return tf.data.Dataset.from_tensor_slices((list(images), list(labels)))


def _mixed(rows: Sequence[Row], shares: Mapping[str, float], seed: int) -> tf.data.Dataset:
    """Endless training images, of which each group of names has its share; without shares all are alike."""
    groups = [[row for row in rows if row[0].startswith(start)] for start in shares] if shares else [rows]
    for start, group in zip(shares, groups):
        if not group:
            raise InputError(f"--lip_shares: no name in the training list begins with '{start}'; see train_id.txt.")
    streams = [_paths(group).shuffle(min(len(group), PATHS_IN_MEMORY), seed).repeat() for group in groups]
    if len(streams) == 1:
        return streams[0]
    return tf.data.Dataset.sample_from_datasets(streams, weights=list(shares.values()), seed=seed)


BUFFER = 2048  # encoded images with their label maps, some 50 kB each of LIP


def prepared_parser_dataset(
    prepared: Prepared, data_options: DataOptions, split: str = "train", *, start: int = 0, share: Share = WHOLE
) -> tf.data.Dataset:
    """Batches for the human parser from prepared records; as `lip_dataset`, which reads the files themselves.

    Args:
        prepared: `preparation.Prepared`, of LIP or of a data set of pairs, each image of which is taken once.
        data_options: `options.DataOptions`: height, width, batch_size, seed.
        split: "train", or "val" (also called "test").
        start: Images of the training stream that were consumed before, to go on from there exactly.
        share: Of each training batch, what this worker reads.

    Returns:
        tf.data.Dataset of {"image": float32 [B, H, W, 3] in [-1, 1], "parsing": uint8 [B, H, W], 255 ignored}.
    """
    training = split == "train"
    if prepared.num_pairs:
        records = prepared.records("train" if training else "test")
        files = records.flat_map(
            lambda person: tf.data.Dataset.from_tensor_slices((person["images"], person["parsings"]))
        )
    else:
        records = prepared.records("train" if training else "val")
        files = records.map(lambda record: (record["image"], record["parsing"]))
    if training:
        files = files.shuffle(BUFFER, data_options.seed).repeat()

    def decode(jpeg: Tensor, png: Tensor) -> tuple[Tensor, Tensor]:
        return decode_image(jpeg), decode_labels(png)

    return cropped_batches(files, decode, data_options, training, start, share)
