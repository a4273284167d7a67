"""The human parser's batches: crops around the labelled persons, degraded for training as street cameras do.

Pictures come from the files of a LIP folder, or from prepared records of it.
"""

import functools
import os

import tensorflow as tf

from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.data.batches import augmentation
from tfwarpgan.data.batches.pairs import decode
from tfwarpgan.data.layouts.lip import find_lip
from tfwarpgan.data.pictures.files import PictureFile
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.errors import InputError

PICTURES_IN_MEMORY = 10_000  # paths, not pixels: what the shuffle holds


def read_example(picture_path, labels_path, table=None):
    """A picture uint8 [H, W, 3] and its label map uint8 [H, W]; InputError if they cannot be read or differ in size."""
    picture = read_rgb(os.fsdecode(picture_path))
    return picture, read_label_map(PictureFile(os.fsdecode(labels_path), labels=table), picture.shape[:2])


def lip_dataset(data_options, split="train", *, start=0):
    """Batches for the human parser.

    "train" repeats for ever, shuffled; each picture is cropped to a random box around its person, mirrored half of the
    time and degraded as street cameras do. Any other split is one pass over val in order, each picture cropped to a
    fixed margin around its person, the last batch short.

    Args:
        data_options: `DataOptions`; of it lip_dir, lip_shares, height, width, batch_size and seed.
        split: "train", or "val" (also called "test").
        start: Pictures of the training stream that were consumed before: a resumed run goes on exactly there.

    Returns:
        tf.data.Dataset of {"image": float32 [B, H, W, 3] in [-1, 1], "parsing": uint8 [B, H, W], 255 ignored}.

    Raises:
        InputError: If the data set is incomplete or no name begins as a share says.
    """
    training = split == "train"
    rows = find_lip(data_options.lip_dir, label_mapping=data_options.lip_label_mapping)["train" if training else "val"]
    read = functools.partial(read_example, table=to_lip(data_options.lip_label_mapping))
    paths = _mixed(rows, data_options.shares_of_lip(), data_options.seed) if training else _paths(rows)
    return cropped_batches(
        paths, lambda *pair: tf.numpy_function(read, pair, [tf.uint8, tf.uint8]), data_options, training, start
    )


def cropped_batches(files, read, data_options, training, start=0):
    """Reads a stream of pictures and label maps, crops them around their persons, and batches them.

    Args:
        files: tf.data.Dataset of what `read` takes; for training endless and shuffled.
        read: Function in the graph that gives uint8 [H, W, 3] and uint8 [H, W].
        data_options: `DataOptions`; of it height, width, batch_size and seed.
        training: Whether crops are random and degraded.
        start: Pictures that were consumed before.

    Returns:
        As `lip_dataset`.
    """
    numbered = tf.data.Dataset.zip((tf.data.Dataset.counter(), files)).skip(start)

    def prepare(number, file):
        image, labels = read(*file)
        image, labels = tf.ensure_shape(image, [None, None, 3]), tf.ensure_shape(labels, [None, None])
        if training:
            seed = tf.stack([tf.constant(data_options.seed, tf.int64), number])
            image, labels = augmentation.augment(image, labels, data_options.height, data_options.width, seed)
        else:
            image, labels = augmentation.place_person(image, labels, data_options.height, data_options.width)
        return {"image": image * 2.0 - 1.0, "parsing": labels}

    examples = numbered.map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(data_options.batch_size, drop_remainder=training).prefetch(tf.data.AUTOTUNE)


def _paths(rows):
    _, pictures, labels = zip(*rows)
    return tf.data.Dataset.from_tensor_slices((list(pictures), list(labels)))


def _mixed(rows, shares, seed):
    """Endless training pictures, of which each group of names has its share; without shares all are alike."""
    groups = [[row for row in rows if row[0].startswith(start)] for start in shares] if shares else [rows]
    for start, group in zip(shares, groups):
        if not group:
            raise InputError(f"--lip_shares: no name in the training list begins with '{start}'; see train_id.txt.")
    streams = [_paths(group).shuffle(min(len(group), PICTURES_IN_MEMORY), seed).repeat() for group in groups]
    if len(streams) == 1:
        return streams[0]
    return tf.data.Dataset.sample_from_datasets(streams, weights=list(shares.values()), seed=seed)


PICTURES_BUFFER = 2048  # encoded pictures of LIP with their label maps, some 50 kB each


def pictures_dataset(prepared, data_options, split="train", *, start=0):
    """Batches for the human parser from prepared records; as `lip_dataset`, which reads the files themselves.

    Args:
        prepared: `preparation.Prepared` of the LIP data set.
        data_options: `options.DataOptions`: height, width, batch_size, seed.
        split: "train", or "val" (also called "test").
        start: Pictures of the training stream that were consumed before, to go on from there exactly.

    Returns:
        tf.data.Dataset of {"image": float32 [B, H, W, 3] in [-1, 1], "parsing": uint8 [B, H, W], 255 ignored}.
    """
    training = split == "train"
    files = prepared.records("train" if training else "val").map(lambda record: (record["image"], record["parsing"]))
    if training:
        files = files.shuffle(PICTURES_BUFFER, data_options.seed).repeat()
    return cropped_batches(files, decode, data_options, training, start)
