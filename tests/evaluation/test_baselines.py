"""The baselines: the copied condition and the mean of a stream of targets."""

import numpy as np
import pytest

from tfwarpgan.evaluation.baselines import copy_condition, mean_image


def batches(values, batch_size=2):
    """Batches of targets, each of one value."""
    for start in range(0, len(values), batch_size):
        part = np.asarray(values[start : start + batch_size], np.float32)
        yield {"target_image": np.broadcast_to(part[:, None, None, None], (len(part), 2, 3, 3))}


def test_mean_over_exactly_the_first_pairs():
    mean, count = mean_image(batches([0.0, 0.5, 1.0, -1.0]), 3)
    assert count == 3
    np.testing.assert_array_equal(mean, np.full((2, 3, 3), 0.5, np.float32))


def test_a_short_data_set_is_taken_whole():
    mean, count = mean_image(batches([1.0, 0.0, 0.5]), 100)
    assert count == 3
    np.testing.assert_array_equal(mean, np.full((2, 3, 3), 0.5, np.float32))


def test_an_endless_data_set_is_read_no_further_than_needed():
    def endless():
        yield from batches([0.25, 0.75])
        raise AssertionError("read too far")

    assert mean_image(endless(), 2)[1] == 2


def test_position_and_channel_are_kept():
    images = np.arange(12, dtype=np.float32).reshape(2, 1, 2, 3) / 12
    mean, _ = mean_image([{"target_image": images}], 2)
    np.testing.assert_allclose(mean, [[[3 / 12, 4 / 12, 5 / 12], [6 / 12, 7 / 12, 8 / 12]]], rtol=1e-6)


def test_nothing_has_no_mean():
    with pytest.raises(ValueError, match="at least one pair"):
        mean_image([], 5)


def test_copy_is_the_condition():
    batch = {"condition_image": np.ones((1, 2, 2, 3)), "target_image": np.zeros((1, 2, 2, 3))}
    assert copy_condition(batch) is batch["condition_image"]
