"""The best of several bodies, in every reader that may find several."""

import json
import pickle

import numpy as np
import pytest

from tfwarpgan.data.joints import files, formats
from tfwarpgan.data.joints.bodies import Where, body, choose
from tfwarpgan.data.joints.pose_json import read_openpose_json


def numbers(count, joints=18, at=10.0, step=1.0, confidence=0.9):
    """x, y and confidence of each joint; the last ones are missing."""
    rows = [(at + step * joint, 2 * at + step * joint, confidence) for joint in range(count)]
    return [float(value) for row in [*rows, *[(0, 0, 0)] * (joints - count)] for value in row]


def first_x(pose):
    return float(pose[0][pose[1]][0, 1])


RANKED = [
    (numbers(18, at=1), numbers(17, confidence=1.0, step=9)),  # more joints before confidence and size
    (numbers(17, at=1, confidence=0.9), numbers(17, confidence=0.4, step=9)),  # confidence before size
    (numbers(17, at=1, step=3), numbers(17)),  # then size
]


@pytest.mark.parametrize("best, other", RANKED)
@pytest.mark.parametrize("swap", [False, True])
def test_openpose_takes_the_best(tmp_path, best, other, swap):
    people = [{"pose_keypoints_2d": one} for one in ((other, best) if swap else (best, other))]
    (tmp_path / "a_keypoints.json").write_text(json.dumps({"people": people}))
    joints, visible, where = files.read(str(tmp_path), "openpose")["a"]
    assert first_x((joints, visible)) == 1 and where.empty == 0
    assert first_x(read_openpose_json(str(tmp_path / "a_keypoints.json"))) == 1


EMPTY = [{}, {"pose_keypoints_2d": []}, {"pose_keypoints_2d": None}, None,
         {"hand_left_keypoints_2d": [1.0, 2.0, 0.9]}, {"pose_keypoints_2d": [0.0] * 54}]  # fmt: skip


@pytest.mark.parametrize("empty", EMPTY)
def test_openpose_skips_bodies_without_joints(tmp_path, empty):
    (tmp_path / "a.json").write_text(json.dumps({"people": [empty, {"pose_keypoints_2d": numbers(18)}, empty]}))
    (tmp_path / "b.json").write_text(json.dumps({"people": [empty]}))
    found = files.read(str(tmp_path), "openpose")
    assert found["a"][1].all() and found["a"][2].empty == 2
    assert not found["b"][1].any() and found["b"][2].empty == 1


def coco(path, *annotations):
    rows = [{"image_id": 1, **annotation} for annotation in annotations]
    content = {"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}], "annotations": rows}
    path.write_text(json.dumps(content))
    return files.read(str(path), "coco_17")


def test_coco_ranks_visible_joints_first_and_skips_boxes(tmp_path):
    person = {"keypoints": numbers(17, 17, confidence=2), "area": 50}
    crowd = {"keypoints": numbers(1, 17, at=30, confidence=2), "area": 9000}
    found = coco(tmp_path / "coco.json", {"bbox": [0, 0, 9, 9]}, crowd, person, {"keypoints": [0] * 51, "area": 1e5})
    assert found["a.jpg"][1].all() and first_x(found["a.jpg"]) == 10
    assert found["a.jpg"][2] == f"{tmp_path}/coco.json, annotation 3" and found["a.jpg"][2].empty == 2
    assert not found["b.jpg"][1].any()


def test_coco_takes_the_score_then_the_area(tmp_path):
    rows = [{"keypoints": numbers(17, 17, at=at), "score": score, "area": area}
            for at, score, area in ((10, 0.5, 900), (20, 0.9, 10), (30, 0.9, 20))]  # fmt: skip
    assert first_x(coco(tmp_path / "coco.json", *rows)["a.jpg"]) == 30


def test_mediapipe_takes_the_best_of_several_poses(tmp_path):
    def pose(visibility, count=33):
        return [{"x": 0.1 + joint / 99, "y": 0.2 + joint / 50, "visibility": visibility} for joint in range(count)]

    poses = {"pose_landmarks": [[], pose(0.6), {"landmark": pose(0.9)}, pose(0.3)]}
    (tmp_path / "mp.json").write_text(json.dumps({"a.jpg": poses, "b.jpg": pose(0.9)}))
    found = files.read(str(tmp_path / "mp.json"), "mediapipe_33")
    joints, visible, where = found["a.jpg"]
    assert visible.all() and where.empty == 2 and where.rivals == 0
    np.testing.assert_allclose(joints, found["b.jpg"][0])


def test_others_near_as_good_are_counted():
    form = formats.OPENPOSE_18
    best = body(form, numbers(18))
    near, weak, small = (
        body(form, numbers(16)),
        body(form, numbers(18, confidence=0.3)),
        body(form, numbers(18, step=0.1)),
    )
    assert choose([weak, small, best, None], "x")[2].rivals == 0
    assert choose([near, best, near], "x")[2].rivals == 2


def test_a_place_travels_between_processes():
    where = pickle.loads(pickle.dumps(Where("a.json", 2, 1)))
    assert where == "a.json" and (where.empty, where.rivals) == (2, 1)
