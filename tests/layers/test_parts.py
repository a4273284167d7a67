"""Parts of a person: every label in one part, weights of sum 1, hard inside and soft at the seams."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.parts import PARTS, part_weights


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
    np.testing.assert_allclose(weights[:48, 0], 1)
    np.testing.assert_allclose(weights[80:, 3], 1)
    np.testing.assert_allclose(weights[63, 0], 1 - weights[64, 0], rtol=1e-5)  # as soft on either side
    assert 0.5 < weights[63, 0] < 0.6 and (np.diff(weights[:, 3]) >= -1e-6).all()
