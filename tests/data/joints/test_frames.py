"""Joints of a declared frame land on the right pixels of the picture that is used."""

import re

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.joints.frames import Frame
from tfwarpgan.data.joints.stray import normalized
from tfwarpgan.data.pictures.framing import Framing

POINTS = np.full((18, 2), 100, np.float32)
POINTS[0], POINTS[1], POINTS[2] = (10, 39), (10, 40), (20, 215)
VISIBLE = np.arange(18) != 17


def _picture(tmp_path, height, width):
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_without_a_declaration_nothing_moves_and_no_picture_is_read():
    joints, visible = Frame().place(POINTS, VISIBLE, "no such picture")
    assert joints is POINTS and visible is VISIBLE


def test_a_larger_frame_is_scaled_by_pixel_centers(tmp_path):
    joints, visible = Frame(size=(512, 512)).place(POINTS, VISIBLE, _picture(tmp_path, 256, 256))
    np.testing.assert_allclose(joints[2], [9.75, 107.25])
    assert joints[17].tolist() == [-1, -1] and visible is VISIBLE


def test_normalized_joints_take_the_picture_s_size(tmp_path):
    joints, _ = Frame(normalized=True).place(np.full((18, 2), 0.25) - 0.5, VISIBLE, _picture(tmp_path, 80, 40))
    np.testing.assert_allclose(joints[0], [0.25 * 80 - 0.5, 0.25 * 40 - 0.5])


@pytest.mark.parametrize("size", [(256, 176), (512, 352)])
def test_pictures_that_were_cropped_before(tmp_path, size):
    """DeepFashion's 256 x 176 frame is the columns 40 to 216 of the 256 x 256 one that joints are annotated in."""
    frame = Frame(size=(256, 256), crop=(40, 0, 176, 256))
    joints, visible = frame.place(POINTS, VISIBLE, _picture(tmp_path, *size))
    ratio = size[1] / 176
    np.testing.assert_allclose(joints[1], [10.5 * ratio - 0.5, 0.5 * ratio - 0.5])
    np.testing.assert_allclose(joints[2], [20.5 * ratio - 0.5, 175.5 * ratio - 0.5])
    assert np.flatnonzero(~visible).tolist() == [0, 17] and joints[0].tolist() == [-1, -1]


def test_pictures_that_are_cropped_now(tmp_path):
    framing = Framing(256, 176, crop=(40, 0, 176, 256))
    joints, visible = framing.used_joints(*Frame().place(POINTS, VISIBLE, _picture(tmp_path, 256, 256)))
    assert joints[1].tolist() == [10, 0] and joints[2].tolist() == [20, 175]
    assert np.flatnonzero(~visible).tolist() == [0, 17]


def test_joints_of_the_crop_for_pictures_of_the_whole(tmp_path):
    joints, visible = Frame(crop=(-40, 0, 256, 256)).place(POINTS, VISIBLE, _picture(tmp_path, 256, 256))
    assert joints[0].tolist() == [10, 79] and visible.sum() == 17 - 0


def _shares(kind):
    shares = np.linspace(0.1, 0.9, 36, dtype=np.float32).reshape(18, 2)
    return shares if kind == 3 else shares * 2 - 1


@pytest.mark.parametrize("kind", [3, 4])
def test_scaled_joints_lie_between_the_centers_of_the_outer_pixels(tmp_path, kind):
    Image.new("RGB", (64, 128)).save(tmp_path / "a.png")
    visible = np.ones(18, bool)
    placed, _ = Frame(scale=kind).place(_shares(kind), visible, str(tmp_path / "a.png"))
    np.testing.assert_allclose(placed, np.linspace(0.1, 0.9, 36).reshape(18, 2) * (127, 63), rtol=1e-5)
    assert re.match(f"all joints lie between .* set --keypoint_scale={kind}", normalized(_shares(kind), visible))


def test_the_frame_that_a_file_states(tmp_path):
    Image.new("RGB", (64, 128)).save(tmp_path / "a.png")
    joints, visible = np.full((18, 2), 99.5, np.float32), np.ones(18, bool)
    placed, _ = Frame().place(joints, visible, str(tmp_path / "a.png"), (512, 256))
    assert placed[0].tolist() == [24.5, 24.5]
    declared, _ = Frame(size=(256, 128)).place(joints, visible, str(tmp_path / "a.png"), (512, 256))
    np.testing.assert_allclose(declared, placed)
    assert not normalized(joints, visible)


def test_shares_of_a_file_need_no_scale(tmp_path):
    Image.new("RGB", (64, 128)).save(tmp_path / "a.png")
    joints, visible = np.zeros((18, 2), np.float32), np.ones(18, bool)
    placed, _ = Frame(scale=3).place(joints, visible, str(tmp_path / "a.png"), (1, 1))
    assert placed[0].tolist() == [63.5, 31.5]
