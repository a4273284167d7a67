"""Labels: left and right, colours."""

import numpy as np

from tfwarpgan.body.labels import COLOURS, FLIP_PERMUTATION, LABELS, NUM_LABELS


def test_flip_permutation_exchanges_left_and_right():
    assert len(LABELS) == NUM_LABELS == 20
    for place, other in enumerate(FLIP_PERMUTATION):
        swapped = LABELS[place].replace("left", "?").replace("right", "left").replace("?", "right")
        assert LABELS[other] == swapped


def test_colours_are_lip_s():
    assert COLOURS.shape == (20, 3) and len(np.unique(COLOURS, axis=0)) == 20
    assert COLOURS[[0, 2, 5, 13, 19]].tolist() == [
        [0, 0, 0], [255, 0, 0], [255, 85, 0], [0, 0, 255], [255, 170, 0],
    ]  # fmt: skip
