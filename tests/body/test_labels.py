"""Labels: left and right, colors."""

import numpy as np

from tfwarpgan.body.labels import COLORS, FLIP_PERMUTATION, LABELS, NUM_LABELS


def test_flip_permutation_exchanges_left_and_right():
    assert len(LABELS) == NUM_LABELS == 20
    for place, other in enumerate(FLIP_PERMUTATION):
        swapped = LABELS[place].replace("left", "?").replace("right", "left").replace("?", "right")
        assert LABELS[other] == swapped


def test_colors_are_lip_s():
    assert COLORS.shape == (20, 3) and len(np.unique(COLORS, axis=0)) == 20
    assert COLORS[[0, 2, 5, 13, 19]].tolist() == [
        [0, 0, 0], [255, 0, 0], [255, 85, 0], [0, 0, 255], [255, 170, 0],
    ]  # fmt: skip
