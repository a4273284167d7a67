"""One affine for pixels and joints: there and back, on and beyond the photograph."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tfwarpgan.photographs.window import Window

RAMP = np.indices((40, 30)).transpose(1, 2, 0)[..., [0, 1, 1]].astype(np.uint8)  # its pixels say where they lie
ALL = np.ones(18, bool)
sides = st.floats(-60, 60).filter(lambda side: abs(side) > 1e-3)


@given(sides, sides, st.floats(0.5, 90), st.floats(0.5, 90))
@settings(deadline=None, max_examples=30)
def test_joints_come_back(top, left, height, width):
    window = Window(top, left, height, width, (16, 8))
    joints = np.linspace(-50, 80, 36).reshape(18, 2)
    np.testing.assert_allclose(window.to_picture(window.to_model(joints, ALL), ALL), joints, atol=1e-3)


@given(sides, sides, st.floats(0.5, 90), st.floats(0.5, 90))
@settings(deadline=None, max_examples=30)
def test_a_window_anywhere_shows_the_nearest_of_the_picture(top, left, height, width):
    shown = Window(top, left, height, width, (16, 8)).cut(RAMP, resampling=Image.Resampling.BILINEAR).astype(float)
    centers = (np.indices((16, 8)).transpose(1, 2, 0) + 0.5) * (height / 16, width / 8) + (top, left) - 0.5
    room = np.maximum((height / 16, width / 8), 1) + 0.6  # what the filter takes in, and rounding
    expected = np.clip(centers, 0, (39, 29))
    assert np.all(np.abs(shown[..., :2] - expected) <= room)


def test_a_window_of_whole_pixels_is_a_crop():
    np.testing.assert_array_equal(Window(4, 3, 16, 8, (16, 8)).cut(RAMP), RAMP[4:20, 3:11])


def test_pixels_and_joints_move_together():
    picture = np.zeros((60, 60, 3), np.uint8)
    picture[20:23, 30:33] = 255
    window = Window(5.3, 12.7, 40, 40, (80, 80))
    bright = window.cut(picture)[..., 0].astype(float)
    center = (np.indices((80, 80)) * bright).sum(axis=(1, 2)) / bright.sum()
    joints = window.to_model(np.tile([[21.0, 31.0]], (18, 1)), ALL)
    np.testing.assert_allclose(joints[0], center, atol=0.05)


def test_beyond_the_picture_is_its_edge_or_nothing():
    window = Window(-10, -10, 20, 20, (20, 20))
    assert window.cut(RAMP + np.uint8(7))[0, 0].tolist() == [7, 7, 7]
    assert window.cut(RAMP + np.uint8(7), "constant")[0, 0].tolist() == [0, 0, 0]
    assert window.cut(RAMP[..., 0] + np.uint8(7), "constant", Image.Resampling.NEAREST).shape == (20, 20)


def test_a_strip_takes_no_more_memory_than_it_has():
    """A panorama, of which the whole square would be 1.2 GB."""
    strip = np.full((40, 20_000, 3), 7, np.uint8)
    tracemalloc.start()
    for picture in (strip, strip.swapaxes(0, 1).copy()):
        assert (Window.whole(picture.shape[:2], (256, 256)).cut(picture) == 7).all()
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()


def test_missing_joints_stay_missing():
    visible = np.arange(18) > 0
    assert Window(5, 5, 10, 10, (20, 20)).to_model(np.full((18, 2), 9.0), visible)[0].tolist() == [-1, -1]


@pytest.mark.parametrize("size", [(10, 10), (20, 10), (10, 30)])
def test_a_box_is_in_the_middle_of_the_window_around_it(size):
    window = Window.around((10, 20), (50, 30), size, margin=0.1)
    assert window.height / window.width == pytest.approx(size[0] / size[1])
    assert (window.top + window.height / 2, window.left + window.width / 2) == pytest.approx((30, 25))
    assert (
        window.height >= 48
        and window.width >= 18
        and (window.height, window.width)
        == pytest.approx((48, 48 * size[1] / size[0]) if 48 * size[1] / size[0] >= 18 else (18 * size[0] / size[1], 18))
    )
