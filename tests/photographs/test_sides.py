"""Right and left of arms, legs and shoes follow the joints."""

import numpy as np
import pytest

from tfwarpgan.body.joints import FLIP_PERMUTATION, NAMES
from tfwarpgan.body.labels import FLIP_PERMUTATION as FLIPPED
from tfwarpgan.body.labels import LABELS
from tfwarpgan.photographs.sides import with_sides


def test_exchanged_sides_are_put_right_again(people):
    kept = mended = wrong = 0
    for someone in people:
        true, exchanged = someone.labels, np.asarray(FLIPPED, np.uint8)[someone.labels]
        sided = exchanged != true
        found = with_sides(exchanged, someone.joints, someone.visible)
        np.testing.assert_array_equal(found[~sided], true[~sided])
        mended += np.sum(found[sided] == true[sided])
        wrong += np.sum(found[sided] != true[sided])
        kept += np.sum(with_sides(true, someone.joints, someone.visible)[sided] == true[sided])
    assert mended / (mended + wrong) > 0.85 and kept == mended


@pytest.mark.parametrize("hidden", ["left elbow", "left wrist"])
def test_a_limb_that_is_not_seen_changes_nothing(people, hidden):
    """An arm without an elbow has no bone; without a wrist it has its upper arm."""
    someone = people[0]
    visible = someone.visible & (np.arange(18) != NAMES.index(hidden))
    arms = np.isin(someone.labels, [LABELS.index("left-arm"), LABELS.index("right-arm")])
    labels = np.asarray(FLIPPED, np.uint8)[someone.labels]
    is_same = (with_sides(labels, someone.joints, visible) == labels)[arms].all()
    assert arms.any() and is_same == (hidden == "left elbow")


def test_the_mirrored_person_has_the_mirrored_sides(people):
    someone = people[1]
    joints = (someone.joints * (1, -1) + (0, someone.labels.shape[1] - 1))[list(FLIP_PERMUTATION)]
    mirrored = with_sides(
        np.asarray(FLIPPED, np.uint8)[someone.labels[:, ::-1]], joints, someone.visible[list(FLIP_PERMUTATION)]
    )
    found = with_sides(someone.labels, someone.joints, someone.visible)
    different = np.asarray(FLIPPED, np.uint8)[mirrored[:, ::-1]] != found
    assert different.mean() < 0.005  # where both are as near
