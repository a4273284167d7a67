"""Mean absolute difference, by hand."""

import numpy as np

from tfwarpgan.evaluation.metrics.l1 import l1


def test_range_is_two():
    black, white = np.full((3, 4, 2, 3), -1, np.float32), np.ones((3, 4, 2, 3), np.float32)
    np.testing.assert_array_equal(l1(black, white), [2, 2, 2])


def test_each_pair_by_hand():
    target = np.zeros((2, 1, 2, 3), np.float32)
    generated = np.zeros((2, 1, 2, 3), np.float32)
    generated[0, 0, 1] = [0.6, -0.3, 0.3]
    generated[1] = -0.25
    np.testing.assert_allclose(l1(target, generated), [1.2 / 6, 0.25], rtol=1e-6)
