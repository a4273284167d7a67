"""Prepared data: what a record holds, when it is made anew, and what stops it."""

import errno
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan.data.batches.joint_maps import pictures_of_joints
from tfwarpgan.data.batches.pairs import pairs_dataset
from tfwarpgan.data.doctor.examine import examine
from tfwarpgan.data.doctor.page import to_html
from tfwarpgan.data.joints import pose_gan
from tfwarpgan.data.joints.stature import STATURE_FILE, measure, read_stature
from tfwarpgan.data.layouts import opening
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.data.records import builders, copies, encoding, preparation
from tfwarpgan.errors import InputError
from tfwarpgan.options import Options, TrainOptions
from tfwarpgan.training.source import open_source

NAME = "0001_c1s1_000001_01.jpg"


def _records(prepared, split):
    return {record["id"].decode(): record for record in prepared.records(split).as_numpy_iterator()}


def test_counts(options):
    prepared = preparation.prepare(options())
    assert prepared.num_persons == {"train": 5, "test": 2}
    assert prepared.num_images == {"train": 14, "test": 5}
    assert prepared.num_pairs == {"train": 28, "test": 8}
    assert (prepared.height, prepared.width) == (64, 32)


def test_record_holds_the_files_of_a_person(options, market):
    record = _records(preparation.prepare(options()), "train")["0001"]
    assert record["names"][1].decode() == NAME
    assert record["images"][1] == (market / "bounding_box_train" / NAME).read_bytes()
    labels = tf.io.decode_png(record["parsings"][1])[..., 0]
    np.testing.assert_array_equal(labels, read_label_map(str(market / "parsing" / NAME.replace("jpg", "png"))))
    points, visible = pose_gan.read_annotation_csv(str(market / "market-annotation-train.csv"))[NAME]
    np.testing.assert_array_equal(record["keypoints"][1], points)
    np.testing.assert_array_equal(record["visible"][1], visible)
    assert record["pairs"].dtype == np.int32 and len(record["pairs"]) == 12 and len(record["images"]) == 4


def test_a_data_set_without_label_maps(options, market):
    shutil.rmtree(market / "parsing")
    prepared = preparation.prepare(options())
    assert prepared.num_pairs == {"train": 28, "test": 8} and not prepared.has_parsings
    assert "no label maps: only a --model that sees no parsings can be trained on it" in prepared.notes[0]
    batch = next(iter(pairs_dataset(prepared, options(batch_size=2, flip=True))))
    assert {key.partition("_")[2] for key in batch} == {"image", "keypoints", "visible"}
    report = examine(options(), workers=1, samples=2)
    assert not report.is_fatal and "no label maps" in report.text()
    titles = []
    to_html(report, lambda picture, joints, visible: titles.append(pictures_of_joints(picture, joints, visible)) or {})
    assert [*titles[0]] == ["mask", "body parts", "regions", "stickman", "part crops"]
    with pytest.raises(
        InputError, match="parsing is missing, and --model=warpgan .* learns from label maps: make them"
    ):
        open_source(Options(data=options(), train=TrainOptions(run_dir="run")))


def test_another_size_moves_everything(options, market):
    record = _records(preparation.prepare(options(height=32, width=64, picture_fit="stretch")), "train")["0001"]
    image = tf.io.decode_jpeg(record["images"][1]).numpy()
    assert image.shape == (32, 64, 3)
    original = read_rgb(str(market / "bounding_box_train" / NAME)).astype(float)
    np.testing.assert_allclose(image.mean((0, 1)), original.mean((0, 1)), atol=4)
    labels = read_label_map(str(market / "parsing" / NAME.replace("jpg", "png")))
    np.testing.assert_array_equal(tf.io.decode_png(record["parsings"][1])[..., 0], labels[1::2].repeat(2, axis=1))
    points, visible = pose_gan.read_annotation_csv(str(market / "market-annotation-train.csv"))[NAME]
    expected = (points[visible] + 0.5) * (0.5, 2.0) - 0.5
    np.testing.assert_allclose(record["keypoints"][1][visible], expected)


def test_prepared_once(options, monkeypatch):
    prepared = preparation.prepare(options())
    monkeypatch.setattr(builders, "write", lambda *_: pytest.fail("prepared again"))
    assert preparation.prepare(options()) == prepared


def test_sources_and_sizes_do_not_mix(options, market):
    folders = {preparation.prepare(options()).folder, preparation.prepare(options(height=32)).folder}
    folders.add(preparation.prepare(options(label_mapping=",".join(["5"] * 20))).folder)
    folders.add(preparation.prepare(options(picture_fit="stretch")).folder)
    folders.add(preparation.prepare(options(picture_crop="0,0,32,60")).folder)
    assert len(folders) == 5


def _touch(market, tmp_path):
    os.utime(market / "bounding_box_train" / NAME, (1, 1))
    return {}


def _list_in_another_spelling(market, tmp_path):
    path = market / "market-annotation-test.csv"
    path.write_text("\r\n".join(f'"{row}"' for row in path.read_text().splitlines()))
    return {}


def _moved(market, tmp_path):
    os.rename(market, tmp_path / "elsewhere")
    return {"data_dir": str(tmp_path / "elsewhere")}


@pytest.mark.parametrize("change", [
    _touch, _list_in_another_spelling, _moved, lambda market, tmp_path: {"split_seed": 5, "test_share": 0.5},
    lambda market, tmp_path: (market / "bounding_box_test/notes.txt").write_text("x") and {},
])  # fmt: skip
def test_what_changes_no_record_makes_no_new_copy(options, market, tmp_path, change, monkeypatch):
    first = preparation.prepare(options())
    data = options(**change(market, tmp_path))
    monkeypatch.setattr(builders, "write", lambda *_: pytest.fail("prepared again"))
    assert preparation.prepare(data) == first
    monkeypatch.setattr(preparation, "joined", lambda *_: pytest.fail("its files were read again"))
    assert preparation.prepare(data) == first


def test_copies_are_listed_and_removed(options, tmp_path):
    folder = tmp_path / "prepared"
    assert copies.list_copies(str(folder)) == [] == copies.remove_copies(str(folder))
    for height in (32, 64):
        preparation.prepare(options(height=height))
    (folder / "mine").mkdir()
    (copy,) = copies.list_copies(str(folder))
    assert copy.sizes == ("32x32", "64x32") and copy.size > 1000 and copy.folder.startswith(f"{folder}/market1501-")
    assert copies.remove_copies(str(folder)) == [copy]
    assert os.listdir(folder) == ["mine"]


def test_other_folders_beside_the_pictures_change_nothing(options, market):
    data = options(prepared_dir=str(market / "prepared"))
    first = preparation.prepare(data)
    (market / "run").mkdir()
    assert preparation.prepare(data).folder == first.folder


def test_changed_lists_and_parsings_are_prepared_anew(options, market):
    first = preparation.prepare(options())
    path = market / "market-pairs-train.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    second = preparation.prepare(options())
    assert second.num_pairs["train"] == first.num_pairs["train"] - 1
    # In place, which their folder's own time does not show.
    Image.fromarray(np.full((64, 32), 7, np.uint8)).save(market / "parsing" / NAME.replace("jpg", "png"))
    third = _records(preparation.prepare(options()), "train")["0001"]
    assert (tf.io.decode_png(third["parsings"][1]).numpy() == 7).all()


def test_any_file_rewritten_in_place_is_noticed(market, tmp_path):
    folders = [market / "bounding_box_train", market / "parsing"]

    def state():
        return [opening._stamps(folder) for folder in folders]

    first = state()
    assert state() == first
    path = folders[0] / NAME
    os.utime(path, (1, 1))  # by an older file of the same size
    assert state() != first and state()[1] == first[1]
    (folders[1] / "away.png").symlink_to(tmp_path / "nowhere")  # a link without its file is told by who needs it
    assert state()[1] != first[1]


def _truncate(market):
    path = market / "bounding_box_train" / NAME
    path.write_bytes(path.read_bytes()[:-200])


def _png_of(array):
    def write(market):
        Image.fromarray(np.asarray(array, np.uint8)).save(market / "parsing" / NAME.replace("jpg", "png"))

    return write


def _far_joint(market):
    path = market / "market-annotation-train.csv"
    rows = path.read_text().splitlines()
    rows[2] = pose_gan.annotation_row(NAME, np.full((18, 2), 50), np.ones(18, bool))
    path.write_text("\n".join(rows))


def _shared_person(market):
    for kind in ("annotation", "pairs"):
        train, test = market / f"market-{kind}-train.csv", market / f"market-{kind}-test.csv"
        test.write_text(test.read_text() + train.read_text().split("\n", 1)[1])


def _empty_split(market):
    (market / "market-pairs-test.csv").write_text("from,to\n")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (_truncate, f"{NAME} cannot be read"),
        (_png_of(np.zeros((32, 32))), "a label map must have the size of its image"),
        (_png_of(np.full((64, 32), 20)), "label 20"),
        (_far_joint, r"market-annotation-train.csv, row 2 \(line 3\): the joint at y=50, x=50 lies outside"),
        (_shared_person, "has pairs in both train and test"),
        (_empty_split, "market-pairs-test.csv has no rows below its header"),
    ],
)
def test_bad_data_stops_and_leaves_nothing(options, market, tmp_path, spoil, words):
    spoil(market)
    with pytest.raises(InputError, match=words):
        preparation.prepare(options())
    assert [path for path in (tmp_path / "prepared").rglob("*") if path.is_file()] == []


def disk_is_full(person, framing):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def divide_by_zero(person, framing):
    return 1 / 0


def test_full_disk_is_a_sentence_and_leaves_nothing(options, tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "person_record", disk_is_full)
    with pytest.raises(InputError, match="No space left on device.*--prepared_dir"):
        preparation.prepare(options())
    assert list((tmp_path / "prepared").iterdir()) == []


def test_prepared_dir_that_is_a_file(options, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        preparation.prepare(options(prepared_dir=str(tmp_path / "file")))


def test_other_errors_pass(options, monkeypatch):
    monkeypatch.setattr(encoding, "person_record", divide_by_zero)
    with pytest.raises(ZeroDivisionError):
        preparation.prepare(options())


@pytest.mark.parametrize("changes, words", [
    ({"data_dir": ""}, "needs --data_dir"), ({"dataset": "people"}, "takes no --data_dir"),
    ({"data_dir": "/nowhere/market"}, "/nowhere/market/bounding_box_train is missing"),
])  # fmt: skip
def test_where_the_data_is(options, changes, words):
    with pytest.raises(InputError, match=words):
        preparation.prepare(options(**changes))


def test_where_people_stand_lies_beside_the_records(options, market):
    prepared = preparation.prepare(options())
    written = read_stature(prepared.folder)
    poses = pose_gan.read_annotation_csv(str(market / "market-annotation-train.csv"))
    assert written is not None and written == measure(poses.values(), (64, 32))
    os.remove(os.path.join(prepared.folder, STATURE_FILE))  # of data that were prepared before there was one
    assert read_stature(preparation.prepare(options()).folder) == written
