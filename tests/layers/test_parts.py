"""Parts of a person: every label in one part, weights of sum 1, hard inside and soft at the seams."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.parts import PARTS, part_alignment, part_weights, sample_by_part
from tfwarpgan.layers.transforms import affine_grid, sample


@pytest.mark.parametrize("parts", PARTS)
def test_every_label_belongs_to_one_part(parts):
    assert sorted(label for labels in PARTS[parts] for label in labels) == list(range(20))
    assert len(PARTS[parts]) == parts


@pytest.mark.parametrize("parts", PARTS)
def test_weights_are_a_partition(parts):
    parsing = tf.one_hot(np.random.default_rng(0).integers(0, 20, [2, 32, 16]), 20)
    weights = part_weights(parsing, parts).numpy()
    assert weights.shape == (2, 32, 16, parts) and weights.min() >= 0
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)


def test_a_seam_is_soft_and_the_inside_hard():
    labels = np.zeros([1, 128, 64], int)
    labels[:, 64:] = 9  # trousers below
    weights = part_weights(tf.one_hot(labels, 20), 4).numpy()[0, :, 32]
    np.testing.assert_allclose(weights[:62, 0], 1)
    np.testing.assert_allclose(weights[66:, 3], 1)
    np.testing.assert_allclose(weights[63, 0], 1 - weights[64, 0], rtol=1e-5)  # as soft on either side
    np.testing.assert_allclose(weights[62:66, 3], [1 / 9, 3 / 9, 6 / 9, 8 / 9], rtol=1e-5)  # two boxes of three pixels
    assert (np.diff(weights[:, 3]) >= -1e-6).all()


def test_each_label_is_sampled_by_the_grid_of_its_part():
    parsing = tf.one_hot(np.random.default_rng(1).integers(0, 20, [2, 32, 16]), 20)
    thetas = np.tile([1.0, 0, 0, 0, 1, 0], [4, 1])
    thetas[:, 2] = [0.0, 0.2, -0.4, 0.6]
    grids = [affine_grid(tf.constant([theta] * 2, tf.float32), 32, 16) for theta in thetas]
    found = sample_by_part(parsing, tf.stack(grids, axis=1))
    for label, part in {0: 0, 2: 1, 13: 1, 5: 2, 15: 2, 9: 3, 19: 3}.items():
        expected = sample(parsing, grids[part])[..., label]
        np.testing.assert_allclose(found[..., label], expected, atol=1e-6)


def test_alignment_by_hand():
    """A head moved by 4 pixels, a shirt twice as high; a hidden arm and the background follow the person."""
    condition, target = np.zeros([2, 1, 41, 21], int)
    condition[0, 2:6, 4:8], target[0, 2:6, 8:12] = 13, 13
    condition[0, 10:18, 4:10], target[0, 10:26, 4:10] = 5, 5
    condition[0, 20:24, 2:4] = 14
    theta = part_alignment(tf.one_hot(condition, 20), tf.one_hot(target, 20), 8).numpy()[0]
    np.testing.assert_allclose(theta[1], [1, 0, -4 * 2 / 20, 0, 1, 0], atol=1e-3)
    half = np.sqrt((8**2 - 1) / (16**2 - 1))  # of standard deviations of whole pixels
    middle = [(row - 20) / 20 for row in (13.5, 17.5)]  # of the shirt's rows, normalized
    np.testing.assert_allclose(theta[2], [1, 0, 0, 0, half, middle[0] - half * middle[1]], atol=1e-3)
    np.testing.assert_allclose(theta[3], theta[0])
    assert not np.allclose(theta[3], theta[2])
