"""Labels drawn from joints, on rendered people: how near to the true ones, and what decides on sleeves and legs."""

import numpy as np
import pytest

from tfwarpgan.body import joints as body_joints
from tfwarpgan.body import labels as body_labels
from tfwarpgan.body.labels import LABELS
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.clothes import LEGS, SLEEVES, Clothes
from tfwarpgan.photographs.drawn_labels import draw_labels

SKIN, GRAY, RED, BLUE = (200, 150, 120), (128, 128, 128), (180, 20, 30), (30, 40, 160)


def share(labels, *names):
    return np.isin(labels, [LABELS.index(name) for name in names]).mean()


def test_they_are_near_to_the_true_ones(people):
    counts = np.zeros((20, 20))
    for each in people:
        drawn = draw_labels(each.pixels, each.joints, each.visible, Clothes())
        np.add.at(counts, (each.labels, drawn), 1)
    union = counts.sum(0) + counts.sum(1) - counts.diagonal()
    occurs = counts.sum(1) > 0
    mean_iou = (counts.diagonal()[occurs] / union[occurs]).mean()
    foreground = counts[1:, 1:].sum() / (counts.sum() - counts[0, 0])
    assert foreground >= 0.75 and mean_iou >= 0.33


def test_a_mirrored_person_gets_mirrored_labels(people):
    for each in people[:12]:
        visible = each.visible[list(body_joints.FLIP_PERMUTATION)]
        mirrored = each.joints[list(body_joints.FLIP_PERMUTATION)] * (1, -1) + (0, each.pixels.shape[1] - 1)
        drawn = draw_labels(each.pixels, each.joints, each.visible, Clothes())
        other = draw_labels(each.pixels[:, ::-1], np.where(visible[:, None], mirrored, -1), visible, Clothes())
        expected = np.array(body_labels.FLIP_PERMUTATION)[drawn[:, ::-1]]
        assert np.mean(other == expected) > 0.995


@pytest.fixture(scope="module")
def doll():
    """A person from the front whose arms and legs are apart, and a function that paints clothes."""
    joints = np.array([
        (20, 64), (42, 64), (42, 46), (66, 36), (90, 28), (42, 82), (66, 92), (90, 100), (100, 54), (150, 46),
        (200, 42), (100, 74), (150, 82), (200, 86), (16, 60), (16, 68), (18, 54), (18, 74),
    ], float)  # fmt: skip
    visible = np.ones(18, bool)
    parts = draw_labels(np.zeros((256, 128, 3), np.uint8), joints, visible, Clothes("short", "shorts"))

    def paint(sleeve, legs):
        pixels = np.full((256, 128, 3), GRAY, np.uint8)
        pixels[parts > 0] = SKIN
        labels = draw_labels(pixels, joints, visible, Clothes(sleeve, legs))
        for name, color in (("upper-clothes", RED), ("pants", BLUE), ("skirt", BLUE), ("dress", RED)):
            pixels[labels == LABELS.index(name)] = color
        return pixels

    return joints, visible, paint


@pytest.mark.parametrize("sleeve", SLEEVES)
@pytest.mark.parametrize("legs", LEGS)
def test_colors_say_what_is_worn(doll, sleeve, legs):
    joints, visible, paint = doll
    pixels = paint(sleeve, legs)
    labels = draw_labels(pixels, joints, visible, Clothes())
    told = draw_labels(pixels, joints, visible, Clothes(sleeve, legs))
    assert np.mean(labels == told) > 0.97
    for name in ("skirt", "dress", "pants", "left-leg", "left-arm"):
        assert share(labels, name) == pytest.approx(share(told, name), abs=0.02)


@pytest.mark.parametrize("sleeve, bare", [("long", False), ("none", True)])
def test_what_is_said_wins_over_colors(doll, sleeve, bare):
    joints, visible, paint = doll
    pixels = paint("short", "shorts")
    said, seen = (draw_labels(pixels, joints, visible, clothes) for clothes in (Clothes(sleeve), Clothes()))
    assert (share(said, "left-arm") > share(seen, "left-arm")) == bare


def test_from_behind_there_is_no_face(doll):
    joints, _, paint = doll
    visible = ~np.isin(np.arange(18), [0, 14, 15])
    labels = draw_labels(paint("long", "trousers"), joints, visible, Clothes())
    assert share(labels, "hair") > 3 * share(labels, "face")


def test_without_hips_nothing_can_be_drawn(doll):
    joints, _, paint = doll
    with pytest.raises(InputError, match="Labels cannot be drawn"):
        draw_labels(paint("long", "trousers"), joints, ~np.isin(np.arange(18), [8, 11]), Clothes())
