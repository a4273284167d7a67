"""Random crops and camera faults of the human parser's training pictures."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.data.batches import augmentation


def person(height=40, width=30, top=10, bottom=30, left=12, right=20):
    """Labels of a person that is a rectangle of upper-clothes, and a picture that is white there."""
    labels = np.zeros([height, width], np.uint8)
    labels[top:bottom, left:right] = 5
    return tf.constant(np.where(labels[..., None] > 0, 255, 0).repeat(3, -1).astype(np.uint8)), tf.constant(labels)


def test_person_box():
    _, labels = person()
    np.testing.assert_array_equal(augmentation.person_box(labels), [10, 12, 30, 20])


def test_person_box_leaves_out_ignored_pixels():
    _, labels = person()
    labels = tf.concat([labels[:-1], tf.fill([1, 30], tf.constant(255, tf.uint8))], axis=0)
    np.testing.assert_array_equal(augmentation.person_box(labels), [10, 12, 30, 20])


def test_without_a_person_the_box_is_the_picture():
    np.testing.assert_array_equal(augmentation.person_box(tf.zeros([4, 6], tf.uint8)), [0, 0, 4, 6])


def test_the_fixed_box_by_hand():
    # Height 20 x 1.1 = 22 and half as wide, around (20, 16).
    box = augmentation.crop_box(tf.constant([10.0, 12, 30, 20]), 0.5)
    np.testing.assert_allclose(box, [9, 10.5, 31, 21.5], rtol=1e-6)
    # A wide person: width 40 needs height 80 x 1.1.
    np.testing.assert_allclose(augmentation.crop_box(tf.constant([0.0, 0, 10, 40]), 0.5), [-39, -2, 49, 42], rtol=1e-5)


def test_random_boxes_hold_most_of_the_person_and_differ():
    box = tf.constant([10.0, 12, 30, 20])
    crops = np.stack([augmentation.crop_box(box, 0.5, tf.constant([0, k])) for k in range(60)])
    heights, widths = crops[:, 2] - crops[:, 0], crops[:, 3] - crops[:, 1]
    assert heights.min() >= 0.88 * 20 - 1e-3
    assert heights.max() <= 32  # 1.2 x 8 / (0.5 x 0.6): the width of the person decides in the narrowest boxes
    assert np.ptp(widths / heights) > 0.2
    overlap = np.minimum(crops[:, 2], 30) - np.maximum(crops[:, 0], 10)
    assert overlap.min() > 14


def test_cut_out_within_the_picture_by_hand():
    image, labels = person()
    crop, cut = augmentation.cut_out(image, labels, tf.constant([8.0, 10, 12, 14]), 4, 4, tf.zeros([3]))
    want = np.zeros([4, 4])
    want[2:, 2:] = 5
    np.testing.assert_array_equal(cut, want)
    np.testing.assert_allclose(crop[..., 0], want > 0)


def test_what_lies_beyond_the_picture_is_filled_and_ignored():
    image, labels = person()
    box, fill = tf.constant([-2.0, 28, 2, 32]), tf.constant([0.25, 0.5, 0.75])
    crop, cut = augmentation.cut_out(image, labels, box, 4, 4, fill)
    np.testing.assert_array_equal(cut[:2], 255)
    np.testing.assert_array_equal(cut[:, 2:], 255)
    np.testing.assert_array_equal(cut[2:, :2], 0)
    np.testing.assert_allclose(crop[0, 0], [0.25, 0.5, 0.75])
    np.testing.assert_allclose(crop[3, 0], [0, 0, 0], atol=1e-7)


def test_a_box_outside_the_picture_does_not_fail():
    image, labels = person()
    _, cut = augmentation.cut_out(image, labels, tf.constant([100.0, 100, 104, 104]), 4, 4, tf.zeros([3]))
    np.testing.assert_array_equal(cut, 255)


def test_labels_and_picture_stay_together():
    image, labels = person(160, 120, 40, 120, 48, 80)
    for k in range(20):
        crop, cut = augmentation.place_person(image, labels, 64, 32, tf.constant([1, k]))
        crop, cut = augmentation.flip(crop, cut, tf.constant([2, k]))
        known = cut.numpy() != 255
        agree = (crop.numpy()[..., 0] > 0.5) == (cut.numpy() == 5)
        assert agree[known].mean() > 0.95  # all but some of the outline


def test_a_flip_mirrors_and_exchanges_left_and_right():
    image = tf.reshape(tf.range(12, dtype=tf.float32), [1, 4, 3])
    labels = tf.constant([[14, 16, 5, 255]], tf.uint8)
    seen = set()
    for k in range(20):
        flipped, exchanged = augmentation.flip(image, labels, tf.constant([0, k]))
        seen.add(tuple(exchanged.numpy()[0]))
        mirrored = exchanged.numpy()[0][0] == 255
        np.testing.assert_array_equal(flipped, image[:, ::-1] if mirrored else image)
    assert seen == {(14, 16, 5, 255), (255, 5, 17, 15)}


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_colours_stay_in_range(level):
    for k in range(10):
        got = augmentation.augment_colours(tf.fill([32, 16, 3], level), tf.constant([3, k]))
        assert got.shape == (32, 16, 3)
        assert 0.0 <= float(tf.reduce_min(got)) <= float(tf.reduce_max(got)) <= 1.0


def test_a_seed_gives_the_same_again_and_in_a_graph():
    image, labels = person()
    graph = tf.function(lambda seed: augmentation.augment(image, labels, 32, 16, seed))
    first, second = augmentation.augment(image, labels, 32, 16, tf.constant([4, 5])), graph(tf.constant([4, 5]))
    np.testing.assert_allclose(first[0], second[0], atol=0.02)  # a level or so of the JPEG
    np.testing.assert_array_equal(first[1], second[1])
    assert np.abs(graph(tf.constant([4, 6]))[0] - second[0]).mean() > 0.01
