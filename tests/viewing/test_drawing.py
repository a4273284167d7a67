"""Drawings: values by hand, and sizes."""

import numpy as np
import pytest

from tfwarpgan.body.labels import COLOURS
from tfwarpgan.viewing import drawing


def pose(**points):
    """Keypoints that are all missing but for `j0=(y, x)` and so on."""
    keypoints, visible = np.full((18, 2), -1.0), np.zeros(18, bool)
    for name, point in points.items():
        keypoints[int(name[1:])], visible[int(name[1:])] = point, True
    return keypoints, visible


def test_to_uint8_by_hand():
    np.testing.assert_array_equal(drawing.to_uint8([-1.0, 0.0, 1.0, -3.0, 3.0]), [0, 128, 255, 0, 255])
    levels = np.arange(256)
    np.testing.assert_array_equal(drawing.to_uint8(levels / 127.5 - 1), levels)
    assert drawing.to_uint8(np.zeros((2, 3, 4, 3))).dtype == np.uint8


def test_colour_parsing():
    coloured = drawing.colour_parsing([[0, 19], [5, 0]])
    assert coloured.shape == (2, 2, 3) and coloured.dtype == np.uint8
    np.testing.assert_array_equal(coloured[0, 1], COLOURS[19])
    np.testing.assert_array_equal(coloured[1, 0], COLOURS[5])


def test_nobody_is_drawn_as_nothing():
    skeleton = drawing.draw_skeleton(*pose(), 32, 16, scale=2)
    assert skeleton.shape == (64, 32, 3) and skeleton.dtype == np.uint8
    assert not skeleton.any()


def test_a_joint_lies_at_its_y_and_x():
    skeleton = drawing.draw_skeleton(*pose(j0=(20, 5)), 32, 16)
    rows, columns = np.nonzero(skeleton.any(axis=-1))
    assert (rows.mean(), columns.mean()) == (20, 5)
    np.testing.assert_array_equal(skeleton[20, 5], drawing.JOINT_COLOURS[0])


def test_scaled_joints_keep_their_place():
    """Pixel 20 of 32 covers [20, 21): four times as large, its middle is at 4 * 20.5 - .5 = 81.5."""
    skeleton = drawing.draw_skeleton(*pose(j0=(20, 5)), 32, 16, scale=4)
    rows, columns = np.nonzero(skeleton.any(axis=-1))
    assert abs(rows.mean() - 81.5) <= 0.5 and abs(columns.mean() - 21.5) <= 0.5


def test_a_limb_needs_both_joints():
    neck, shoulder = (4, 8), (28, 8)  # 1-2 is a limb
    both = drawing.draw_skeleton(*pose(j1=neck, j2=shoulder), 32, 16)
    assert both[16, 8].any()
    keypoints, visible = pose(j1=neck, j2=shoulder)
    visible[2] = False
    assert not drawing.draw_skeleton(keypoints, visible, 32, 16)[16, 8].any()


def test_left_and_right_differ():
    right = drawing.draw_skeleton(*pose(j2=(4, 8), j3=(28, 8)), 32, 16)
    left = drawing.draw_skeleton(*pose(j5=(4, 8), j6=(28, 8)), 32, 16)
    assert np.any(right[16, 8] != left[16, 8])


def test_the_background_is_kept_and_not_changed():
    background = np.full((32, 16, 3), 77, np.uint8)
    skeleton = drawing.draw_skeleton(*pose(j0=(20, 5)), 32, 16, background=background)
    assert np.all(skeleton[0] == 77) and np.any(skeleton[20, 5] != 77)
    assert np.all(background == 77)


def test_a_grid_holds_every_picture_in_its_cell():
    red, green = np.zeros((2, 20, 30, 3), np.uint8), np.zeros((2, 20, 30, 3), np.uint8)
    red[..., 0], green[..., 1] = [[[100]], [[200]]], [[[50]], [[60]]]
    picture = drawing.grid({"one": red, "two": list(green)}, scale=2)
    gap, header = drawing.GAP, picture.shape[0] - 2 * (40 + drawing.GAP) - drawing.GAP
    assert picture.shape[1] == 2 * (60 + gap) + gap and header > 5
    for row in range(2):
        for column, pixel in enumerate(([(100 * (row + 1)), 0, 0], [0, 50 + 10 * row, 0])):
            top, left = header + gap + row * (40 + gap), gap + column * (60 + gap)
            assert np.all(picture[top : top + 40, left : left + 60] == pixel)
    assert np.any(picture[:header] < 100)  # the titles are there
    assert np.all(picture[header : header + gap] == 255)


def test_pictures_of_another_size_are_fitted_to_the_cell():
    small, large = np.zeros((1, 8, 8, 3), np.uint8), np.full((1, 32, 32, 3), 9, np.uint8)
    picture = drawing.grid({"a": small, "b": large}, scale=2)
    assert np.count_nonzero(np.all(picture == 9, axis=-1)) == 256


def test_long_titles_are_broken_not_cut():
    narrow = drawing.grid({"synthesized parsing of the person": np.zeros((1, 64, 64, 3), np.uint8)})
    short = drawing.grid({"a": np.zeros((1, 64, 64, 3), np.uint8)})
    assert narrow.shape[1] == short.shape[1] and narrow.shape[0] > short.shape[0]


def test_uneven_columns_are_refused():
    with pytest.raises(ValueError, match="equally long"):
        drawing.grid({"a": np.zeros((1, 8, 8, 3)), "b": np.zeros((2, 8, 8, 3))})
    with pytest.raises(ValueError, match="equally long"):
        drawing.grid({})


def test_sample_columns():
    batch = {
        "condition_image": np.full((2, 32, 16, 3), -1.0),
        "target_image": np.ones((2, 32, 16, 3)),
        "target_keypoints": np.stack([pose(j0=(20, 5))[0]] * 2),
        "target_visible": np.stack([pose(j0=(20, 5))[1]] * 2),
    }
    parsing = np.zeros((2, 32, 16, 20))
    parsing[..., 7] = 1
    outputs = {"image": np.zeros((2, 32, 16, 3)), "warped_image": np.ones((2, 32, 16, 3)), "target_parsing": parsing}
    columns = drawing.sample_columns(batch, outputs, scale=2)
    assert [len(column) for column in columns.values()] == [2] * 6
    assert columns["condition"][0].max() == 0 and columns["target"][1].min() == 255
    assert np.all(columns["synthesized"][0] == 128) and np.all(columns["warped condition"][0] == 255)
    assert np.all(columns["synthesized parsing"][1] == COLOURS[7])
    assert columns["target pose"][0].shape == (64, 32, 3)
    assert drawing.grid(columns).ndim == 3
