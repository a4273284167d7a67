"""Joints on photographs: what the two looks see, who is nobody, and MoveNet on rendered people."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan.body.joints import FLIP_PERMUTATION, NAMES
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.estimator import Estimator, NoPerson, load_estimator

SIDE = 64
# COCO's joints of somebody from the front, (y, x) as shares of the box around them.
COCO = np.array([
    (0.05, 0.5), (0.0, 0.6), (0.0, 0.4), (0.03, 0.7), (0.03, 0.3), (0.2, 0.9), (0.2, 0.1), (0.35, 1.0), (0.35, 0.0),
    (0.5, 0.9), (0.5, 0.1), (0.5, 0.75), (0.5, 0.25), (0.75, 0.75), (0.75, 0.25), (1.0, 0.75), (1.0, 0.25),
])  # fmt: skip
INNER = COCO / 2 + 0.25  # in the middle of whatever is looked at


def bright(pixels):
    """A stand-in for the network: the joints of `COCO` in the box of what is bright, none on a dark picture."""
    found = np.argwhere(pixels[..., 0] > 128)
    if not len(found):
        return np.zeros((17, 3))
    first, last = found.min(0), found.max(0) + 1
    return np.column_stack([(first + COCO * (last - first)) / SIDE, np.full(17, 0.9)])


def photograph(top=20, left=200, height=60, width=40, size=(400, 300)):
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[top : top + height, left : left + width] = 255
    return pixels


def test_the_second_look_is_finer_than_the_first():
    looks = []
    estimator = Estimator(lambda pixels: (looks.append(pixels), bright(pixels))[1], SIDE)
    joints, visible = estimator.pose(photograph(), "me.jpg")
    assert visible.all() and [look.shape for look in looks] == [(SIDE, SIDE, 3)] * 2
    shares = [(look[..., 0] > 128).mean() for look in looks]
    assert shares[0] < 0.05 and shares[1] > 0.25
    np.testing.assert_allclose(joints[NAMES.index("left ankle")], (79.5, 229.5), atol=1.5)
    np.testing.assert_allclose(joints[NAMES.index("neck")], (31.5, 219.5), atol=1.5)


def test_a_box_says_who_is_meant():
    pixels = photograph()
    pixels[250:380, 20:100] = 255  # somebody larger
    joints, _ = Estimator(bright, SIDE).pose(pixels, "me.jpg", (190, 10, 60, 80))
    assert joints[:, 0].max() < 90 and joints[:, 1].min() > 190


@pytest.mark.parametrize("scores, told", [
    (np.zeros(17), "0 of 18 joints"),
    (np.where(np.arange(17) < 5, 0.9, 0.1), "5 of 18 joints"),
    (np.where(np.isin(np.arange(17), [0, 1, 2, 3, 4, 7, 8, 9, 10]), 0.9, 0.1), "9 of 18 joints"),  # no torso
])  # fmt: skip
def test_nobody_is_no_person(scores, told):
    found = np.column_stack([INNER, scores])
    with pytest.raises(NoPerson, match=rf"^wall\.jpg: no person was found on it, {told}; give a picture"):
        Estimator(lambda pixels: found, SIDE).pose(photograph(), "wall.jpg")


def test_what_lies_beyond_the_edge_is_not_there():
    """A half body: the network guesses legs below the photograph."""
    pixels = photograph(top=150, left=120, height=100, width=60, size=(250, 300))

    def longer(looked):
        found = np.argwhere(looked[..., 0] > 128)
        first, last = found.min(0), found.max(0) + 1
        return np.column_stack([(first + COCO * (last - first) * (1.6, 1)) / SIDE, np.full(17, 0.9)])

    _, visible = Estimator(longer, SIDE).pose(pixels, "me.jpg")
    hidden = {NAMES[joint] for joint in np.flatnonzero(~visible)}
    assert {"right knee", "right ankle", "left knee", "left ankle"} <= hidden and len(hidden) <= 6


def test_who_is_seen_from_behind_has_no_face():
    found = np.column_stack([INNER * (1, -1) + (0, 1), np.full(17, 0.9)])
    _, visible = Estimator(lambda pixels: found, SIDE).pose(photograph(), "me.jpg")
    hidden = {NAMES[joint] for joint in np.flatnonzero(~visible)}
    assert hidden == {"nose", "right eye", "left eye"}


def test_movenet_finds_people(people, movenet):
    estimator = load_estimator(movenet)
    near, mirrored_apart = [], []
    for number, each in enumerate(people[::2]):
        joints, visible = estimator.pose(each.pixels, each.path)
        both = visible & each.visible
        extent = np.ptp(each.joints[each.visible, 0])
        near += (np.hypot(*(joints - each.joints)[both].T) < 0.05 * extent).tolist()
        if number < 5:
            mirrored, seen = estimator.pose(np.ascontiguousarray(each.pixels[:, ::-1]), each.path)
            back = (mirrored * (1, -1) + (0, each.pixels.shape[1] - 1))[list(FLIP_PERMUTATION)]
            both = visible & seen[list(FLIP_PERMUTATION)]
            mirrored_apart += np.hypot(*(joints - back)[both].T).tolist()
    assert len(near) > 250 and np.mean(near) > 0.93
    assert np.percentile(mirrored_apart, 90) < 2


def test_movenet_finds_nobody_on_a_wall(movenet):
    wall = np.asarray(Image.effect_noise((300, 400), 20).convert("RGB"))
    with pytest.raises(NoPerson, match="no person was found"):
        load_estimator(movenet).pose(wall, "wall.jpg")


class Other(tf.Module):
    """A network with another interface."""

    @tf.function(input_signature=[tf.TensorSpec([1, 8, 8, 3], tf.int32, "input")])
    def call(self, images):
        return {"output_0": tf.zeros([1, 6, 56]) + tf.cast(images[0, 0, 0, 0], tf.float32)}


def test_another_folder_is_told(tmp_path):
    with pytest.raises(InputError, match=r"has no saved_model\.pb"):
        load_estimator(str(tmp_path))
    other = Other()
    tf.saved_model.save(other, str(tmp_path / "other"), signatures={"serving_default": other.call})
    with pytest.raises(InputError, match="has another interface; expected that of MoveNet"):
        load_estimator(str(tmp_path / "other"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_estimator(str(tmp_path / "broken"))
