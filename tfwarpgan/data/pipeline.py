"""The training and test batches: tf.data from prepared records.

A training epoch: the persons' records are shuffled; a window of persons is open at a time, each giving its pairs in a
random order; the still encoded pairs are shuffled again; then the two pictures of a pair are decoded. The order of an
epoch follows from the seed and the epoch's number alone, so that a run that stopped after N pairs goes on with pair N
without a stored iterator. The buffers hold a fixed number of encoded records and pairs, whatever the data set's size.
"""

import tensorflow as tf

from tfwarpgan.data import keypoints as joints
from tfwarpgan.data import parsing

PERSONS_BUFFER = 512  # encoded records, some 80 kB each at 128 x 64
OPEN_PERSONS = 64
PAIRS_BUFFER = 2048  # encoded pairs, some 10 kB each at 128 x 64


def pairs_dataset(prepared, data, split="train", *, start=0, names=False):
    """Batches of pairs, condition and target.

    train repeats for ever, shuffled, in full batches, with each pair once an epoch (the last batch of an epoch takes
    its rest from the next). test goes through the pairs once, always in the same order, and keeps the short last batch.

    Args:
        prepared: `records.Prepared`.
        data: `options.DataOptions`: batch_size, flip, seed.
        split: "train" or "test".
        start: Pairs that were consumed before, to go on from there exactly.
        names: Whether the names of the pictures are given too.

    Returns:
        tf.data.Dataset of dicts, for both condition_* and target_*: image float32 [B, H, W, 3] in [-1, 1], parsing
        uint8 [B, H, W], keypoints float32 [B, 18, 2] as (y, x) in pixels, visible bool [B, 18]; name string [B] if
        wanted.
    """
    training = split == "train"
    if training:
        pairs = _endless_pairs(prepared, data.seed, start)
    else:
        pairs = prepared.records(split).flat_map(_pairs_of).skip(start)
    decoded = pairs.map(lambda pair: _decoded_pair(pair, prepared), num_parallel_calls=tf.data.AUTOTUNE)
    if training and data.flip:
        indices = tf.data.Dataset.range(start, tf.int64.max)
        decoded = tf.data.Dataset.zip((indices, decoded)).map(
            lambda index, pair: tf.cond(_coin(data.seed, index), lambda: flip(pair), lambda: pair),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    batches = decoded.batch(data.batch_size, drop_remainder=training)
    return batches.map(lambda batch: _by_role(batch, names), num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        tf.data.AUTOTUNE
    )


def images_dataset(prepared, split):
    """Each picture of a split once.

    Args:
        prepared: `records.Prepared`.
        split: "train" or "test".

    Returns:
        tf.data.Dataset of dicts, not batched: name string [], image uint8 [H, W, 3], parsing uint8 [H, W], keypoints
        float32 [18, 2], visible bool [18].
    """
    columns = {
        "name": "names",
        "image": "images",
        "parsing": "parsings",
        "keypoints": "keypoints",
        "visible": "visible",
    }

    def pictures(person):
        return tf.data.Dataset.from_tensor_slices({name: person[column] for name, column in columns.items()})

    def decode(picture):
        image, labels = _decode(picture["image"], picture["parsing"], prepared)
        return {**picture, "image": image, "parsing": labels}

    return prepared.records(split).flat_map(pictures).map(decode, num_parallel_calls=tf.data.AUTOTUNE)


def _endless_pairs(prepared, seed, start):
    """Encoded pairs, epoch after epoch; skipping costs no decoding."""
    persons = prepared.records("train")
    epoch, consumed = divmod(start, prepared.num_pairs["train"])

    def pairs_of_epoch(number):
        # Of this function's graph only: a global seed of the program would change the order, and `shuffle` refuses
        # a tensor as its seed beside one.
        tf.random.set_seed(None)
        seeds = tf.random.experimental.stateless_split(tf.stack([seed, number]), 2)
        shuffled = persons.shuffle(PERSONS_BUFFER, seed=seeds[0, 0])
        pairs = shuffled.enumerate().interleave(
            lambda index, person: _pairs_of(person, tf.stack([seeds[1, 0], index])),
            cycle_length=OPEN_PERSONS,
            block_length=1,
        )
        return pairs.shuffle(PAIRS_BUFFER, seed=seeds[1, 1])

    return tf.data.Dataset.range(epoch, tf.int64.max).flat_map(pairs_of_epoch).skip(consumed)


def _pairs_of(person, seed=None):
    """Dataset of the encoded pairs of a record, in random order if a seed [2] is given."""
    pairs = person["pairs"]
    if seed is not None:
        pairs = tf.random.experimental.stateless_shuffle(pairs, seed)

    def pair(places):
        return {
            name: tf.gather(person[name], places) for name in ("names", "images", "parsings", "keypoints", "visible")
        }

    return tf.data.Dataset.from_tensor_slices(pairs).map(pair)


def _coin(seed, index):
    return tf.random.stateless_uniform([], tf.stack([tf.cast(seed, tf.int64), index])) < 0.5


def _decoded_pair(pair, prepared):
    """Decodes the pictures and label maps of a pair; all values are [2, ...], condition first."""
    condition, target = (_decode(pair["images"][place], pair["parsings"][place], prepared) for place in range(2))
    images, parsings = (tf.stack(both) for both in zip(condition, target))
    return {**pair, "images": images, "parsings": parsings}


def _decode(jpeg, png, prepared):
    # The accurate transform is Pillow's, so that a picture is the same read by either.
    image = tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")
    labels = tf.io.decode_png(png, channels=1)
    image.set_shape([prepared.height, prepared.width, 3])
    labels.set_shape([prepared.height, prepared.width, 1])
    return image, labels[..., 0]


def flip(pair):
    """Mirrors pictures, left and right exchanged.

    Args:
        pair: dict of images [N, H, W, 3], parsings uint8 [N, H, W], keypoints [N, 18, 2] and visible [N, 18].

    Returns:
        The same, mirrored: column x becomes column W - 1 - x; missing joints stay (-1, -1).
    """
    width = tf.cast(tf.shape(pair["images"])[2], tf.float32)
    visible = tf.gather(pair["visible"], joints.FLIP_PERMUTATION, axis=1)
    rows, columns = tf.unstack(tf.gather(pair["keypoints"], joints.FLIP_PERMUTATION, axis=1), axis=-1)
    points = tf.stack([rows, width - 1.0 - columns], axis=-1)
    return {
        **pair,
        "images": tf.reverse(pair["images"], [2]),
        "parsings": parsing.flip(pair["parsings"]),
        "keypoints": tf.where(visible[..., tf.newaxis], points, joints.MISSING),
        "visible": visible,
    }


def _by_role(batch, names):
    """A batch of decoded pairs [B, 2, ...] as the networks take it, condition_* and target_*."""
    batch = {
        "image": tf.cast(batch["images"], tf.float32) / 127.5 - 1.0,
        "parsing": batch["parsings"],
        "keypoints": batch["keypoints"],
        "visible": batch["visible"],
        **({"name": batch["names"]} if names else {}),
    }
    return {f"{role}_{name}": batch[name][:, i] for i, role in enumerate(("condition", "target")) for name in batch}
