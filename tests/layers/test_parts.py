"""Parts of a person: every label in one part, weights of sum 1, hard inside and soft at the seams."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.parts import PARTS, part_alignment, part_weights


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
    labels[:, 64:] = 14  # an arm below
    weights = part_weights(tf.one_hot(labels, 20), 6).numpy()[0, :, 32]
    np.testing.assert_allclose(weights[:62, 0], 1)
    np.testing.assert_allclose(weights[66:, 2], 1)
    np.testing.assert_allclose(weights[62:66, 2], [1 / 9, 3 / 9, 6 / 9, 8 / 9], rtol=1e-5)  # two boxes of three pixels


def drawn(*strokes):
    """One-hot parsing [1, 65, 33, 20] of thick strokes (label, (y, x) of an end, (y, x) of the other)."""
    labels, (rows, columns) = np.zeros([1, 65, 33], int), np.indices([65, 33])
    for label, start, end in strokes:
        for share in np.linspace(0, 1, 100):
            y, x = np.array(start) + share * (np.array(end) - start)
            labels[0][(rows - y) ** 2 + (columns - x) ** 2 <= 4] = label
    return tf.one_hot(labels, 20)


def at(theta, y, x):
    """Where a backward map takes a pixel of a picture 65 x 33 from, in pixels."""
    a, b, tx, c, d, ty = theta
    x, y = x / 16 - 1, y / 32 - 1
    return 32 * (c * x + d * y + ty + 1), 16 * (a * x + b * y + tx + 1)


def test_a_turned_limb_is_laid_along_itself():
    """The left arm hangs in the condition and is stretched out in the target; hand finds hand, shoulder shoulder."""
    condition, target = drawn((14, (10, 8), (30, 8))), drawn((14, (20, 8), (25, 27)))
    theta, seen = part_alignment(condition, target, 6)
    assert list(seen[0].numpy()) == [False, True, False, False, False]
    np.testing.assert_allclose(at(theta[0, 1].numpy(), 20, 8), (10, 8), atol=0.7)
    np.testing.assert_allclose(at(theta[0, 1].numpy(), 25, 27), (30, 8), atol=0.7)


def test_a_head_stays_upright():
    """Wider than high, it has a main axis across; a shift of 3 rows and 5 columns is all that it did."""
    condition, target = drawn((13, (10, 8), (10, 14))), drawn((13, (13, 13), (13, 19)))
    theta, seen = part_alignment(condition, target, 6)
    assert seen[0, 0]
    np.testing.assert_allclose(theta[0, 0], [1, 0, -5 / 16, 0, 1, -3 / 32], atol=1e-4)


def test_a_limb_of_another_length_and_width_is_scaled():
    condition, target = drawn((17, (30, 16), (50, 16))), drawn((17, (30, 16), (40, 16)))
    theta = part_alignment(condition, target, 6)[0][0, 4].numpy()
    lengths = [np.sqrt(np.var(np.nonzero(np.argmax(p[0], -1) == 17)[0])) for p in (condition, target)]
    np.testing.assert_allclose(theta[4], lengths[0] / lengths[1], rtol=1e-3)
    np.testing.assert_allclose(at(theta, 35, 16), (40, 16), atol=1e-3)  # middle to middle


def test_a_limb_of_a_few_pixels_moves_with_the_person():
    condition = target = drawn((14, (20, 10), (20, 10)))
    small = np.zeros([1, 65, 33], int)
    small[0, 20, 10] = 14
    assert part_alignment(condition, target, 6)[1][0, 1]
    assert not part_alignment(tf.one_hot(small, 20), target, 6)[1][0, 1]
