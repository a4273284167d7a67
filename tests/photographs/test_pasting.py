"""The hole of the old person filled, the new silhouette alone laid over it."""

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.photographs.drawing import Drawn
from tfwarpgan.photographs.pasting import connected, filled, paste, placed
from tfwarpgan.photographs.person import Person
from tfwarpgan.photographs.window import Window


def ramp(height, width):
    y, x = np.indices((height, width))
    return np.stack([y, x, y + x], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("size", [(64, 64), (61, 47), (1, 30)])
def test_a_hole_is_filled_from_around(size):
    pixels, hole = ramp(*size), np.zeros(size, bool)
    hole[size[0] // 3 : size[0] // 2, size[1] // 3 : size[1] // 2] = True
    broken = np.where(hole[..., None], np.uint8(255), pixels)
    mended = filled(broken, hole)
    np.testing.assert_array_equal(mended[~hole], pixels[~hole])
    assert np.abs(mended.astype(int) - pixels)[hole].max(initial=0) <= 8
    np.testing.assert_array_equal(filled(pixels, np.ones(size, bool)), pixels)


def test_what_is_cut_out_goes_back_to_its_place():
    pixels, window = ramp(100, 80), Window(20.5, 10.25, 60, 30, (120, 60))
    back, inside = placed(window.cut(pixels), window, (100, 80))
    core = inside.copy()
    core[[21, 22, 78, 79, 80]] = core[:, [10, 11, 38, 39, 40]] = False
    assert abs(inside.sum() - 60 * 30) < 120
    assert np.abs(back.astype(int) - pixels)[core].max() <= 1


def test_the_old_person_goes_and_the_new_one_alone_comes():
    backdrop, window = ramp(100, 80), Window(10, 20, 80, 40, (80, 40))
    pixels = backdrop.copy()
    pixels[30:70, 30:40] = 255  # the old person
    labels = np.zeros((80, 40), np.uint8)
    labels[20:60, 10:20] = 5
    new = np.zeros((80, 40), np.uint8)
    new[10:50, 24:34] = 5
    new[70:74, 4:8] = 5  # a speck beside the new one
    drawn = Drawn(np.full((80, 40, 3), 99, np.uint8), None, new)
    person = Person(pixels, (np.zeros((18, 2)), np.zeros(18, bool)), window, window.cut(pixels), labels)
    (picture,) = paste(person, [drawn])
    assert picture[40, 49].tolist() == [99, 99, 99]  # the middle of the new one
    assert np.abs(picture.astype(int) - backdrop)[25:75, 25:40].max() <= 16  # nothing of the old one
    np.testing.assert_array_equal(picture[:, :15], pixels[:, :15])  # nor of the backdrop that was drawn
    np.testing.assert_array_equal(picture[75:], pixels[75:])
    with pytest.raises(InputError, match="--paste needs networks of this machine that make label maps"):
        paste(person, [Drawn(drawn.image)])


def test_an_arm_that_the_crop_cuts_off_takes_nothing_beside_it_along():
    pixels, window = ramp(100, 80), Window(10, 20, 80, 40, (80, 40))
    labels = np.zeros((80, 40), np.uint8)
    labels[20:60, 10:20] = 5
    labels[25:30, 10:] = 14
    drawn = Drawn(np.full((80, 40, 3), 99, np.uint8), None, np.where(labels == 5, labels, 0).astype(np.uint8))
    person = Person(pixels, (np.zeros((18, 2)), np.zeros(18, bool)), window, window.cut(pixels), labels)
    (picture,) = paste(person, [drawn])
    np.testing.assert_array_equal(picture[:, 61:], pixels[:, 61:])


def test_a_silhouette_without_its_specks():
    mask = np.zeros((20, 20), bool)
    mask[2:15, 5:9] = mask[10:12, 5:18] = True
    specks = mask.copy()
    specks[17:19, 2:4] = specks[3:5, 12:14] = True
    np.testing.assert_array_equal(connected(specks), mask)
    assert not connected(np.zeros((4, 4), bool)).any()
