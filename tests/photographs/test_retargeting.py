"""Poses fitted to a person: one scale, one shift, whatever frame they come from."""

import numpy as np
import pytest

from tfwarpgan.body.joints import NAMES
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.retargeting import retarget, torso

ALL = np.ones(18, bool)
# Standing, hips at y 60, ankles at 110, (y, x).
STANDING = np.array([
    (16, 32), (28, 32), (28, 24), (42, 22), (56, 20), (28, 40), (42, 42), (56, 44), (60, 28), (85, 27), (110, 26),
    (60, 36), (85, 37), (110, 38), (14, 30), (14, 34), (15, 27), (15, 37),
], float)  # fmt: skip
KICKING = STANDING + np.where(np.isin(np.arange(18), [12, 13])[:, None], (-20, 15), 0)


def without(*names):
    return ~np.isin(np.arange(18), [NAMES.index(name) for name in names])


def fitted(joints, visible=ALL, person=(STANDING, ALL)):
    return retarget([(joints, visible)], person, "pose.json")[0]


def test_the_pose_of_the_person_is_its_own():
    joints, visible = fitted(STANDING)
    np.testing.assert_allclose(joints, STANDING, atol=1e-4)
    assert visible.all()


@pytest.mark.parametrize("scale, shift", [(0.05, (0, 0)), (1.7, (30, -80)), (20, (3000, 500))])
def test_the_frame_of_the_pose_does_not_count(scale, shift):
    np.testing.assert_allclose(fitted(KICKING * scale + shift)[0], fitted(KICKING)[0], atol=1e-2)


def test_hips_and_feet_stand_where_the_person_stands():
    joints, _ = fitted(KICKING * 3 + 100)
    assert joints[[8, 11], 1].mean() == pytest.approx(32) and joints[[10, 13], 0].max() == pytest.approx(110)


def test_no_bone_is_fitted_alone():
    """A forearm that points at the camera stays short."""
    pose = STANDING.copy()
    pose[4] = pose[3] + 1
    joints, _ = fitted(pose * 2)
    assert np.hypot(*(joints[4] - joints[3])) == pytest.approx(np.sqrt(2), abs=1e-3)


def test_a_missing_joint_stays_missing():
    joints, visible = fitted(STANDING, without("right wrist"))
    assert joints[4].tolist() == [-1, -1] and not visible[4] and visible.sum() == 17


@pytest.mark.parametrize(
    "missing",
    [
        ("right hip", "left hip"),
        ("right ankle", "left ankle"),
        ("right knee", "right ankle", "left knee", "left ankle"),
        tuple(name for name in NAMES if name.startswith("right")),
        ("neck",),
    ],
)
@pytest.mark.parametrize("of_person", [False, True])
def test_what_is_missing_is_told_by_the_rest(missing, of_person):
    seen = without(*missing)
    joints, visible = fitted(STANDING * 2, *((ALL, (STANDING, seen)) if of_person else (seen, (STANDING, ALL))))
    np.testing.assert_allclose(joints[visible], STANDING[visible], atol=6)
    assert np.ptp(joints[visible], axis=0) == pytest.approx(np.ptp(STANDING[visible], axis=0), rel=0.01)


def test_a_pose_without_legs_has_those_of_the_person():
    upper = without("right knee", "right ankle", "left knee", "left ankle")
    joints, visible = fitted(KICKING * 2 + 40, upper)
    assert visible.all()
    np.testing.assert_allclose(joints, STANDING, atol=1e-3)
    assert fitted(STANDING, upper, (STANDING, upper))[1].sum() == 14


def test_a_bust_has_hips_and_legs_of_the_person_below_its_own_shoulders():
    """As that of a picture which ends at the chest."""
    bust = without("right hip", "left hip", "right knee", "right ankle", "left knee", "left ankle")
    joints, visible = fitted(STANDING * 3 + (200, -50), bust)
    assert visible.all()
    np.testing.assert_allclose(joints, STANDING, atol=1e-3)
    waving = STANDING.copy()
    waving[[3, 4]] = (16, 20), (4, 16)
    joints, visible = fitted(waving * 3, bust)
    np.testing.assert_allclose(joints, waving, atol=1e-3)  # raised arms do not push the person down


@pytest.mark.parametrize("shown", [["nose"], ["nose", "right eye", "left eye", "right ear", "left ear"]])
def test_nothing_in_common(shown):
    with pytest.raises(InputError, match=r"^pose\.json: the pose shows too little of a body to be fitted"):
        fitted(STANDING, ~without(*shown))


def test_a_sequence_has_one_scale_and_one_shift():
    """Who crouches does not grow, who jumps leaves the floor."""
    crouching, jumping = STANDING.copy(), STANDING - (15, 0)
    crouching[:9] += (20, 0)
    crouching[8] -= (20, 0)
    crouching[1, 0] = 50  # a torso that is foreshortened
    frames = retarget([(joints * 2, ALL) for joints in (STANDING, STANDING, crouching, jumping)], (STANDING, ALL), "x")
    (first, _), _, (crouched, _), (jumped, _) = frames
    np.testing.assert_allclose(first, STANDING, atol=1e-4)
    np.testing.assert_allclose(jumped, STANDING - (15, 0), atol=1e-4)
    np.testing.assert_allclose(crouched, crouching, atol=1e-4)
    assert torso((crouched, ALL)) < torso((first, ALL))
