"""The crop: people in larger photographs come to stand as those of the training pictures."""

import dataclasses

import numpy as np
import pytest

from tfwarpgan.data.joints.stature import measure
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.framing import INVENTED_LEGS, NOT_UPRIGHT, person_window, remarks

SIZE = (128, 64)
LEGS = [9, 10, 12, 13]


@pytest.fixture(scope="module")
def stature(people):
    return measure([(each.joints, each.visible) for each in people], SIZE)


def test_a_person_in_a_larger_photograph_is_found_as_large_as_in_training(people, stature):
    scales, tops = [], []
    for number, each in enumerate(people):
        shift, scale = np.array((40, 10 * number)), 1 + number / 10
        joints = np.where(each.visible[:, None], (each.joints + 0.5) * scale - 0.5 + shift, -1)
        window = person_window((joints, each.visible), stature, SIZE, "photo.jpg")
        scales.append(window.height / (scale * SIZE[0]))
        tops.append((window.top - shift[0]) / scale)
        assert window.height / window.width == 2
    assert 0.97 < np.median(scales) < 1.03 and np.mean(np.abs(np.array(scales) - 1) < 0.15) > 0.85
    assert abs(np.median(tops)) < 3


def test_a_person_without_feet_is_cropped_by_the_torso(people, stature):
    for each in people[:10]:
        visible = each.visible & ~np.isin(np.arange(18), LEGS)
        window = person_window((each.joints, visible), stature, SIZE, "photo.jpg")
        neck = window.to_model(each.joints, visible)[1]
        hips = window.to_model(each.joints, visible)[[8, 11]].mean(0)
        assert np.hypot(*(hips - neck)) / SIZE[0] == pytest.approx(stature.neck_hip, abs=1e-3)
        assert (hips[1] + 0.5) / SIZE[1] == pytest.approx(stature.hip_x, abs=1e-3)


def test_a_training_set_without_feet_does_not_go_by_them(people, stature):
    each, half = people[0], dataclasses.replace(stature, ankle_y=None)
    visible = each.visible & ~np.isin(np.arange(18), LEGS)
    assert person_window((each.joints, each.visible), half, SIZE, "x") == person_window(
        (each.joints, visible), half, SIZE, "x"
    )
    assert remarks((each.joints, visible), stature) == [INVENTED_LEGS]
    assert remarks((each.joints, visible), half) == remarks((each.joints, each.visible), stature) == []


def test_who_lies_on_the_side_is_told_of(people, stature):
    """As on a photograph whose EXIF was lost."""
    for each in people:
        assert remarks((each.joints, each.visible), stature) == []
        for turned in (each.joints[:, ::-1], -each.joints, -each.joints[:, ::-1]):
            assert remarks((turned, each.visible), stature) == [NOT_UPRIGHT]


def test_too_little_of_a_person(people, stature):
    with pytest.raises(InputError, match=r"^me\.jpg: neck and hips must be seen"):
        person_window((people[0].joints, people[0].visible & ~np.isin(np.arange(18), [8, 11])), stature, SIZE, "me.jpg")
    with pytest.raises(InputError, match=r"^me\.jpg: neck and hips lie in one place"):
        person_window((np.full((18, 2), 30.0), np.ones(18, bool)), stature, SIZE, "me.jpg")
