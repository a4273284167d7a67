"""Random crops and camera faults for the human parser's training images, in the graph.

The parser is used on tight, low-resolution crops of detected people; its training images are sharp photographs with
much room around them. A crop follows the labeled person, and color, blur, noise and JPEG stand for the camera.
All randomness is stateless: a seed [2] gives the same result again.
"""

import numpy as np
import tensorflow as tf

from tfwarpgan.body.labels import FLIP_PERMUTATION, NUM_LABELS
from tfwarpgan.typing import Tensor

IGNORED = 255
EVALUATION_MARGIN = 1.1  # height of the box over the height of the person, where nothing is random


def augment(image: Tensor, labels: Tensor, height: int, width: int, seed: Tensor) -> tuple[Tensor, Tensor]:
    """A training example: a random crop around the person, perhaps mirrored, as a street camera may have seen it.

    Args:
        image: uint8 [H, W, 3].
        labels: uint8 [H, W], 0..19 or 255.
        height: Height of the crop in pixels.
        width: Width of the crop in pixels.
        seed: Integer [2].

    Returns:
        float32 [height, width, 3] in [0, 1] and uint8 [height, width].
    """
    seeds = tf.unstack(tf.random.split(seed, 3), num=3)
    image, labels = place_person(image, labels, height, width, seeds[0])
    image, labels = flip(image, labels, seeds[1])
    return augment_colors(image, seeds[2]), labels


def person_box(labels: Tensor) -> Tensor:
    """The labeled person's bounding box, float32 [4] (top, left, bottom, right) in pixels; the whole map if none."""
    person = (labels > 0) & (labels < NUM_LABELS)
    size = tf.shape(labels)

    def extent(axis: int) -> tuple[Tensor, Tensor]:
        places = tf.cast(tf.where(tf.reduce_any(person, axis=1 - axis))[:, 0], tf.int32)
        empty = tf.size(places) == 0
        first = tf.where(empty, 0, tf.reduce_min(places))
        return first, tf.where(empty, size[axis], tf.reduce_max(places) + 1)

    (top, bottom), (left, right) = extent(0), extent(1)
    return tf.cast(tf.stack([top, left, bottom, right]), tf.float32)


def crop_box(person: Tensor, aspect: float, seed: Tensor | None = None) -> Tensor:
    """A box around a person, which may reach beyond the image.

    Args:
        person: float32 [4] (top, left, bottom, right).
        aspect: Width over height of the crops.
        seed: Integer [2], or None for a fixed margin. Random boxes vary in margin, place and aspect: detectors' boxes
            are stretched to one shape.

    Returns:
        float32 [4] (top, left, bottom, right).
    """
    size, center = person[2:] - person[:2], (person[:2] + person[2:]) / 2.0
    if seed is None:
        margin, stretch, shift, cut = EVALUATION_MARGIN, 1.0, tf.zeros([2]), 1.0
    else:
        draws = tf.random.stateless_uniform([5], seed)
        margin, stretch = 0.88 + 0.32 * draws[0], 0.6 + 0.5 * draws[1]
        shift, cut = 2.0 * draws[2:4] - 1.0, 0.75 + 0.25 * draws[4]
    height = margin * tf.maximum(size[0], cut * size[1] / (aspect * stretch))
    extent = tf.stack([height, height * aspect * stretch])
    room = tf.maximum(extent - size, 0.0) / 2.0 + 0.03 * extent
    center += shift * tf.minimum(room, 0.12 * extent)
    return tf.concat([center - extent / 2.0, center + extent / 2.0], axis=0)


def cut_out(image: Tensor, labels: Tensor, box: Tensor, height: int, width: int, fill: Tensor) -> tuple[Tensor, Tensor]:
    """The content of a box, resized; what lies beyond the image is `fill` and ignored.

    Args:
        image: uint8 [H, W, 3].
        labels: uint8 [H, W].
        box: float32 [4] (top, left, bottom, right) in pixels.
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        fill: float32 [3] in [0, 1].

    Returns:
        float32 [height, width, 3] in [0, 1] and uint8 [height, width].
    """
    size = tf.shape(labels)
    first = tf.cast(tf.round(box[:2]), tf.int32)
    last = tf.maximum(tf.cast(tf.round(box[2:]), tf.int32), first + 1)
    inner, outer = tf.clip_by_value(first, 0, size), tf.clip_by_value(last, 0, size)
    image = tf.cast(image[inner[0] : outer[0], inner[1] : outer[1]], tf.float32) / 255.0
    labels = labels[inner[0] : outer[0], inner[1] : outer[1]]
    padding = tf.maximum(tf.stack([inner - first, last - outer], axis=1), 0)
    image = tf.pad(image - fill, tf.concat([padding, [[0, 0]]], axis=0)) + fill
    labels = tf.pad(labels, padding, constant_values=tf.constant(IGNORED, tf.uint8))
    image = tf.image.resize(image, [height, width], antialias=True)
    labels = tf.image.resize(labels[..., None], [height, width], method="nearest")[..., 0]
    return tf.ensure_shape(image, [height, width, 3]), tf.ensure_shape(labels, [height, width])


def place_person(
    image: Tensor, labels: Tensor, height: int, width: int, seed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """`cut_out` of a `crop_box` around the labeled person; random by `seed`, fixed without one."""
    if seed is None:
        return cut_out(image, labels, crop_box(person_box(labels), width / height), height, width, tf.fill([3], 0.5))
    seeds = tf.random.split(seed, 2)
    fill = tf.random.stateless_uniform([3], seeds[0])
    return cut_out(image, labels, crop_box(person_box(labels), width / height, seeds[1]), height, width, fill)


def flip(image: Tensor, labels: Tensor, seed: Tensor) -> tuple[Tensor, Tensor]:
    """Mirrors an image [H, W, 3] and its labels [H, W] half of the time, left and right limbs exchanged."""
    exchanged = np.arange(256, dtype=np.uint8)
    exchanged[:NUM_LABELS] = FLIP_PERMUTATION
    if_flipped = (image[:, ::-1], tf.gather(tf.constant(exchanged), tf.cast(labels[:, ::-1], tf.int32)))
    flipped = tf.random.stateless_uniform([], seed) < 0.5
    return tf.where(flipped, if_flipped[0], image), tf.where(flipped, if_flipped[1], labels)


def augment_colors(image: Tensor, seed: Tensor) -> Tensor:
    """Light, color cast, blur, noise and JPEG of a street camera on float32 [H, W, 3] in [0, 1]."""
    seeds = tf.unstack(tf.random.split(seed, 6), num=6)
    draws = tf.random.stateless_uniform([6], seeds[0])
    image = _blur(image, 0.35 + 0.9 * draws[0])
    gray = tf.reduce_mean(image, axis=-1, keepdims=True)
    image = gray + (image - gray) * (0.2 + 1.2 * draws[1])
    image = image * tf.random.stateless_uniform([3], seeds[1], 0.9, 1.1)
    mean = tf.reduce_mean(image)
    image = mean + (image - mean) * (0.6 + 0.8 * draws[2])
    image = tf.clip_by_value(image * (0.55 + 0.85 * draws[3]), 0.0, 1.0) ** (0.7 + 0.8 * draws[4])
    image += tf.random.stateless_normal(tf.shape(image), seeds[2]) * 0.05 * draws[5] ** 2
    image = tf.clip_by_value(image, 0.0, 1.0)
    jpeg = tf.image.stateless_random_jpeg_quality(image, 40, 100, seeds[3])
    return tf.ensure_shape(jpeg, image.shape)


def _blur(image: Tensor, scale: Tensor) -> Tensor:
    """Loses detail by going through an image of `scale` times the size; none is lost where that is not smaller."""
    height, width = image.shape[:2]
    small = tf.cast(tf.round(tf.minimum(scale, 1.0) * [float(height), float(width)]), tf.int32)
    return tf.image.resize(tf.image.resize(image, small, antialias=True), [height, width])
