"""Mean absolute difference, by hand."""

import numpy as np

from tfwarpgan.evaluation.metrics.l1 import l1, l1_gfla, mae_gfla


def test_ranges_of_black_against_white():
    black, white = np.zeros((3, 4, 2, 3), np.uint8), np.full((3, 4, 2, 3), 255, np.uint8)
    np.testing.assert_array_equal(l1(black, white), [2, 2, 2])
    np.testing.assert_array_equal(l1(black, white, 255.0), [255, 255, 255])
    np.testing.assert_array_equal(l1_gfla(black, white), [1, 1, 1])
    np.testing.assert_array_equal(mae_gfla(black, white), [1, 1, 1])


def test_each_pair_by_hand():
    target = np.zeros((2, 1, 2, 3), np.uint8)
    generated = np.zeros((2, 1, 2, 3), np.uint8)
    generated[0, 0, 1] = [60, 30, 30]
    generated[1] = 51
    np.testing.assert_allclose(l1(target, generated), [120 / 6 / 127.5, 51 / 127.5])
    np.testing.assert_allclose(l1(target, generated), l1(generated, target))  # no level wraps around


def test_mae_of_gfla_is_a_share():
    target, generated = np.full((1, 2, 2, 3), 100, np.uint8), np.full((1, 2, 2, 3), 60, np.uint8)
    np.testing.assert_allclose(mae_gfla(target, generated), [40 / 160], rtol=1e-6)
