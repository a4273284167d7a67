"""Shares of the training stream: every position is one worker's, and the batches are those of one worker."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.data.batches.pairs import pairs_dataset
from tfwarpgan.data.batches.shares import WHOLE, Share
from tfwarpgan.data.records import preparation


@pytest.mark.parametrize("workers, batch_size", [(1, 5), (2, 6), (3, 6), (6, 6)])
def test_each_position_is_one_workers(workers, batch_size):
    shares = [Share(worker, workers) for worker in range(workers)]
    positions = np.arange(7 * batch_size)
    held = np.array([share.holds(positions, batch_size) for share in shares])
    np.testing.assert_array_equal(held.sum(axis=0), 1)
    for number in range(7):
        of_batch = [share.positions(number, batch_size).numpy() for share in shares]
        np.testing.assert_array_equal(np.concatenate(of_batch), number * batch_size + np.arange(batch_size))
        for part, share in zip(of_batch, shares):
            assert share.holds(part, batch_size).all() and len(part) == share.size(batch_size)


def test_two_of_three_by_hand():
    held = Share(1, 3).holds(np.arange(12), 6)
    assert np.flatnonzero(held).tolist() == [2, 3, 8, 9]


def test_an_example_goes_to_the_worker_that_holds_its_position():
    stream = tf.data.Dataset.range(100, 112)
    assert list(Share(1, 2).of(stream, 4).as_numpy_iterator()) == [102, 103, 106, 107, 110, 111]
    assert WHOLE.of(stream, 4) is stream


@pytest.mark.parametrize("start", [0, 12])
def test_workers_read_the_batches_of_one(options, start):
    """Over more than two epochs, mirrored pairs included, from wherever a run goes on."""
    data = options(batch_size=6, flip=True)
    prepared = preparation.prepare(data)

    def batches(share):
        dataset = pairs_dataset(prepared, data, start=start, share=share, names=True)
        return list(itertools.islice(dataset.as_numpy_iterator(), 10))

    whole, parts = batches(WHOLE), [batches(Share(worker, 3)) for worker in range(3)]
    for batch, *of_workers in zip(whole, *parts, strict=True):
        for name, values in batch.items():
            np.testing.assert_array_equal(np.concatenate([part[name] for part in of_workers]), values)
