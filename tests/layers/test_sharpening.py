"""Sharpening, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.body.labels import LABELS
from tfwarpgan.layers.label_maps import one_hot
from tfwarpgan.layers.sharpening import sharpen


def sharpened(image, label, share):
    parsing = one_hot(tf.fill(image.shape[:3], LABELS.index(label)))
    return sharpen(tf.constant(image), parsing, share).numpy()


@pytest.mark.parametrize(("label", "share"), [("pants", 0.5), ("face", 0.75), ("background", 0.75)])
def test_what_the_mean_of_nine_takes_away_is_added_and_less_of_what_is_weak(label, share):
    image = np.zeros([1, 5, 5, 3], np.float32)
    image[0, 2, 2], image[0, 0, 0] = 0.9, (0.0, 0.45, 0.45)
    found = sharpened(image, label, share)[0, :, :, 1]
    assert found[2, 2] == 1.0  # 0.9 + 0.5 x 0.99 x 0.8, within [-1, 1]
    assert found[1, 2] == pytest.approx(-0.5 * 0.1**2 / (0.1**2 + 0.06**2) * 0.1)
    square = 2 * 0.25**2 / 3  # the border is repeated: four of the nine have the color; one channel has none
    assert found[0, 0] == pytest.approx(0.45 + 0.5 * square / (square + 0.06**2) * 0.25)
    assert found[4, 4] == 0


def test_a_share_of_nothing_and_an_even_image_change_nothing():
    image = np.random.default_rng(0).uniform(-1, 1, [2, 8, 4, 3]).astype(np.float32)
    np.testing.assert_array_equal(sharpened(image, "dress", 0.0), image)
    even = np.full([1, 8, 4, 3], 0.3, np.float32)
    np.testing.assert_allclose(sharpened(even, "dress", 2.0), even, atol=1e-6)
