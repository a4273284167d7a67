"""Where people stand in the pictures of a data set: medians, what most do not show, files."""

import dataclasses
import os

import numpy as np
import pytest

from tfwarpgan.body.joints import NAMES
from tfwarpgan.data.joints.pose_gan import read_annotation_csv
from tfwarpgan.data.joints.stature import Stature, measure, read_stature, stature_of, write_stature
from tfwarpgan.data.layouts import people
from tfwarpgan.errors import InputError
from tfwarpgan.inference.released import released_folder

SIZE = (100, 50)


def person(nose=10, neck=19.5, hips=(49.5, 24.5), ankle=89.5, missing=()):
    joints = np.zeros((18, 2), np.float32)
    joints[[0, 1, 8, 11, 10, 13]] = [(nose, 20), (neck, 24.5), (hips[0], hips[1] - 5), (hips[0], hips[1] + 5),
                                     (ankle, 20), (ankle - 7, 30)]  # fmt: skip
    return joints, ~np.isin(np.arange(18), [NAMES.index(name) for name in missing])


def test_medians_by_hand():
    people = [person(), person(neck=29.5, hips=(49.5, 24.5), ankle=91.5), person(nose=9.5, hips=(49.5, 34.5))]
    assert measure(people, SIZE) == Stature(neck_hip=0.3, hip_x=0.5, neck_y=0.2, nose_y=0.105, ankle_y=0.9)


def test_the_lower_ankle_counts_and_one_is_enough():
    assert measure([person(missing=["right ankle"])], SIZE).ankle_y == 0.83


def test_what_most_pictures_do_not_show_has_no_place():
    feetless = person(missing=["right ankle", "left ankle", "nose"])
    assert measure([person(), feetless, feetless], SIZE) == Stature(0.3, 0.5, 0.2)
    assert measure([person(missing=["neck"]), person(missing=["left hip"])], SIZE) is None
    assert measure([], SIZE) is None


def test_that_of_a_folder(tmp_path):
    assert read_stature(str(tmp_path)) is None
    with pytest.raises(InputError, match=r"has no stature\.json, which says how people stand"):
        stature_of(str(tmp_path))
    stature = Stature(0.3, 0.5, 0.2)
    write_stature(str(tmp_path), stature)
    assert read_stature(str(tmp_path)) == stature_of(str(tmp_path)) == stature
    (tmp_path / "stature.json").write_text('{"neck_hip": 1}')
    with pytest.raises(InputError, match=r"stature\.json cannot be read"):
        read_stature(str(tmp_path))


def test_the_released_people_stand_as_those_they_were_trained_on(tmp_path):
    folder = people.unpack(str(tmp_path))
    poses = read_annotation_csv(os.path.join(folder, "market-annotation-train.csv"))
    measured = dataclasses.asdict(measure(poses.values(), (128, 64)))
    assert dataclasses.asdict(stature_of(released_folder("people"))) == pytest.approx(measured, abs=1e-3)
