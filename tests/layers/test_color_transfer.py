"""Mean colors of parts, moved to those of the condition image; the expected values are computed by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.body.labels import LABELS
from tfwarpgan.layers.color_transfer import PARTS, transfer_colors
from tfwarpgan.layers.label_maps import one_hot

COAT, PANTS, FACE = (LABELS.index(name) for name in ("coat", "pants", "face"))


def images_of(labels, colors, height=10, width=10):
    """An image of `colors` (label -> RGB) where the label map says so, and gray background."""
    image = np.zeros([1, height, width, 3], np.float32)
    for label, color in colors.items():
        image[labels == label] = color
    return image


def transferred(image, labels, condition, condition_labels):
    parsings = one_hot(labels), one_hot(condition_labels)
    return transfer_colors(tf.constant(image), parsings[0], tf.constant(condition), parsings[1]).numpy()


def rows(**labels_of_rows):
    """A label map [1, 10, 10]: label -> (first row, row behind the last)."""
    labels = np.zeros([1, 10, 10], np.uint8)
    for name, (first, last) in labels_of_rows.items():
        labels[:, first:last] = LABELS.index(name)
    return labels


def test_a_part_is_moved_by_its_share_of_the_way():
    labels, there = rows(coat=(0, 1)), rows(coat=(0, 5))  # 10 of the 100 pixels here, 50 there; of one color each
    image, condition = images_of(labels, {COAT: (0.103, 0.0, 0.0)}), images_of(there, {COAT: (0.618, -0.515, 0.0)})
    found = transferred(image, labels, condition, there)
    # .1 / (.1 + .003) of the way; (1 2 1)/4 across the seam, the border repeated: 3/4 in the first row, 1/4 behind it.
    move = np.array([0.5, -0.5, 0.0])
    np.testing.assert_allclose(found[0, 0], np.tile([0.103, 0.0, 0.0] + 0.75 * move, [10, 1]), atol=1e-6)
    np.testing.assert_allclose(found[0, 1], np.tile(0.25 * move, [10, 1]), atol=1e-6)
    np.testing.assert_array_equal(found[0, 2:], image[0, 2:])


def test_a_varied_part_is_moved_less_and_keeps_its_differences():
    labels = rows(coat=(0, 10))
    image = images_of(labels, {COAT: (0.0, 0.0, 0.0)})
    image[:, ::2], image[:, 1::2] = 0.4, -0.4  # variance .16
    condition = images_of(labels, {COAT: (0.349044, 0.116348, 0.0)})
    found = transferred(image, labels, condition, labels)
    move = np.array([0.3, 0.1, 0.0])  # of which the share is 1 / 1.003 / 1.16
    np.testing.assert_allclose(found - image, np.broadcast_to(move, image.shape), atol=1e-6)
    condition[:, ::2] += [1.0, 0.0, 0.0]  # variance .25 of one channel, .083 of their mean: the image's counts still
    found = transferred(image, labels, condition, labels)
    np.testing.assert_allclose((found - image)[..., 1], move[1], atol=1e-6)
    condition[:, ::2] += [0.0, 0.0, 1.0]  # now .167
    found = transferred(image, labels, condition, labels)
    np.testing.assert_allclose((found - image)[..., 1], 0.116348 / 1.003 / (1 + 0.5 / 3), atol=1e-6)


def test_labels_of_one_part_lend_each_other_their_color():
    image, condition = (images_of(rows(coat=(0, 10)), {COAT: color}) for color in ((0.0, 0.0, 0.0), (0.4, 0.4, 0.4)))
    found = transferred(image, rows(coat=(0, 10)), condition, rows(**{"upper-clothes": (0, 10)}))
    np.testing.assert_allclose(found, 0.4 / 1.003, atol=1e-6)


@pytest.mark.parametrize("there", [rows(), rows(pants=(0, 10))])
def test_what_the_condition_does_not_show_stays(there):
    labels = rows(coat=(0, 5), face=(5, 7))
    image = images_of(labels, {COAT: (0.3, 0.2, 0.1), FACE: (-0.3, 0.2, 0.1)})
    condition = np.ones_like(image)
    np.testing.assert_allclose(transferred(image, labels, condition, there), image, atol=1e-7)


def test_the_result_stays_in_range_and_the_background_as_it_is():
    labels = rows(pants=(0, 6))
    image = images_of(labels, {PANTS: (0.9, -0.9, 0.0)})
    image[0, :3] = (-0.9, 0.9, 0.0)
    condition = images_of(labels, {PANTS: (1.0, -1.0, 0.0)})
    condition[:, 7:] = 1.0  # another background
    found = transferred(image, labels, condition, labels)
    assert np.abs(found).max() <= 1.0
    np.testing.assert_array_equal(found[:, 7:], image[:, 7:])


def test_each_pair_of_a_batch_is_on_its_own():
    labels = np.concatenate([rows(coat=(0, 5), face=(5, 7)), rows(pants=(2, 9))])
    image, condition = np.random.default_rng(1).uniform(-1, 1, [2, 2, 10, 10, 3]).astype(np.float32)
    both = transferred(image, labels, condition, labels[::-1])
    alone = [transferred(image[[i]], labels[[i]], condition[[i]], labels[[1 - i]]) for i in range(2)]
    np.testing.assert_allclose(both, np.concatenate(alone), atol=1e-6)


def test_no_label_has_two_parts():
    named = [name for names in PARTS for name in names]
    assert len(set(named)) == len(named) and set(named) <= set(LABELS) - {"background"}
