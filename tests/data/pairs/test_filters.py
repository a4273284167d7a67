"""The filter of failed pictures: what goes, what goes with it, and the report of it."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body.joints import NAMES
from tfwarpgan.data.pairs import filters
from tfwarpgan.data.pairs.persons import Person
from tfwarpgan.data.records import preparation
from tfwarpgan.errors import InputError


@pytest.fixture
def persons(tmp_path):
    """One person: a whole picture, one of 3 joints, one without the left shoulder, one with little foreground."""
    visible = np.ones((4, 18), bool)
    visible[1, 3:] = False
    visible[2, NAMES.index("left shoulder")] = False
    labels = np.zeros((4, 10, 10), np.uint8)
    labels[:3, 2:] = 5  # 80 of 100 pixels
    labels[3, 9] = 5  # 10 of 100
    person = Person("p", pairs=[(0, 1), (0, 2), (2, 3), (3, 0), (2, 0)])
    for place in range(4):
        path = tmp_path / f"{place}.png"
        Image.fromarray(labels[place]).save(path)
        person.names.append(f"{place}.jpg")
        person.images.append(f"{place}.jpg")
        person.parsings.append(str(path))
        person.keypoints.append(np.zeros((18, 2), np.float32))
        person.visible.append(visible[place])
        person.rows.append(f"list.csv, row {place + 1} (line {place + 2})")
    return {"train": [person]}


@pytest.mark.parametrize(
    "changes, rule, names, pairs",
    [
        ({"min_joints": 4}, "min_joints", ["1.jpg"], [(0, 1), (1, 2), (2, 0), (1, 0)]),
        ({"required_joints": "neck, Left_Shoulder"}, "required_joints", ["1.jpg", "2.jpg"], [(1, 0)]),
        ({"min_foreground": 0.2}, "min_foreground", ["3.jpg"], [(0, 1), (0, 2), (2, 0)]),
    ],
)
def test_pictures_go_with_their_pairs(options, persons, changes, rule, names, pairs):
    left, removed = filters.filter_persons(persons, options(**changes))
    assert [picture.name for picture in removed] == names
    assert {picture.rule for picture in removed} == {rule}
    (person,) = left["train"]
    assert person.names == [f"{place}.jpg" for place in range(4) if f"{place}.jpg" not in names]
    assert person.pairs == pairs
    assert len(person.visible) == len(person.rows) == len(person.parsings) == 4 - len(names)


def test_no_filter_reads_nothing(options):
    assert filters.filter_persons({"train": "anything"}, options()) == ({"train": "anything"}, [])


def test_a_split_without_pairs_is_refused(options, persons):
    with pytest.raises(InputError, match="No pair of train is left by --min_joints=18"):
        filters.filter_persons(persons, options(min_joints=18, required_joints="left_shoulder", min_foreground=0.5))


def test_an_unknown_joint_is_refused_before_anything_is_read(options):
    with pytest.raises(InputError, match="no joint 'left thumb'"):
        preparation.check_layout(options(required_joints="left_thumb"))


def test_report(options, persons):
    _, removed = filters.filter_persons(persons, options(min_joints=4, min_foreground=0.2))
    assert filters.count_by_rule(removed) == {"min_joints": 1, "min_foreground": 1}
    assert filters.report(removed).splitlines() == [
        "split,name,rule,reason,annotation",
        'train,1.jpg,min_joints,3 of 18 joints,"list.csv, row 2 (line 3)"',
        'train,3.jpg,min_foreground,10.0 % of the parsing is foreground,"list.csv, row 4 (line 5)"',
    ]


def test_prepared_data_is_filtered_and_says_so(options):
    whole = preparation.prepare(options())
    prepared = preparation.prepare(options(min_joints=14))
    assert prepared.folder != whole.folder
    assert prepared.removed["min_joints"] == sum(whole.num_images.values()) - _images_of(whole, 14)
    with open(f"{prepared.folder}/{preparation.REMOVED_CSV}") as file:
        assert len(file.readlines()) == 1 + prepared.removed["min_joints"]
    for split in ("train", "test"):
        for record in prepared.records(split).as_numpy_iterator():
            assert record["visible"].sum(axis=1).min() >= 14
            assert record["pairs"].max() < len(record["names"])


def _images_of(prepared, joints):
    return sum(
        (record["visible"].sum(axis=1) >= joints).sum()
        for split in ("train", "test")
        for record in prepared.records(split).as_numpy_iterator()
    )
