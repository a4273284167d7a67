"""The people that an export is checked with: drawn where their joints are, each to be put into the pose of the next."""

import numpy as np
import pytest

from tfwarpgan.body.joints import NAMES
from tfwarpgan.body.labels import LABELS
from tfwarpgan.serving.exporting.sample_people import SHAPES, sample_people


@pytest.mark.parametrize(("height", "width"), [(128, 64), (64, 32), (256, 256)])
def test_labels_lie_where_the_joints_are(height, width):
    people = sample_people(height, width)
    for joint, label in (("nose", "face"), ("left ankle", "left-shoe"), ("right wrist", "right-arm"), ("neck", None)):
        places = people["condition_keypoints"][:, NAMES.index(joint)].round().astype(int)
        found = [LABELS[parsing[y, x]] for parsing, (y, x) in zip(people["condition_parsing"], places)]
        assert set(found) == {label or "upper-clothes"}


def test_each_person_has_all_parts_and_a_background():
    names = {"background", *(label for label, _, _ in SHAPES)}
    for parsing in sample_people(128, 64)["condition_parsing"]:
        assert {LABELS[label] for label in np.unique(parsing)} == names
        assert 0.6 < np.mean(parsing == 0) < 0.8


def test_a_part_has_nearly_one_color_and_three_people_have_three_shirts():
    people = sample_people(64, 32)
    shirts = [
        image[parsing == LABELS.index("upper-clothes")].astype(float)
        for image, parsing in zip(people["image"], people["condition_parsing"])
    ]
    assert all(shirt.std(axis=0).max() < 20 for shirt in shirts)
    means = [shirt.mean(axis=0) for shirt in shirts]
    assert all(np.abs(means[one] - means[other]).max() > 60 for one, other in ((0, 1), (1, 2), (2, 0)))


def test_the_target_pose_is_that_of_the_next_person():
    people = sample_people(64, 32)
    for name in ("keypoints", "visible"):
        assert np.array_equal(people[f"target_{name}"], people[f"condition_{name}"][[1, 2, 0]])
    assert people["condition_visible"].sum() == 3 * len(NAMES) - 1
