"""The pictures of chosen pairs are those of these pairs, and only these are synthesized."""

import numpy as np
import tensorflow as tf

from tfwarpgan.evaluation.samples import chosen_pictures

HEIGHT, WIDTH = 16, 16


def make_pairs(count):
    """Arrays of `count` pairs whose target is of one gray level each, ten times its position."""
    levels = 10 * np.arange(count, dtype=np.float32)[:, None, None, None] / 127.5 - 1
    images = np.broadcast_to(levels, (count, HEIGHT, WIDTH, 3))
    return {
        "condition_image": -images,
        "target_image": images,
        "target_keypoints": np.full((count, 18, 2), 8, np.float32),
        "target_visible": np.ones((count, 18), bool),
        "target_name": np.array([f"t{index}.jpg".encode() for index in range(count)]),
    }


def dataset_of(pairs, batch_size=4):
    return tf.data.Dataset.from_tensor_slices(pairs).batch(batch_size)


def perfect(batch):
    parsing = tf.one_hot(tf.zeros(tf.shape(batch["target_image"])[:3], tf.int32), 20)
    return {"image": batch["target_image"], "warped_image": batch["condition_image"], "target_parsing": parsing}


def test_chosen_pictures_are_those_of_their_pairs():
    pairs = make_pairs(11)
    calls = []

    def counting(batch):
        calls.append(int(batch["target_image"].shape[0]))
        return perfect(batch)

    chosen = [10, 0, 5, 5, 6]
    pictures = chosen_pictures(counting, dataset_of(pairs), chosen, batch_size=3)
    assert sorted(pictures) == [0, 5, 6, 10] and sum(calls) == 4 and max(calls) <= 4
    for position, columns in pictures.items():
        expected = np.rint((pairs["target_image"][position] + 1) * 127.5)
        np.testing.assert_array_equal(columns["target"], expected)
        np.testing.assert_array_equal(columns["synthesized"], expected)


def test_the_last_chosen_pair_may_end_a_batch():
    pictures = chosen_pictures(perfect, dataset_of(make_pairs(8)), [3, 7], batch_size=20)
    assert sorted(pictures) == [3, 7]
    assert chosen_pictures(perfect, dataset_of(make_pairs(8)), [], batch_size=20) == {}
