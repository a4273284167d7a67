"""The data doctor: all problems at once, what it counts, its exit code, and that it writes nothing."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tfwarpgan import prepare
from tfwarpgan.body.joints import NAMES
from tfwarpgan.data.doctor import examine, facts, judge
from tfwarpgan.data.doctor.page import strip
from tfwarpgan.data.doctor.text import report_text
from tfwarpgan.data.joints import pose_gan
from tfwarpgan.data.records import preparation
from tfwarpgan.options import DataOptions, Options

FIRST, SECOND = "0001_c1s1_000000_01.jpg", "0001_c1s1_000001_01.jpg"


def _edit(path, change):
    lines = path.read_text().splitlines()
    change(lines)
    path.write_text("\n".join(lines) + "\n")


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_good_set(options, market, tmp_path):
    before = _files(tmp_path)
    report = examine.examine(options())
    assert not report.is_fatal
    assert _files(tmp_path) == before
    train, test = report.splits["train"], report.splits["test"]
    assert (train.persons, train.images, train.pairs) == (5, 14, 28)
    assert (test.persons, test.images, test.pairs) == (2, 5, 8)
    assert train.sizes == {(64, 32): 14}
    labels = [np.asarray(Image.open(path)) for path in (market / "parsing").iterdir()]
    np.testing.assert_array_equal(train.labels + test.labels, np.bincount(np.ravel(labels), minlength=20))
    np.testing.assert_array_equal(
        train.with_label + test.with_label, [sum(label in picture for picture in labels) for label in range(20)]
    )
    assert sum(train.joints.values()) == 14


@pytest.fixture
def spoiled(market):
    """The drawn set with one problem of each kind."""
    train = market / "bounding_box_train"
    (train / FIRST).write_bytes((train / FIRST).read_bytes()[:-200])
    Image.fromarray(np.full((64, 32), 33, np.uint8)).save(market / "parsing" / SECOND.replace("jpg", "png"))
    shutil.copy(train / "0002_c1s1_000000_01.jpg", market / "bounding_box_test/0004_c1s1_000000_01.jpg")

    def spoil_annotations(lines):
        lines[3] = lines[3].replace("[", "", 1)
        lines[5] = pose_gan.annotation_row("0002_c1s1_000000_01.jpg", np.full((18, 2), 50), np.ones(18, bool))

    _edit(market / "market-annotation-train.csv", spoil_annotations)
    _edit(market / "market-pairs-train.csv", lambda lines: lines.append("nobody.jpg,0002_c1s1_000000_01.jpg"))
    return market


def test_all_problems_at_once_with_file_and_row(options, spoiled):
    report = examine.examine(options())
    assert report.is_fatal
    text = report.text()
    for words in (
        "market-annotation-train.csv, row 3 (line 4): keypoints_y is not a list",
        "market-pairs-train.csv, row 29 (line 30): there is no image nobody.jpg",
        f"market-annotation-train.csv, row 1 (line 2): {spoiled}/bounding_box_train/{FIRST} cannot be read",
        f"market-annotation-train.csv, row 2 (line 3): {spoiled}/parsing/{SECOND.replace('jpg', 'png')} holds label 33",
        "market-annotation-train.csv, row 5 (line 6): the joint at y=50, x=50 lies outside",
        "0004_c1s1_000000_01.jpg has the pixels of 0002_c1s1_000000_01.jpg (train)",
    ):
        assert words in text, text
    assert "Errors: training would fail" in text and "Warnings: training would go on" in text


def test_the_command_says_by_its_exit_code(options, market, capsys, tmp_path):
    how = prepare.PrepareOptions(check=True)
    shutil.copy(market / "bounding_box_train" / FIRST, market / "bounding_box_train" / SECOND)
    prepare.main(Options(data=options()), how)  # a warning only
    assert "identical images in one split" in capsys.readouterr().out
    (market / "parsing" / FIRST.replace("jpg", "png")).unlink()
    with pytest.raises(SystemExit) as stopped:
        prepare.main(Options(data=options()), how)
    assert stopped.value.code == 1
    assert not (tmp_path / "prepared").exists()


def test_a_bad_picture_is_told_once_and_not_with_its_pairs(options, market):
    (market / "parsing" / FIRST.replace("jpg", "png")).unlink()
    (message,) = examine.examine(options()).errors["lists"]
    assert f"row 1 (line 2): there is no label map for {FIRST}" in message


def test_a_missing_folder_is_one_error(options):
    report = examine.examine(options(data_dir="/nowhere"))
    assert report.is_fatal and "/nowhere/bounding_box_train is missing" in report.text()


def test_a_person_in_both_splits_is_an_error(options, market):
    for kind in ("annotation", "pairs"):
        train, test = market / f"market-{kind}-train.csv", market / f"market-{kind}-test.csv"
        test.write_text(test.read_text() + train.read_text().split("\n", 1)[1])
    report = examine.examine(options())
    assert len(report.errors["persons in both splits"]) == 5
    assert len(report.warnings["identical images in both splits"]) == 14


def test_pictures_that_the_filter_leaves_out_are_counted_and_not_judged(options, spoiled):
    report = examine.examine(options(min_joints=18))
    left_out = sum(split.removed.total() for split in report.splits.values())
    assert left_out > 0 and not report.errors["images"]


def test_a_filter_that_leaves_no_pair_is_an_error(options):
    report = examine.examine(options(required_joints=",".join(NAMES)))
    assert report.splits["train"].pairs == 0
    assert "The filter leaves no pair of train" in report.text()


def test_pairs_that_the_filter_leaves(options):
    data = options(min_joints=14)
    report, prepared = examine.examine(data), preparation.prepare(data)
    for split in ("train", "test"):
        assert report.splits[split].pairs == prepared.num_pairs[split]


def test_the_pictures_of_the_human_parser(tmp_path):
    rows = {"train": ["a", "b", "a"], "val": ["c"]}
    folders = ("TrainVal_images/{}_images", "TrainVal_parsing_annotations/{}_segmentations")
    for split, names in rows.items():
        for folder in folders:
            (tmp_path / folder.format(split)).mkdir(parents=True)
        for number, name in enumerate(sorted(set(names))):
            drawn = Image.fromarray(np.full((40, 30, 3), 40 * number, np.uint8))
            drawn.save(tmp_path / folders[0].format(split) / f"{name}.jpg")
            Image.fromarray(np.full((40, 30), 5, np.uint8)).save(tmp_path / folders[1].format(split) / f"{name}.png")
        (tmp_path / f"{split}_id.txt").write_text("\n".join(names))
    report = examine.examine(DataOptions(dataset="lip", lip_dir=str(tmp_path)))
    assert report.errors["lists"] == ["train_id.txt names a 2 times; keep one of them."]
    assert report.splits["val"].images == 1 and report.splits["val"].labels[5] == 1200
    assert len(report.warnings["identical images in both splits"]) == 1  # c is a
    assert report.splits["train"].pairs is None and "pairs" not in report.text()


def test_exchanged_sides_are_warned_of(options, market, monkeypatch):
    monkeypatch.setattr(judge, "FEWEST_PEOPLE", 3)
    right, left = (NAMES.index(f"{side} shoulder") for side in ("right", "left"))
    elbow = NAMES.index("right elbow")
    for split in ("train", "test"):
        path = market / f"market-annotation-{split}.csv"
        rows = ["name:keypoints_y:keypoints_x"]
        for name in pose_gan.read_annotation_csv(str(path)):
            points, visible = np.full((18, 2), 16.0), np.zeros(18, bool)
            visible[[0, 14, 15, right, left, elbow]] = True
            points[right], points[left], points[elbow] = (30, 20), (30, 10), (50, 3)
            rows.append(pose_gan.annotation_row(name, points, visible))
            labels = np.full((64, 32), 13, np.uint8)
            labels[45:55] = 14
            Image.fromarray(labels).save(market / "parsing" / name.replace("jpg", "png"))
        path.write_text("\n".join(rows) + "\n")
    report = examine.examine(options())
    shoulders, limbs = report.warnings["left and right"]
    assert "Of 19 people seen from the front, 19 have their shoulders the wrong way round" in shoulders
    assert "Of 19 elbows" in limbs and "19 lie on a label of the other side" in limbs
    assert not report.is_fatal


@pytest.mark.parametrize("name, joints, label, expected", [
    ("fasionWOMENTopsid0000350408_1front.jpg", [], 0, "front"), ("x_front.jpg", [], 0, "back"),
    ("01_2_side.jpg", [0, 14, 15], 13, "side"), ("x.jpg", [0, 14, 15], 13, "front"),
    ("x.jpg", [0, 14, 15], 2, "back"), ("x.jpg", [0, 14], 13, "not told"), ("x.jpg", [1, 2], 13, "back"),
])  # fmt: skip
def test_view(name, joints, label, expected):
    visible = np.zeros(18, bool)
    visible[joints] = True
    assert facts.view(name, np.ones((18, 2)), visible, np.full((4, 4), label, np.uint8)) == expected


def test_alike_messages_are_one_group_and_no_row_is_lost():
    report = examine.Report("x")
    report.errors["lists"] = [f"/a/b.csv, row {row} (line {row + 1}): there is no {row}.jpg." for row in range(1, 31)]
    text = report_text(report)
    assert "lists: 30 x there is no ...." in text
    assert "/a/b.csv, row 20 (line 21)" in text and "and 10 more: /a/b.csv rows 21-30" in text
    assert "30 errors, 0 warnings." in text


def test_page_shows_samples_of_both_splits(options, spoiled, tmp_path):
    how = prepare.PrepareOptions(check=True, page=str(tmp_path / "page.html"))
    with pytest.raises(SystemExit):
        prepare.main(Options(data=options()), how)
    page = (tmp_path / "page.html").read_text()
    assert page.index("worst first") < page.index("train: 5 samples")
    worst = page[page.index("worst first") : page.index("train: 5 samples")]
    assert worst.count("<figure>") == worst.count("joints do not lie on the person</figcaption>") >= 5
    assert page.count("<figure>") - worst.count("<figure>") == 7  # one per person
    assert page.count("data:image/png") >= 5
    assert "train: 5 samples" in page and "test: 2 samples" in page and "left-arm" in page


def test_strip_shows_picture_joints_parsing_and_both(options):
    sample = examine.examine(options(), samples=1).samples[0]
    assert strip(sample).shape[1] == 4 * (128 + 4) + 4  # four cells of 256 x 128, with gaps
