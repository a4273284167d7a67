"""Images and joints that are not used are counted and named, by `prepare` and the data doctor."""

import json

import numpy as np
from PIL import Image

from tfwarpgan.data.doctor import examine
from tfwarpgan.data.layouts.opening import open_layout
from tfwarpgan.data.pairs import coverage
from tfwarpgan.options import DataOptions


def _openpose(path, *bodies):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"people": list(bodies)}))


def person(seed, confidence=0.9):
    points = np.random.default_rng(seed).uniform((1, 1), (31, 63), (18, 2))
    return {"pose_keypoints_2d": [float(value) for x, y in points for value in (x, y, confidence)]}


def test_what_is_not_used_is_counted_and_named(tmp_path):
    for name in ("anna/1", "anna/2", "anna/3", "anna/4", "ben/1", "ben/2"):
        for folder, suffix, mode in (("people", "jpg", "RGB"), ("labels", "png", "L")):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            drawn = np.random.default_rng(len(name)).integers(1, 20, (64, 32, 3) if mode == "RGB" else (64, 32))
            Image.fromarray(drawn.astype(np.uint8)).save(tmp_path / folder / f"{name}.{suffix}")
    poses = tmp_path / "poses"
    _openpose(poses / "anna/1_keypoints.json", {"hand_left_keypoints_2d": [1.0]}, person(1))
    _openpose(poses / "anna/2_keypoints.json", person(2), person(3))
    _openpose(poses / "anna/3_keypoints.json")
    for name in ("ben/1", "ben/2", "zoe/9"):
        _openpose(poses / f"{name}_keypoints.json", person(4))
    data = DataOptions(
        dataset="folder", data_dir=str(tmp_path / "people"), parsing_dir=str(tmp_path / "labels"), test_share=0.5,
        keypoints=str(poses), keypoint_format="openpose", height=64, width=32,
    )  # fmt: skip
    expected = [
        "1 image without a row of joints left out: anna/4.jpg",
        "1 row of joints without an image left out: zoe/9",
        "1 image on which nobody was found left out: anna/3.jpg",
        "1 image with bodies without joints, which were skipped: anna/1.jpg",
    ]
    assert coverage.notes(open_layout(data)) == expected
    report = examine.examine(data, workers=1)
    assert report.warnings["images and joints that are not used"] == expected and not report.is_fatal
    (rival,) = report.warnings["other people near as good"]
    assert "anna/2_keypoints.json: anna/2.jpg has 1 other body near as good" in rival


def test_many_names_are_cut():
    assert coverage._some(9, [f"{number}.jpg" for number in range(5)]) == "0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 4 more"
