"""PCKh, AKD and MKR by hand, DS and identity from files."""

import numpy as np
import pytest

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.metrics import pose
from tfwarpgan.evaluation.metrics.catalog import chosen_metrics
from tfwarpgan.evaluation.metrics.metric import Pairs
from tfwarpgan.options import MetricOptions

EMPTY = np.zeros((1, 16, 16, 3), np.uint8)


@pytest.fixture
def detected(joints):
    """The worked prediction: every joint moved by a formula, joint 7 missing, joint 13 found though it is not there."""
    places, visible = joints
    i = np.arange(18)
    moved = places + np.stack([(5 * i) % 7 - 3, (3 * i) % 5 - 2], axis=1)
    found = visible.copy()
    found[7], found[13] = False, True
    return moved, found


def batch(*poses):
    return [(places[None], visible[None]) for places, visible in poses]


def test_the_worked_pose(joints, detected):
    """15 of 16 joints; the head is 12 high and 7 wide."""
    places, visible = joints
    head = places[[joint for joint in pose.HEAD if visible[joint]]]
    np.testing.assert_array_equal(np.ptp(head, axis=0), [12, 7])
    right, counted = pose.pckh(*batch(joints, detected))
    assert (right[0], counted[0]) == (15, 16)
    lost, there = pose.missing(*batch(joints, detected))
    assert (lost[0], there[0]) == (1, 16)


def test_half_the_head_is_not_near_enough_in_either_direction():
    places, visible = np.zeros((18, 2)), np.zeros(18, bool)
    places[:3], visible[:3] = [[0, 0], [10, 4], [30, 30]], True
    for move, right in (((4.9, 1.9), 1), ((5, 0), 0), ((0, 2), 0)):
        moved = places.copy()
        moved[2] += move
        assert pose.pckh(*batch((places, visible), (moved, visible)))[0][0] == 2 + right


def test_a_target_without_two_joints_of_the_head_counts_nowhere():
    places, visible = np.zeros((18, 2)), np.zeros(18, bool)
    visible[[0, 2, 3]] = True
    assert [part[0] for part in pose.pckh(*batch((places, visible), (places, visible)))] == [0, 0]


def test_ratios_are_over_all_joints_and_the_ceiling_stands_beside(joints, detected):
    (metric,) = chosen_metrics(["pckh/patn"])
    accumulator = metric.start(MetricOptions(detector="movenet-thunder"))
    target, found = batch(joints, detected)
    few = np.zeros((1, 18), bool)
    few[0, :2] = True
    for seen in (joints[1][None], few):
        poses = {"target": (target[0], seen), "detected": found, "detected_target": target}
        accumulator.update(Pairs([("", "")], EMPTY, EMPTY, poses=poses))
    score = accumulator.result()
    right = pose.pckh((target[0], few), found)[0][0]
    assert score.value == (15 + right) / 18 and score.count == 18
    np.testing.assert_array_equal(score.pairs, [15 / 16, right / 2])
    # Nose and neck stand above each other: a head without width, in which nothing is near enough.
    assert score.beside["targets"] == 16 / 18 and score.weights == "detector movenet-thunder"


def test_average_distance_by_hand():
    places, visible = np.zeros((18, 2)), np.zeros(18, bool)
    visible[:3] = True
    moved, found = places.copy(), visible.copy()
    moved[0], moved[1], found[2] = (3, 4), (0, 2), False
    total, count = pose.distances(*batch((places, visible), (moved, found)))
    assert (total[0], count[0]) == (7, 2)


def score_of(id, options, names, pictures):
    (metric,) = chosen_metrics([id])
    accumulator = metric.start(options)
    empty = np.zeros((len(names), 16, 16, 3), np.uint8)
    accumulator.update(Pairs(names, empty, empty, pictures=pictures))
    return accumulator.result()


def test_detection_score_takes_the_largest_and_zero_where_there_is_none(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("name,score\na.png,0.25\na.png,0.75\nsub\\b.jpg,0.5\n")
    options = MetricOptions(detection_scores=str(path))
    score = score_of("ds/csv", options, [("", "")] * 3, ["a", "sub/b", "c"])
    np.testing.assert_array_equal(score.pairs, [0.75, 0.5, 0])
    assert score.value == pytest.approx(1.25 / 3) and score.weights.startswith("scores.csv sha256:")
    path.write_text("name,score\na.png,2\n")
    with pytest.raises(InputError, match=r"row 1 .*: the score '2' must be a number from 0 to 1"):
        score_of("ds/csv", options, [], [])
    with pytest.raises(InputError, match="ds/csv needs --detection_scores"):
        score_of("ds/csv", MetricOptions(), [], [])


def test_identity_is_the_cosine_to_the_condition(tmp_path):
    path = str(tmp_path / "features.npz")
    np.savez(path, **{"c.png": [2.0, 0.0], "t": [1.0, 1.0], "c_2_t": [3.0, 4.0]})
    options = MetricOptions(identity_features=path)
    score = score_of("identity/cosine", options, [("c", "t")], ["c_2_t"])
    assert score.value == pytest.approx(0.6) and score.beside["targets"] == pytest.approx(0.5**0.5)
    with pytest.raises(InputError, match="has no vector of x"):
        score_of("identity/cosine", options, [("c", "t")], ["x"])
    with pytest.raises(InputError, match="has no vector of the condition picture, whose name is needed"):
        score_of("identity/cosine", options, [("", "t")], ["c_2_t"])
    np.savez(path, a=[1.0, 0.0], b=[1.0])
    with pytest.raises(InputError, match="must hold vectors of one size"):
        score_of("identity/cosine", options, [], [])
