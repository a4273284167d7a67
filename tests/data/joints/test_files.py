"""Files of joints in every format: hand-written ones, what a data set's names look like, and what is refused."""

import json

import numpy as np
import pytest

from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.data.joints import pose_gan, pose_json
from tfwarpgan.errors import InputError


def _json(tmp_path, content):
    path = tmp_path / "pose.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


@pytest.mark.parametrize("key", ["pose_keypoints", "pose_keypoints_2d"])
def test_openpose_18(tmp_path, key):
    numbers = [number for joint in range(18) for number in (joint, 100 + joint, 0.9)]
    numbers[6:9] = 0, 0, 0
    points, visible = pose_json.read_openpose_json(_json(tmp_path, {"people": [{key: numbers}]}))
    assert points[3].tolist() == [103, 3] and points[2].tolist() == [-1, -1]
    assert np.flatnonzero(~visible).tolist() == [2]


def test_openpose_25_leaves_out_the_middle_hip_and_the_feet(tmp_path):
    numbers = [number for joint in range(25) for number in (joint + 1, joint + 100, 0.9)]
    points, _ = pose_json.read_openpose_json(_json(tmp_path, {"people": [{"pose_keypoints_2d": numbers}]}))
    assert (points[:, 1] - 1).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]


@pytest.mark.parametrize(
    "content, words",
    [
        ({"people": []}, "no person"),
        ({"people": [{"pose_keypoints_2d": [0] * 51}]}, "51 pose numbers"),
        ({"people": [{}]}, "no person with joints"),
        ({"people": [{"pose_keypoints": ["a"] * 54}]}, "not a number"),
        ({"people": [{"pose_keypoints": [0] * 54}]}, "no person with joints"),
        ({"people": [3]}, "no person with joints"),
        ({"people": 3}, "no list 'people'"),
        ([], "no list 'people'"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("", "is empty"),
    ],
)
def test_broken_json_is_refused(tmp_path, content, words):
    with pytest.raises(InputError, match=words):
        pose_json.read_openpose_json(_json(tmp_path, content))


def test_bad_pose_files(bad_inputs):
    with pytest.raises(InputError, match="no person"):
        pose_json.read_openpose_json(str(bad_inputs / "pose/no_people.json"))
    points, visible = pose_json.read_openpose_json(str(bad_inputs / "pose/body_25.json"))
    control, _ = pose_gan.read_annotation_csv(str(bad_inputs / "good/annotation.csv"))["0001_c1s1_000001_01.jpg"]
    np.testing.assert_allclose(points[:8], control[:8])  # the joints that stand at the same places in both orders
    assert visible.sum() >= 10


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def _openpose(first=0, number=18):
    return {"people": [{"pose_keypoints_2d": [v for j in range(number) for v in (first + j + 1, j + 101, 0.9)]}]}


def test_a_folder_of_openpose_files_is_named_after_its_pictures(tmp_path):
    _write(tmp_path / "a.json", _openpose())
    _write(tmp_path / "sub/b_keypoints.json", _openpose(10, 25))
    _write(tmp_path / "c.json", {"people": []})
    found = joint_files.read(str(tmp_path), "openpose")
    assert sorted(found) == ["a", "c", "sub/b"]
    assert found["a"][0][4].tolist() == [105, 5] and found["sub/b"][0][8].tolist() == [110, 20]
    assert not found["c"][1].any() and found["c"][2].endswith("c.json")


def test_bad_files_of_a_folder_are_reported_together(tmp_path):
    _write(tmp_path / "a.json", "{")
    _write(tmp_path / "b.json", _openpose())
    _write(tmp_path / "b_keypoints.json", _openpose())
    _write(tmp_path / "c.json", {"people": [{"pose_keypoints": [1] * 51}]})
    errors = []
    assert list(joint_files.read(str(tmp_path), "openpose", on_error=errors.append)) == ["b"]
    said = [str(error) for error in errors]
    assert len(said) == 3 and "not JSON" in said[0] and "same image" in said[1] and "51 pose numbers" in said[2]
    with pytest.raises(InputError, match="a.json is not JSON"):
        joint_files.read(str(tmp_path), "openpose")


COCO = [(10 * joint + 5, 10 * joint + 6, 2) for joint in range(17)]  # x, y, v


def test_coco_annotations_take_the_person_with_most_joints(tmp_path):
    numbers = [value for joint in COCO for value in joint]
    numbers[3 * 9 : 3 * 9 + 3] = 0, 0, 0  # left wrist
    small = {"image_id": 7, "area": 5000, "keypoints": [1, 1, 2] * 15 + [0] * 6}
    nobody = {"image_id": 7, "area": 99, "keypoints": [0] * 51}
    content = {
        "images": [{"id": 7, "file_name": "a/x.jpg"}, {"id": 8, "file_name": "y.jpg"}],
        "annotations": [small, {"image_id": 7, "area": 9.5, "keypoints": numbers}, small, nobody],
    }
    found = joint_files.read(_write(tmp_path / "coco.json", content), "coco_17")
    points, visible, where = found["a/x.jpg"]
    assert where.endswith("coco.json, annotation 2")
    assert points[0].tolist() == [6, 5] and points[1].tolist() == [61, 60]  # nose; neck between joints 5 and 6
    assert points[2].tolist() == [66, 65] and points[5].tolist() == [56, 55] and not visible[7]
    assert not found["y.jpg"][1].any()


def test_coco_results_take_the_best_score_and_their_names_from_numbers_or_images(tmp_path):
    rows = [{"image_id": 7, "score": s, "keypoints": [k, k, 0.5] * 17} for k, s in ((1, 0.2), (2, 0.9), (3, 0.4))]
    path = _write(tmp_path / "results.json", rows)
    found = joint_files.read(path, "coco_17")
    assert list(found) == ["000000000007"] and found["000000000007"][0][0].tolist() == [2, 2]
    images = _write(tmp_path / "images.json", {"images": [{"id": 7, "file_name": "x.jpg"}]})
    assert list(joint_files.read(path, "coco_17", images=images)) == ["x.jpg"]
    named = _write(tmp_path / "named.json", [{**rows[0], "image_id": "x.jpg"}])
    assert list(joint_files.read(named, "coco_17")) == ["x.jpg"]
    assert not joint_files.read(path, "coco_17", min_score=0.5)["000000000007"][1].any()


LANDMARKS = [{"x": (joint + 1) / 40, "y": (joint + 1) / 50, "z": 0, "visibility": 0.9} for joint in range(33)]


@pytest.mark.parametrize("wrap", [
    lambda landmarks: landmarks, lambda landmarks: [landmarks], lambda landmarks: {"landmarks": [landmarks]},
    lambda landmarks: {"pose_landmarks": {"landmark": landmarks}}, lambda landmarks: {"poseLandmarks": landmarks},
    lambda landmarks: {"pose_landmarks": [{"landmark": landmarks}]},
])  # fmt: skip
def test_mediapipe_in_every_wrapping(tmp_path, wrap):
    _write(tmp_path / "a.json", wrap(LANDMARKS))
    one = _write(tmp_path / "one/all.json", {"b.jpg": wrap(LANDMARKS), "c.jpg": []})
    found = joint_files.read(str(tmp_path / "a.json"), "mediapipe_33") | joint_files.read(one, "mediapipe_33")
    for name in ("a", "b.jpg"):
        points, visible, _ = found[name]
        assert visible.all()
        np.testing.assert_allclose(points[4] + 0.5, [17 / 50, 17 / 40], rtol=1e-6)  # right wrist
    assert not found["c.jpg"][1].any()


def test_mediapipe_leaves_out_what_it_does_not_see(tmp_path):
    landmarks = [dict(LANDMARKS[j], visibility=0.5 if j == 16 else 0.51) for j in range(33)]
    path = _write(tmp_path / "a.json", landmarks)
    assert np.flatnonzero(~joint_files.read(path, "mediapipe_33")["a"][1]).tolist() == [4]
    assert joint_files.read(path, "mediapipe_33", min_score=0)["a"][1].all()


def test_nted_text_files(tmp_path):
    _write(tmp_path / "MEN/x.txt", "\n".join(f"{j + 0.5} {j + 100}" if j else "-1 -1" for j in range(18)))
    points, visible, _ = joint_files.read(str(tmp_path), "nted")["MEN/x"]
    assert points[3].tolist() == [103, 3.5] and np.flatnonzero(~visible).tolist() == [0]
    _write(tmp_path / "MEN/x.txt", "1 2\n" * 17)
    with pytest.raises(InputError, match="x.txt: expected 18 lines"):
        joint_files.read(str(tmp_path), "nted")


@pytest.mark.parametrize("missing, lost", [("format", [3]), ("-1", [3]), ("0", [5])])
def test_the_sign_of_a_missing_joint_is_declared(tmp_path, missing, lost):
    y = [9 if j not in (3, 5) else {3: -1, 5: 0}[j] for j in range(18)]
    path = _write(tmp_path / "a.csv", f"name:keypoints_y:keypoints_x\na.jpg: {y}: {y}\n")
    points, visible, where = joint_files.read(path, "pose_gan", missing=missing)["a.jpg"]
    assert np.flatnonzero(~visible).tolist() == lost and where.endswith("a.csv, row 1 (line 2)")
    assert (points[lost] == -1).all()


def test_minus_one_in_json(tmp_path):
    pose = _openpose()
    pose["people"][0]["pose_keypoints_2d"][6:9] = -1, -1, 0.3
    path = _write(tmp_path / "a.json", pose)
    assert joint_files.read(path, "openpose")["a"][1].all()
    assert np.flatnonzero(~joint_files.read(path, "openpose", missing="-1")["a"][1]).tolist() == [2]


@pytest.mark.parametrize("kind, content, words", [
    ("coco_17", [], "contains no annotations"),
    ("coco_17", {"annotations": [3]}, "annotation 1: it has no image_id"),
    ("coco_17", {"images": [{"id": 1}], "annotations": [1]}, "image 1: expected an id and a file_name"),
    ("coco_17", [{"image_id": 3, "keypoints": [1] * 50}], "result 1: 50 pose numbers; expected 51"),
    ("coco_17", [{"image_id": 3, "keypoints": [1e9] * 51}], "not a number of pixels"),
    ("coco_17", {"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 2}]}, "is not among its images"),
    ("mediapipe_33", {"a.jpg": [{"x": 1}] * 33}, "'a.jpg': the pose holds 'None'"),
    ("mediapipe_33", {"a.jpg": 3}, "no landmarks"),
    ("mediapipe_33", {}, "is empty"),
    ("pose_gan", "", "is empty"),
    ("openpose", {"people": [{"pose_keypoints": [float("nan")] * 54}]}, "'nan'"),
])  # fmt: skip
def test_what_is_no_such_file_is_refused(tmp_path, kind, content, words):
    with pytest.raises(InputError, match=words):
        joint_files.read(_write(tmp_path / "a.json", content), kind)


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="--keypoints=.*no is missing"):
        joint_files.read(str(tmp_path / "no"), "openpose")
    for kind in ("openpose", "nted", "mediapipe_33"):
        with pytest.raises(InputError, match="file; expected one per image"):
            joint_files.read(str(tmp_path), kind)
    with pytest.raises(InputError, match="is a folder"):
        joint_files.read(str(tmp_path), "pose_gan")
