"""The layout of LIP, and the batches that are made of it."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfwarpgan.body.labels import COLORS
from tfwarpgan.data.batches import human_parser
from tfwarpgan.data.layouts import lip, opening
from tfwarpgan.data.records import preparation
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions


def write(root, doubled=True, lists_at_top=True, splits=(("train", 6), ("val", 3))):
    """A LIP folder of white people on black; the names of the second half begin with b."""
    for split, count in splits:
        names = [f"{'a' if k < count / 2 else 'b'}_{split}{k}" for k in range(count)]
        folders = []
        for archive, folder in (("TrainVal_images", "images"), ("TrainVal_parsing_annotations", "segmentations")):
            inner = root / archive / archive if doubled else root / archive
            folders.append(inner / f"{split}_{folder}")
            folders[-1].mkdir(parents=True)
        for k, name in enumerate(names):
            labels = np.zeros([40, 30], np.uint8)
            labels[10:30, 10:20] = k + 1
            Image.fromarray(np.where(labels[..., None] > 0, 255, 0).repeat(3, -1).astype(np.uint8)).save(
                folders[0] / f"{name}.jpg", quality=95
            )
            picture = Image.fromarray(labels, "L")
            if k % 2:  # in color
                picture.putpalette(COLORS.ravel().tolist())
                assert picture.mode == "P"
            picture.save(folders[1] / f"{name}.png")
        (root / ("" if lists_at_top else "TrainVal_images") / f"{split}_id.txt").write_text("\n".join(names) + "\n")
    return root


def options(root, **more):
    return DataOptions(lip_dir=str(root), height=32, width=32, batch_size=2, **more)


def lip_dataset(data, *split, **more):
    return human_parser.lip_dataset(opening.open_lip(data), data, *split, **more)


@pytest.mark.parametrize("doubled", [True, False])
@pytest.mark.parametrize("lists_at_top", [True, False])
def test_every_spelling_of_the_layout_is_found(tmp_path, doubled, lists_at_top):
    rows = lip.find_lip(str(write(tmp_path, doubled, lists_at_top)))
    assert [row[0] for row in rows["val"]] == ["a_val0", "a_val1", "b_val2"]
    assert len(rows["train"]) == 6
    picture, labels = human_parser.read_example(*rows["train"][1][1:])
    assert picture.shape == (40, 30, 3)
    assert np.unique(labels).tolist() == [0, 2]  # of a palette PNG: its indices


def test_each_fault_of_the_folder_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="--lip_dir is missing: .*lip.sysuhcp.com.*train_id.txt"):
        lip.find_lip("")
    with pytest.raises(InputError, match="nowhere is not a folder"):
        lip.find_lip(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="has no train_id.txt or TrainVal_images/train_id.txt"):
        lip.find_lip(str(tmp_path))
    write(tmp_path)
    (tmp_path / "val_id.txt").write_text("a_val0\n\nnobody\n")
    with pytest.raises(InputError, match=r"val_id.txt, row 3: .*nobody.jpg is missing"):
        lip.find_lip(str(tmp_path))
    (tmp_path / "val_id.txt").write_text("\n")
    with pytest.raises(InputError, match="val_id.txt is empty"):
        lip.find_lip(str(tmp_path))


def test_a_label_map_of_another_size_is_refused(tmp_path):
    rows = lip.find_lip(str(write(tmp_path)))["val"]
    Image.fromarray(np.zeros([8, 8], np.uint8)).save(rows[0][2])
    with pytest.raises(InputError, match="a_val0.png is 8 x 8"):
        human_parser.read_example(*rows[0][1:])
    with pytest.raises(tf.errors.InvalidArgumentError, match="a_val0.png is 8 x 8"):
        next(iter(lip_dataset(options(tmp_path), "val")))


def test_validation_is_one_pass_in_order_with_the_short_batch(tmp_path):
    batches = list(lip_dataset(options(write(tmp_path)), "val"))
    assert [batch["image"].shape for batch in batches] == [(2, 32, 32, 3), (1, 32, 32, 3)]
    assert [int(labels[16, 16]) for batch in batches for labels in batch["parsing"]] == [1, 2, 3]
    image, labels = batches[0]["image"].numpy(), batches[0]["parsing"].numpy()
    assert image.dtype == np.float32
    assert labels.dtype == np.uint8
    assert image[labels == 0].mean() < -0.8
    assert image[(labels > 0) & (labels < 255)].mean() > 0.8
    again = next(iter(lip_dataset(options(tmp_path), "test")))
    np.testing.assert_array_equal(again["image"], batches[0]["image"])


@pytest.fixture
def light(monkeypatch):
    """Augmentation that is quick: the fixed crop, its brightness drawn by the seed."""

    def augment(image, labels, height, width, seed):
        image, labels = human_parser.augmentation.place_person(image, labels, height, width)
        return image * tf.random.stateless_uniform([], seed), labels

    monkeypatch.setattr(human_parser.augmentation, "augment", augment)


def test_a_training_batch_is_augmented(tmp_path):
    first, second = lip_dataset(options(write(tmp_path, splits=(("train", 2), ("val", 1))))).take(2)
    for batch in (first, second):
        assert batch["image"].shape == (2, 32, 32, 3)
        assert batch["image"].dtype == tf.float32
        assert batch["parsing"].shape == (2, 32, 32)
        assert -1.0 <= float(tf.reduce_min(batch["image"])) < float(tf.reduce_max(batch["image"])) <= 1.0
    assert not np.array_equal(np.sort(first["image"], 0), np.sort(second["image"], 0))


def persons(dataset, batches):
    found = []
    for batch in dataset.take(batches):
        for labels in batch["parsing"].numpy():
            found.append(int(max(set(np.unique(labels)) - {0, 255})))
    return found


def test_training_sees_each_picture_once_an_epoch_and_never_ends(tmp_path, light):
    found = persons(lip_dataset(options(write(tmp_path))), 6)
    assert sorted(found[:6]) == sorted(found[6:]) == [1, 2, 3, 4, 5, 6]
    assert found[:6] != found[6:]


def test_a_resumed_stream_goes_on_where_it_was(tmp_path, light):
    data = options(write(tmp_path), seed=3)
    whole = list(lip_dataset(data).take(4))
    rest = list(lip_dataset(data, start=4).take(2))
    for want, got in zip(whole[2:], rest):
        np.testing.assert_array_equal(got["parsing"], want["parsing"])
        np.testing.assert_array_equal(got["image"], want["image"])
    assert not np.array_equal(whole[0]["image"], next(iter(lip_dataset(options(tmp_path, seed=4))))["image"])


def test_shares_balance_merged_sets(tmp_path, light):
    write(tmp_path)
    found = persons(lip_dataset(options(tmp_path, lip_shares="a:0.9,b:0.1")), 60)
    assert 0.8 < np.mean(np.array(found) <= 3) < 0.98
    assert set(persons(lip_dataset(options(tmp_path, lip_shares="b:1")), 6)) == {4, 5, 6}
    with pytest.raises(InputError, match="begins with 'c'"):
        lip_dataset(options(tmp_path, lip_shares="c:1"))
    for wrong in ("a", "a:x", ":1", "a:0", "a:-1"):
        with pytest.raises(InputError, match="--lip_shares"):
            options(tmp_path, lip_shares=wrong)
    with pytest.raises(InputError, match="not from --dataset=lip"):
        options(tmp_path, lip_shares="a:1", dataset="lip")


def test_prepared_pictures_give_the_same_batches(tmp_path):
    data = options(write(tmp_path), prepared_dir=str(tmp_path / "prepared"), dataset="lip")
    prepared = preparation.prepare(data)
    one, other = (
        {name: np.concatenate([batch[name] for batch in dataset.as_numpy_iterator()]) for name in ("image", "parsing")}
        for dataset in (lip_dataset(data, "val"), human_parser.prepared_parser_dataset(prepared, data, "val"))
    )
    order = [
        np.argsort(batches["parsing"].max(axis=(1, 2), where=batches["parsing"] < 255, initial=0))
        for batches in (one, other)
    ]
    np.testing.assert_array_equal(one["parsing"][order[0]], other["parsing"][order[1]])
    np.testing.assert_allclose(one["image"][order[0]], other["image"][order[1]], atol=2.1 / 127.5)


def test_a_label_map_rewritten_in_place_is_prepared_anew(tmp_path):
    data = options(write(tmp_path / "lip"), prepared_dir=str(tmp_path / "prepared"), dataset="lip")
    first = preparation.prepare(data)
    assert preparation.prepare(data).folder == first.folder
    Image.fromarray(np.full([40, 30], 7, np.uint8)).save(lip.find_lip(data.lip_dir)["val"][0][2])
    labels = [tf.io.decode_png(record["parsing"]) for record in preparation.prepare(data).records("val")]
    assert [bool(tf.reduce_all(label == 7)) for label in labels].count(True) == 1


def test_a_data_set_of_pairs_trains_it_too(market, tmp_path):
    """Each labeled image once an epoch, from the split that the pairs are from."""
    data = DataOptions(
        dataset="market1501", data_dir=str(market), prepared_dir=str(tmp_path), height=64, width=32, batch_size=1
    )  # fmt: skip
    prepared = preparation.prepare(data)
    count = {
        split: sum(1 for _ in human_parser.prepared_parser_dataset(prepared, data, split).take(100))
        for split in ("test", "train")
    }
    assert count == {"test": prepared.num_images["test"], "train": 100}
    record = next(prepared.records("test").as_numpy_iterator())
    first = next(iter(human_parser.prepared_parser_dataset(prepared, data, "test")))
    labels = set(np.unique(tf.io.decode_png(record["parsings"][0])))
    assert first["image"].shape == (1, 64, 32, 3) and set(np.unique(first["parsing"])) - {255} <= labels


def test_prepared_training_sees_each_picture_once_an_epoch_and_goes_on_where_it_was(tmp_path, light):
    data = options(write(tmp_path), prepared_dir=str(tmp_path / "prepared"), dataset="lip")
    prepared = preparation.prepare(data)
    whole = persons(human_parser.prepared_parser_dataset(prepared, data), 6)
    assert sorted(whole[:6]) == sorted(whole[6:]) == [1, 2, 3, 4, 5, 6] and whole[:6] != whole[6:]
    assert persons(human_parser.prepared_parser_dataset(prepared, data, start=4), 4) == whole[4:]
