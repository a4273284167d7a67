"""Several people on a photograph: the largest is meant, and it is said where another one is."""

import numpy as np
import pytest

from tfwarpgan.body.joints import NUM_JOINTS
from tfwarpgan.data.pictures.images import read_photograph
from tfwarpgan.photographs import poses
from tfwarpgan.photographs.bystanders import box_around, largest
from tfwarpgan.photographs.estimator import NoPerson, load_estimator
from tfwarpgan.storage.writing import save_png

SHAPE = np.random.default_rng(0).random((NUM_JOINTS, 2))
SHAPE[:2] = (0, 0), (1, 1)
SMALL, LARGE = (30, 10, 60, 30), (40, 110, 120, 60)  # top, left, height, width of two people


class Bright:
    """In place of the estimator: finds the person at the left of those that are not hidden."""

    def pose(self, pixels, name, box=None):
        for top, left, height, width in (SMALL, LARGE):
            if pixels[top + height // 2, left + width // 2, 0] == 255:
                return (SHAPE * (height, width) + (top, left)).astype(np.float32), np.ones(NUM_JOINTS, bool)
        raise NoPerson(name, 0)


def photograph(*people):
    pixels = np.full((200, 220, 3), 90, np.uint8)
    for top, left, height, width in people:
        pixels[top : top + height, left : left + width] = 255
    return pixels


@pytest.mark.parametrize("people, other", [((SMALL,), None), ((LARGE,), None), ((SMALL, LARGE), SMALL)])
def test_the_largest(people, other):
    pixels = photograph(*people)
    given = pixels.copy()
    (joints, _), second = largest(Bright(), pixels, "me.jpg")
    assert joints[0].tolist() == list(people[-1][:2]) and np.array_equal(pixels, given)
    assert second is None if other is None else second[0][0].tolist() == list(other[:2])


def test_who_is_guessed_where_one_is_hidden_is_nobody():
    class Guessing:
        def pose(self, pixels, name, box=None):
            return Bright().pose(photograph(SMALL), name)

    assert largest(Guessing(), photograph(SMALL), "me.jpg")[1] is None


def test_the_box_of_the_other_one_is_told_in_pixels_of_the_file(capsys):
    pixels = photograph(SMALL, LARGE)
    pose = poses.person_pose("me.jpg", pixels, (400, 440), "", None, Bright)
    assert pose[0][0].tolist() == list(LARGE[:2])
    assert capsys.readouterr().err == (
        "note: me.jpg shows several people, of whom the largest is drawn; another one is in --box=2,42,96,156.\n"
    )
    poses.person_pose("me.jpg", photograph(LARGE), (400, 440), "", None, Bright)
    assert capsys.readouterr().err == ""


def test_movenet_finds_both_of_two_people(people, movenet, tmp_path):
    """And nobody else beside the one on each of ten pictures."""
    estimator = load_estimator(movenet)
    first, second = people[3], people[20]
    both = np.full((150, 220, 3), 130, np.uint8)
    both[15:143, 10:74], both[15:143, 140:204] = first.pixels, second.pixels
    save_png(tmp_path / "both.png", both.repeat(4, axis=0).repeat(4, axis=1))
    pixels, size = read_photograph(str(tmp_path / "both.png"))
    pose, other = largest(estimator, pixels, "both.png")
    assert other and abs(pose[0][1, 1] - other[0][1, 1]) > 300
    again = estimator.pose(pixels, "both.png", box_around(other))
    assert np.abs(again[0] - other[0])[again[1] & other[1]].max() < 20
    for each in people[::4]:
        assert largest(estimator, each.pixels, each.path)[1] is None
