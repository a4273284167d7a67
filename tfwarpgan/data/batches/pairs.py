"""The training and test batches: tf.data from prepared records.

A training epoch: the persons' records are shuffled; a window of persons is open at a time, each giving its pairs in a
random order; the still encoded pairs are shuffled again; then the two images of a pair are decoded. The order of an
epoch follows from the seed and the epoch's number alone, so that a run that stopped after N pairs goes on with pair N
without a stored iterator. The buffers hold a fixed number of encoded records and pairs, whatever the data set's size.
"""

from collections.abc import Iterable

import tensorflow as tf

from tfwarpgan.body.joints import FLIP_PERMUTATION, MISSING
from tfwarpgan.data.batches.shares import WHOLE, Share
from tfwarpgan.data.records.preparation import Prepared
from tfwarpgan.errors import InputError
from tfwarpgan.layers import label_maps
from tfwarpgan.layers.pixels import from_pixels
from tfwarpgan.options import DataOptions
from tfwarpgan.typing import Batch, Tensor

PERSONS_BUFFER = 512  # encoded records, some 80 kB each at 128 x 64
OPEN_PERSONS = 64
COLUMNS = ("images", "parsings", "keypoints", "visible")
PAIRS_BUFFER = 2048  # encoded pairs, some 10 kB each at 128 x 64


def pairs_dataset(
    prepared: Prepared,
    data_options: DataOptions,
    split: str = "train",
    *,
    start: int = 0,
    share: Share = WHOLE,
    only: Iterable[int] | None = None,
    names: bool = False,
) -> tf.data.Dataset:
    """Batches of pairs, condition and target.

    train repeats forever, shuffled, in full batches, with each pair once per epoch (the last batch of an epoch takes
    its rest from the next). test goes through the pairs once, always in the same order, and keeps the short last batch.

    Args:
        prepared: `preparation.Prepared`.
        data_options: `options.DataOptions`: batch_size, flip, seed.
        split: "train" or "test".
        start: Pairs that were consumed before, to go on from there exactly.
        share: Of each training batch, what this worker reads.
        only: Positions of the test pairs to read, or None for all; the others are not decoded.
        names: Whether the names of the images are given too.

    Returns:
        tf.data.Dataset of dicts, for both condition_* and target_*: image float32 [B, H, W, 3] in [-1, 1], parsing
        uint8 [B, H, W] where there are label maps, keypoints float32 [B, 18, 2] as (y, x) in pixels, visible bool
        [B, 18]; name string [B] if wanted.
    """
    training = split == "train"
    if not prepared.num_pairs:
        raise InputError("The data set of this run has no pairs; choose another --dataset.")
    if training:
        pairs = share.of(_endless_pairs(prepared, data_options.seed, start), data_options.batch_size)
    else:
        pairs = prepared.records(split).flat_map(_pairs_of).skip(start)
        if only is not None:
            pairs = _at(pairs, only)
    decoded = pairs.map(lambda pair: _decoded_pair(pair, prepared), num_parallel_calls=tf.data.AUTOTUNE)
    size = share.size(data_options.batch_size)
    batches = decoded.batch(size, drop_remainder=training).enumerate()

    def finish(number: Tensor, batch: Batch) -> dict[str, Tensor]:
        if training and data_options.flip:  # a whole batch at once: one pair at a time would cost as much as decoding
            indices = start + share.positions(number, data_options.batch_size)
            batch = _flip_some(batch, flip_mask(data_options.seed, indices))
        return _by_role(batch, names)

    return batches.map(finish, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _at(pairs: tf.data.Dataset, positions: Iterable[int]) -> tf.data.Dataset:
    """The pairs at these positions alone, in the data set's order."""
    wanted = tf.constant(sorted(positions), tf.int64)
    chosen = pairs.enumerate().filter(lambda position, pair: tf.reduce_any(position == wanted))
    return chosen.map(lambda position, pair: pair)


def _endless_pairs(prepared: Prepared, seed: int, start: int) -> tf.data.Dataset:
    """Encoded pairs, epoch after epoch; skipping costs no decoding."""
    persons = prepared.records("train")
    epoch, consumed = divmod(start, prepared.num_pairs["train"])

    def pairs_of_epoch(number: Tensor) -> tf.data.Dataset:
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


def _pairs_of(person: Batch, seed: Tensor = None) -> tf.data.Dataset:
    """Dataset of the encoded pairs of a record, in random order if a seed [2] is given."""
    pairs = person["pairs"]
    if seed is not None:
        pairs = tf.random.experimental.stateless_shuffle(pairs, seed)

    def pair(places: Tensor) -> dict[str, Tensor]:
        return {name: tf.gather(person[name], places) for name in ("names", *COLUMNS) if name in person}

    return tf.data.Dataset.from_tensor_slices(pairs).map(pair)


def flip_mask(seed: int, indices: Tensor) -> Tensor:
    """Which pairs are mirrored: a hash of the seed and the pair's number in the training stream, wherever it starts.

    Args:
        seed: Integer.
        indices: int64 [B].

    Returns:
        bool [B].
    """
    # SplitMix64's steps, whose multiplications wrap around; its constants as signed numbers.
    bits = tf.cast(seed, tf.int64) * -7046029254386353131 + indices * -4658895280553007687
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        bits = tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, tf.constant(shift, tf.int64))) * factor
    return bits < 0


def _flip_some(batch: Batch, chosen: Tensor) -> dict[str, Tensor]:
    """Mirrors the chosen [B] of a batch of decoded pairs [B, 2, ...]."""
    places = tf.where(chosen)
    columns = {name: batch[name] for name in COLUMNS if name in batch}
    pairs = {name: tf.gather(value, places[:, 0]) for name, value in columns.items()}
    flipped = flip({name: tf.reshape(value, [-1, *value.shape[2:]]) for name, value in pairs.items()})
    mirrored = {name: tf.reshape(flipped[name], tf.shape(value)) for name, value in pairs.items()}
    flipped = {name: tf.tensor_scatter_nd_update(columns[name], places, value) for name, value in mirrored.items()}
    return {**batch, **flipped}


def _decoded_pair(pair: Batch, prepared: Prepared) -> dict[str, Tensor]:
    """Decodes the images and label maps of a pair; all values are [2, ...], condition first."""
    size = [2, prepared.height, prepared.width]
    images = tf.stack([decode_image(pair["images"][place]) for place in range(2)])
    decoded = {**pair, "images": tf.ensure_shape(images, [*size, 3])}
    if "parsings" in pair:
        parsings = tf.stack([decode_labels(pair["parsings"][place]) for place in range(2)])
        decoded["parsings"] = tf.ensure_shape(parsings, size)
    return decoded


def decode_image(jpeg: Tensor) -> Tensor:
    """An image uint8 [H, W, 3] from its JPEG."""
    # The accurate transform is Pillow's, so that an image is the same read by either.
    return tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_ACCURATE")


def decode_labels(png: Tensor) -> Tensor:
    """A label map uint8 [H, W] from its PNG."""
    return tf.io.decode_png(png, channels=1)[..., 0]


def flip(pair: Batch) -> dict[str, Tensor]:
    """Mirrors images, left and right exchanged.

    Args:
        pair: dict of images [N, H, W, 3], parsings uint8 [N, H, W] or none, keypoints [N, 18, 2], visible [N, 18].

    Returns:
        The same, mirrored: column x becomes column W - 1 - x; missing joints stay (-1, -1).
    """
    width = tf.cast(tf.shape(pair["images"])[2], tf.float32)
    visible = tf.gather(pair["visible"], FLIP_PERMUTATION, axis=1)
    rows, columns = tf.unstack(tf.gather(pair["keypoints"], FLIP_PERMUTATION, axis=1), axis=-1)
    points = tf.stack([rows, width - 1.0 - columns], axis=-1)
    return {
        **pair,
        "images": tf.reverse(pair["images"], [2]),
        **({"parsings": label_maps.flip(pair["parsings"])} if "parsings" in pair else {}),
        "keypoints": tf.where(visible[..., tf.newaxis], points, MISSING),
        "visible": visible,
    }


def _by_role(batch: Batch, names: bool) -> dict[str, Tensor]:
    """A batch of decoded pairs [B, 2, ...] as the networks take it, condition_* and target_*."""
    batch = {
        "image": from_pixels(batch["images"]),
        **({"parsing": batch["parsings"]} if "parsings" in batch else {}),
        "keypoints": batch["keypoints"],
        "visible": batch["visible"],
        **({"name": batch["names"]} if names else {}),
    }
    return {f"{role}_{name}": batch[name][:, i] for i, role in enumerate(("condition", "target")) for name in batch}
