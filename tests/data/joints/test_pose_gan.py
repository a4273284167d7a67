"""Joints: the order, mirroring, frames, and the files that hold them."""

import numpy as np
import pytest

from tfwarpgan.data.joints import pose_gan
from tfwarpgan.errors import InputError

HEADER = "name:keypoints_y:keypoints_x"
ROW = f"a.jpg: {list(range(18))}: {list(range(20, 38))}"


def _csv(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "annotation.csv"
    path.write_bytes(text.encode(encoding))
    return str(path)


def test_csv_gives_y_then_x_and_missing_joints(tmp_path):
    y, x = list(range(18)), list(range(20, 38))
    y[2] = x[2] = -1
    x[5] = -1
    result = pose_gan.read_annotation_csv(_csv(tmp_path, f"{HEADER}\na.jpg: {y}: {x}\n"))
    points, visible = result["a.jpg"]
    assert points.dtype == np.float32 and visible.dtype == bool
    assert points[1].tolist() == [1, 21] and points[2].tolist() == points[5].tolist() == [-1, -1]
    assert np.flatnonzero(~visible).tolist() == [2, 5]


def test_annotation_row_is_read_again(tmp_path):
    points = np.random.default_rng(0).integers(0, 60, (18, 2))
    visible = np.arange(18) % 3 > 0
    path = _csv(tmp_path, f"{HEADER}\n{pose_gan.annotation_row('b.jpg', points, visible)}\n")
    read, read_visible = pose_gan.read_annotation_csv(path)["b.jpg"]
    np.testing.assert_array_equal(read_visible, visible)
    np.testing.assert_array_equal(read[visible], points[visible])


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER}\n{ROW}\n\n{ROW}\n",
        f" keypoints_x : name : keypoints_y\n{list(range(20, 38))}: a.jpg: {list(range(18))}",
        f"{HEADER}\n{ROW.replace('1,', '1.0,')}",
    ],
)
def test_accepted_variants(tmp_path, text):
    result = pose_gan.read_annotation_csv(_csv(tmp_path, text))
    assert list(result) == ["a.jpg"] and result["a.jpg"][0][3].tolist() == [3, 23]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (HEADER, "no rows"),
        ("name:keypoints_y\n", "no columns name and keypoints_y and keypoints_x"),
        (f"{HEADER}\n{ROW}\nb.jpg: [1]", r"row 2 \(line 3\): 2 columns"),
        (f"{HEADER}\n{ROW.replace('[0, ', '[')}", r"row 1 \(line 2\): keypoints_y has 17 joints"),
        (f"{HEADER}\n{ROW.replace('37]', '37, 1]')}", "keypoints_x has 19 joints"),
        (f"{HEADER}\na.jpg: []: []", "has 0 joints"),
        (f"{HEADER}\n{ROW.replace(' 7,', ' seven,')}", "'seven'"),
        (f"{HEADER}\n{ROW.replace(' 7,', ' nan,')}", "'nan'"),
        (f"{HEADER}\n{ROW.replace(' 7,', ' 1e300,')}", "1e300"),
        (f"{HEADER}\n{ROW.replace('[0', '(0')}", "square brackets"),
        (f"{HEADER}\n{ROW.replace('a.jpg', ' ')}", "image name is empty"),
        (f"{HEADER}\n{ROW}\n{ROW.replace(' 7,', ' 8,')}", r"row 2 \(line 3\): a.jpg has different joints in row 1"),
    ],
)
def test_broken_csv_is_refused_with_its_row(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as raised:
        pose_gan.read_annotation_csv(_csv(tmp_path, text))
    assert "annotation.csv" in str(raised.value)


def test_missing_and_binary_csv_are_refused(tmp_path):
    with pytest.raises(InputError, match="is missing"):
        pose_gan.read_annotation_csv(str(tmp_path / "no.csv"))
    with pytest.raises(InputError, match="not UTF-8"):
        pose_gan.read_annotation_csv(_csv(tmp_path, f"{HEADER}\nä", encoding="latin-1"))


@pytest.mark.parametrize("name, words", [
    ("missing_column", "no column"), ("joints_17", "17 joints"),
    ("duplicate_rows", "different joints"), ("empty", "is empty"),
])  # fmt: skip
def test_bad_csv_files(bad_inputs, name, words):
    with pytest.raises(InputError, match=words):
        pose_gan.read_annotation_csv(str(bad_inputs / "keypoints" / f"{name}.csv"))


def test_tricky_csv_files(bad_inputs):
    control = pose_gan.read_annotation_csv(str(bad_inputs / "good/annotation.csv"))
    tricky = pose_gan.read_annotation_csv(str(bad_inputs / "keypoints/bom_crlf.csv"))
    assert list(control) == list(tricky) and len(control) == 4
    nobody = pose_gan.read_annotation_csv(str(bad_inputs / "keypoints/all_missing.csv"))
    assert [visible.any() for _, visible in nobody.values()] == [True, False]
