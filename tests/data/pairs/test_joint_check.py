"""Sets whose joints do not lie on the persons are refused, and single images by flag; self-pairs too."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.doctor import examine
from tfwarpgan.data.joints.pose_gan import annotation_row, read_annotation_csv
from tfwarpgan.data.layouts.opening import open_layout
from tfwarpgan.data.pairs import filters, joint_check
from tfwarpgan.data.pairs.persons import read_persons
from tfwarpgan.errors import InputError

SPLITS = ("train", "test")


@pytest.fixture
def clothed(market):
    """The drawn set, with a person in the middle of each label map, and all joints on it."""
    random = np.random.default_rng(2)
    for path in (market / "parsing").iterdir():
        labels = np.zeros((64, 32), np.uint8)
        labels[8:56, 12:20] = 5
        Image.fromarray(labels).save(path)
    for split in SPLITS:
        _move(market, split, lambda joints: random.integers((10, 14), (54, 18), (18, 2)))
    return market


def _move(market, split, change):
    path = market / f"market-annotation-{split}.csv"
    rows = [
        annotation_row(name, change(joints), visible) for name, (joints, visible) in read_annotation_csv(path).items()
    ]
    path.write_text("\n".join(["name:keypoints_y:keypoints_x", *rows]) + "\n")


def _check(data, most=0.3):
    layout = open_layout(data)
    persons = {split: read_persons(layout, split) for split in SPLITS}
    joint_check.check_joints(persons, layout.joints_source, most, workers=1)
    return persons


def test_joints_on_the_person_pass(options, clothed):
    _check(options())
    assert not examine.examine(options(), workers=1).is_fatal


def test_a_split_with_wrong_joints_is_refused_with_the_cause(options, clothed):
    _move(clothed, "test", lambda joints: joints / 2)
    with pytest.raises(InputError, match=r"market-annotation-test\.csv \(test\): \d+ % of .* 2 times smaller"):
        _check(options())
    _check(options(), most=1)
    report = examine.examine(options(), workers=1, samples=8)
    assert report.is_fatal and "2 times smaller" in report.errors["joints that do not lie on the person"][0]
    assert not examine.examine(options(max_stray_joints=1.0), workers=1).is_fatal
    shares = [sample.note for sample in report.samples if sample.note]
    assert len(shares) == 4 and report.samples[0].split == "test" and "joints do not lie on the person" in shares[0]


def test_a_single_image_goes_by_flag(options, clothed):
    rows = (clothed / "market-annotation-train.csv").read_text().splitlines()
    name = rows[1].split(":")[0]
    rows[1] = annotation_row(name, np.full((18, 2), 2), np.ones(18, bool))
    (clothed / "market-annotation-train.csv").write_text("\n".join(rows) + "\n")
    data = options(max_stray_joints_image=0.5)
    persons, removed = filters.filter_persons(_check(data), data, workers=1)
    assert [(each.name, each.rule) for each in removed] == [(name, "max_stray_joints_image")]
    assert removed[0].reason == "18 of 18 joints lie on background"
    report = examine.examine(options(), workers=1)
    assert not report.is_fatal and len(report.warnings["joints that do not lie on the person"]) == 1
    assert f"{clothed}/market-annotation-train.csv, row 1" in report.warnings["joints that do not lie on the person"][0]


@pytest.mark.parametrize("change, count", [({}, 0), ({"self_pairs": "keep"}, 1)])
def test_a_pair_of_an_image_with_itself_is_refused_unless_asked_for(options, market, change, count):
    lines = (market / "market-pairs-train.csv").read_text().splitlines()
    name = lines[1].split(",")[0]
    (market / "market-pairs-train.csv").write_text("\n".join([*lines, f"{name},{name}"]) + "\n")
    errors = []
    persons = read_persons(open_layout(options(**change)), "train", on_error=errors.append)
    assert sum(pair[0] == pair[1] for person in persons for pair in person.pairs) == count
    assert len(errors) == 1 - count
    if errors:
        assert f"row {len(lines)} " in str(errors[0]) and f"{name} is paired with itself" in str(errors[0])
        assert "--self_pairs=keep" in str(errors[0])
