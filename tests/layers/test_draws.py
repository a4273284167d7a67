"""Random numbers by the row of the whole batch."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.draws import dropout, normal_around, seeds_from

SHAPES = [(6, 3), (6, 4, 2, 8), (6, 1, 1, 5)]  # a row's numbers are and are not a multiple of the generator's four
DRAWS = [lambda features, seed: dropout(features, 0.5, seed), normal_around]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("draw", DRAWS, ids=["dropout", "normal"])
def test_parts_draw_what_the_whole_batch_draws(shape, draw):
    features = tf.reshape(tf.range(1.0, np.prod(shape) + 1), shape)
    graph = tf.function(draw, input_signature=[tf.TensorSpec([None, *shape[1:]]), tf.TensorSpec([2], tf.int32)])
    seed = tf.constant([5, 3 << 20])
    whole = draw(features, seed)
    for start, stop in ((0, 2), (2, 3), (3, 6)):
        np.testing.assert_array_equal(graph(features[start:stop], seed + [0, start]), whole[start:stop])


def test_dropout_keeps_the_mean():
    dropped = np.asarray(dropout(tf.ones([64, 8, 8, 4]), 0.1, tf.constant([1, 2])))
    assert set(np.unique(dropped)) == {np.float32(0.0), np.float32(1.0 / 0.9)}
    assert abs(dropped.mean() - 1) < 0.01  # four deviations are .011
    assert len(np.unique(dropped.reshape(64, -1), axis=0)) == 64


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16])
def test_a_normal_sample(dtype):
    sample = normal_around(tf.fill([64, 4, 4, 4], tf.cast(3.0, dtype)), tf.constant([1, 2]))
    assert sample.dtype == dtype
    values = np.asarray(sample, np.float64)
    assert abs(values.mean() - 3) < 0.06 and abs(values.std() - 1) < 0.05


def test_each_step_and_each_draw_is_another_one():
    seeds = seeds_from(tf.constant([7, 3]))
    all_seeds = [next(seeds) for _ in range(50)] + [tf.constant([8, 3])]
    assert len({tuple(np.asarray(seed)) for seed in all_seeds}) == 51
    drawn = [np.asarray(normal_around(tf.zeros([2, 8]), seed)) for seed in all_seeds]
    assert len({values.tobytes() for values in drawn}) == 51
    assert next(seeds_from(None)) is None
