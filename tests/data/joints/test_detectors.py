"""Results of mmpose and YOLO-pose, and what OpenPose's followers write."""

import json

import numpy as np
import pytest

from tfwarpgan.body.joints import BODY_25_TO_18
from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.data.joints import formats, frames
from tfwarpgan.errors import InputError

# A standing person, COCO's joints as (x, y).
COCO = [
    (32, 15), (34, 13), (30, 13), (36, 14), (28, 14), (42, 30), (22, 30), (46, 45), (18, 45), (48, 60), (16, 60),
    (38, 62), (26, 62), (39, 88), (25, 88), (40, 112), (24, 112),
]  # fmt: skip
NECK = (30, 32)  # (y, x), between the shoulders
WRIST = (60, 16)  # the right one


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def _instance(score=0.9, joints=COCO, **more):
    return {"keypoints": [list(joint) for joint in joints], "keypoint_scores": [score] * len(joints), **more}


def _check(found, name="a"):
    joints, visible, _ = found[name]
    assert visible.all() and joints[1].tolist() == list(NECK) and joints[4].tolist() == list(WRIST)


@pytest.mark.parametrize("content", [
    [_instance()], [[_instance()]], {"instance_info": [_instance()], "meta_info": {"keypoint_id2name": {"0": "nose"}}},
    {"instance_info": [{"frame_id": 1, "instances": [_instance()]}]}, {"predictions": [[_instance()]]},
    [{"keypoints": [[*joint, 0.9] for joint in COCO], "bbox": [0, 0, 9, 9, 1]}],
    [_instance(joints=COCO + [(1, 1)] * 116)],
    [_instance(0.5), _instance(), {"bbox": [[0, 0, 9, 9]], "bbox_score": 0.9}, _instance(0.2)],
])  # fmt: skip
def test_mmpose(tmp_path, content):
    _write(tmp_path / "one/results_a.json", content)
    _check(joint_files.read(str(tmp_path / "one"), "mmpose"))
    path = _write(tmp_path / "all.json", {"/data/x/b.jpg": content, "./c.jpg": []})
    found = joint_files.read(path, "mmpose")
    _check(found, "data/x/b.jpg")
    assert not found["c.jpg"][1].any()


@pytest.mark.parametrize("content, words", [
    ({"meta_info": {}}, "no instances"), ([_instance(joints=COCO[:14])], "14 joints; expected COCO's 17"),
    ({"meta_info": {"keypoint_id2name": {"0": "root"}}, "instance_info": [_instance()]}, "joint 0 is called 'root'"),
    ({"instance_info": [{"instances": []}, {"instances": []}]}, "2 frames; expected those of one image"),
])  # fmt: skip
def test_what_is_not_of_mmpose(tmp_path, content, words):
    with pytest.raises(InputError, match=words):
        joint_files.read(_write(tmp_path / "a.json", content), "mmpose")


def _line(joints=COCO, score=0.9, more="", shown=3):
    cells = [cell for x, y in joints for cell in ((x + 0.5) / 64, (y + 0.5) / 128, score)[:shown]]
    return " ".join(map(str, [0, 0.5, 0.5, 0.4, 0.9, *cells])) + more


@pytest.mark.parametrize("text", [_line(), _line(more=" 0.8 1"), _line(shown=2), _line(score=0.6) + "\n\n" + _line()])
def test_label_files_of_yolo(tmp_path, text):
    _write(tmp_path / "p/a.txt", text)
    found = joint_files.read(str(tmp_path), "yolo_pose")
    assert found.frames["p/a"] == (1, 1)
    joints, visible, _ = found["p/a"]
    placed = frames.scale(joints, visible, (1, 1), (128, 64))
    np.testing.assert_allclose(placed[[1, 4]], [NECK, WRIST], atol=1e-4)


def test_joints_that_yolo_did_not_find(tmp_path):
    cells = _line().split()
    cells[5:8], cells[10] = ["0", "0", "0.9"], "0.3"
    _write(tmp_path / "a.txt", " ".join(cells))
    assert np.flatnonzero(~joint_files.read(str(tmp_path), "yolo_pose")["a"][1]).tolist() == [0, 15]
    with pytest.raises(InputError, match="a.txt, line 1: 12 numbers; expected 56"):
        joint_files.read(_write(tmp_path / "a.txt", " ".join(["1"] * 12)), "yolo_pose")


def test_results_of_yolo_in_json(tmp_path):
    columns = {"x": [x for x, _ in COCO], "y": [y for _, y in COCO], "visible": [0.9] * 17}
    result = {"name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}}
    _write(tmp_path / "a.json", [result, {**result, "keypoints": columns}])
    _check(joint_files.read(str(tmp_path), "yolo_pose"))
    _check(joint_files.read(str(tmp_path / "a.json"), "yolo_pose"))


def _openpose(order=None):
    joints, _ = formats.COCO_17.to_18([[x, y, 1] for x, y in COCO])
    numbers = np.zeros((25 if order else 18, 3))
    if order == "25b":
        numbers[:17] = [[x, y, 1] for x, y in COCO]
    else:
        numbers[list(BODY_25_TO_18) if order else slice(None)] = np.column_stack([joints[:, ::-1], np.ones(18)])
    return {"people": [{"pose_keypoints_2d": numbers.ravel().tolist()}]}


@pytest.mark.parametrize("order", [None, "25", "25b"])
@pytest.mark.parametrize("wrap", [
    lambda pose: pose, lambda pose: [pose], lambda pose: pose["people"],
    lambda pose: {"people": [{"pose_keypoints_2d": None}, {"hand_left_keypoints_2d": [1] * 63}, *pose["people"]]},
    lambda pose: {"people": [{"pose_keypoints": np.reshape(pose["people"][0]["pose_keypoints_2d"], (-1, 3)).tolist()}]},
])  # fmt: skip
def test_openpose_as_others_write_it(tmp_path, order, wrap):
    _check(joint_files.read(_write(tmp_path / "a.json", wrap(_openpose(order))), "openpose"))


def test_the_order_of_25_joints_is_told_for_a_whole_folder(tmp_path):
    few = _openpose("25b")
    few["people"][0]["pose_keypoints_2d"][9:] = [0] * 66
    for name, pose in (("few", few), ("a", _openpose("25b"))):
        _write(tmp_path / f"{name}.json", pose)
    found = joint_files.read(str(tmp_path), "openpose")
    _check(found)
    assert np.flatnonzero(found["few"][1]).tolist() == [0, 14, 15]


def test_a_canvas_is_the_frame(tmp_path):
    found = joint_files.read(
        _write(tmp_path / "a.json", [{**_openpose(), "canvas_height": 256, "canvas_width": 128}]), "openpose"
    )
    assert found.frames == {"a": (256, 128)}


def test_mediapipe_without_visibility_and_as_rows_with_a_name(tmp_path):
    landmarks = [{"x": 0.5, "y": 0.5 + (k == 16), "z": 0} for k in range(33)]
    rows = [{"image": "C:\\data\\a.jpg", "landmarks": landmarks}, {"name": "b.jpg", "pose_landmarks": [landmarks]}]
    found = joint_files.read(_write(tmp_path / "mp.json", rows), "mediapipe_33")
    assert list(found) == ["data/a.jpg", "b.jpg"]
    for _, visible, _ in found.values():
        assert np.flatnonzero(~visible).tolist() == [4]
    lists = [[0.5, 0.5, 0.0, 0.9 if k else 0.1] for k in range(33)]
    visible = joint_files.read(_write(tmp_path / "l.json", {"a": lists}), "mediapipe_33")["a"][1]
    assert np.flatnonzero(~visible).tolist() == [0]


@pytest.mark.parametrize("name", ["/home/me/data/a/b.jpg", "C:\\Users\\me\\a\\b.jpg", "./a/b.jpg", "../data/a//b.jpg"])
def test_coco_names_are_looked_up_below_the_data(tmp_path, name):
    content = {"images": [{"id": 1, "file_name": name}], "annotations": [{"image_id": 1, "keypoints": [9] * 51}]}
    (found,) = joint_files.read(_write(tmp_path / "coco.json", content), "coco_17")
    assert found.endswith("a/b.jpg") and not found.startswith("/") and ".." not in found and "\\" not in found


def test_a_line_separator_inside_of_json(tmp_path):
    _write(tmp_path / "a.json", json.dumps({**_openpose(), "info": "a\u2028b"}, ensure_ascii=False))
    _check(joint_files.read(str(tmp_path), "openpose"))


def test_rows_of_bodies_with_the_name_of_their_image(tmp_path):
    rows = [{"image_path": "/d/a.jpg", **_instance(score)} for score in (0.4, 0.9)] + [
        {"image_path": "b.jpg", "bbox": []}
    ]
    found = joint_files.read(_write(tmp_path / "all.json", rows), "mmpose")
    _check(found, "d/a.jpg")
    assert not found["b.jpg"][1].any()
