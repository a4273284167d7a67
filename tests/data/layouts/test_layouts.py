"""Data sets as they come: flattened copies, official lists, own folders, joints of any format, crops, splits."""

import json
import pathlib
import re

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.joints.pose_gan import annotation_row
from tfwarpgan.data.layouts import deepfashion, folder, market1501
from tfwarpgan.data.pairs import splits
from tfwarpgan.data.pairs.persons import check_disjoint, read_persons
from tfwarpgan.data.pairs.splits import SPLITS
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.records import preparation
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions

ANNOTATIONS = pathlib.Path(__file__).resolve().parents[3] / "../shared/data/annotations"
HEADER = "name:keypoints_y:keypoints_x"


def _picture(path, height=64, width=32, value=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = (
        np.arange(width, dtype=np.uint8)[None, :].repeat(height, 0)
        if value is None
        else np.full((height, width), value)
    )
    image = Image.fromarray(columns.astype(np.uint8))
    (image if path.suffix == ".png" else image.convert("RGB")).save(path)


def _openpose(path, x=10):
    numbers = [value for joint in range(18) for value in (x + joint / 4, 20 + joint, 0.9)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"people": [{"pose_keypoints_2d": numbers}]}))


@pytest.fixture
def people(tmp_path):
    """Six persons of two to three pictures in folders, with label maps and OpenPose files."""
    for person in "abcdef":
        for k in range(2 + (person == "a")):
            _picture(tmp_path / f"people/{person}/{person}{k}.jpg")
            _picture(tmp_path / f"labels/{person}/{person}{k}.png", value=5)
            _openpose(tmp_path / f"poses/{person}/{person}{k}_keypoints.json")
    return tmp_path


def _folder_options(people, **changes):
    values = {
        "dataset": "folder", "data_dir": str(people / "people"), "parsing_dir": str(people / "labels"),
        "keypoints": str(people / "poses"), "keypoint_format": "openpose", "test_share": 0.34,
        "prepared_dir": str(people / "prepared"), "height": 64, "width": 32,
    }  # fmt: skip
    return DataOptions(**(values | changes))


def _layout(data, cls=folder.Layout):
    return cls(data.data_dir, data.parsing_dir, data)


def test_an_own_folder_is_prepared_by_one_call(people):
    data = _folder_options(people)
    prepared = preparation.prepare(data)
    assert prepared.num_persons == {"train": 4, "test": 2}
    assert sum(prepared.num_pairs.values()) == 5 * 2 + 6
    names = [name.decode() for record in prepared.records("train").as_numpy_iterator() for name in record["names"]]
    assert all((people / "people" / name).exists() for name in names)
    assert preparation.prepare(_folder_options(people, split_seed=1)).folder != prepared.folder
    _openpose(people / "poses/a/a0_keypoints.json", x=11.25)
    assert preparation.prepare(data).folder != prepared.folder


@pytest.mark.parametrize("place", ["poses/{0}{1}.json", "poses/{0}/{0}{1}.json"])
def test_joints_are_found_by_path_or_file_name(people, place):
    import shutil

    shutil.rmtree(people / "poses")
    for picture in (people / "people").glob("*/*.jpg"):
        _openpose(people / place.format(picture.stem[0], picture.stem[1]))
    layout = _layout(_folder_options(people))
    found = layout.joints("train") | layout.joints("test")
    assert sorted(found) == sorted(str(p.relative_to(people / "people")) for p in (people / "people").glob("*/*.jpg"))


def test_coco_for_a_folder(people):
    pictures = sorted((people / "people").glob("*/*.jpg"))
    images = [{"id": k, "file_name": str(p.relative_to(people / "people"))} for k, p in enumerate(pictures)]
    rows = [{"image_id": k, "area": 1, "keypoints": [9, 9, 2] * 17} for k in range(len(pictures))]
    (people / "coco.json").write_text(json.dumps({"images": images, "annotations": rows}))
    data = _folder_options(people, keypoints=str(people / "coco.json"), keypoint_format="coco_17")
    assert sum(preparation.prepare(data).num_pairs.values()) == 16


@pytest.mark.parametrize("change, words", [
    ({"keypoints": "", "keypoint_format": "pose_gan"}, "--dataset=folder needs --keypoints"),
    ({"keypoints": "no"}, "--keypoints=no is missing"),
    ({"label_mapping": "x"}, "--label_mapping=x must be one of"),
    ({"parsing_dir": "nowhere"}, "nowhere is missing: there must be one label map"),
    ({"parsing_dir": "", "min_foreground": 0.1}, "parsing is missing: .* which --min_foreground"),
    ({"picture_crop": "0,0,33,64"}, "too small for --picture_crop"),
])  # fmt: skip
def test_what_is_missing_is_said(people, change, words):
    with pytest.raises(InputError, match=words):
        preparation.prepare(_folder_options(people, **change))


def test_a_folder_without_persons(people):
    _picture(people / "people/stray.jpg")
    with pytest.raises(InputError, match="stray.jpg is not in a person's folder"):
        _layout(_folder_options(people))


def test_joints_of_other_pictures(people):
    _openpose(people / "others/z9.json")
    with pytest.raises(InputError, match="none of its 1 names is an image in .*'z9'"):
        _layout(_folder_options(people, keypoints=str(people / "others"))).joints("train")


def test_two_spellings_of_one_picture_are_refused(people):
    rows = [annotation_row(name, np.full((18, 2), 5), np.ones(18, bool)) for name in ("a/a0.jpg", "a0.jpg", "b0.jpg")]
    (people / "joints.csv").write_text("\n".join([HEADER, *rows]))
    layout = _layout(_folder_options(people, keypoints=str(people / "joints.csv"), keypoint_format="pose_gan"))
    layout.joints("train", on_error=(errors := []).append)
    layout.joints("test", on_error=errors.append)
    assert len(errors) == 1 and "a0.jpg is the same image as a/a0.jpg" in str(errors[0])


def test_persons_are_assigned_by_the_seed():
    persons = {f"p{k}" for k in range(40)}
    assigned = splits.assign_persons(persons, 0.25, 0)
    assert (
        len(assigned["test"]) == 10
        and not assigned["test"] & assigned["train"]
        and assigned["test"] | assigned["train"] == persons
    )
    assert assigned == splits.assign_persons(sorted(persons), 0.25, 0) and assigned != splits.assign_persons(
        persons, 0.25, 1
    )
    assert [len(splits.assign_persons(persons, share, 0)["test"]) for share in (0, 0.999, 1)] == [1, 39, 40]
    with pytest.raises(InputError, match="1 persons cannot be split"):
        splits.assign_persons({"a"}, 0.5, 0)


def test_market_by_the_rule_with_json_joints(market):
    for path in market.glob("bounding_box_*/*.jpg"):
        _openpose(market / "poses" / f"{path.stem}.json")
    for csv in market.glob("*.csv"):
        csv.unlink()
    data = DataOptions(
        dataset="market1501", data_dir=str(market), keypoints=str(market / "poses"), keypoint_format="openpose",
        pair_source="rule", max_test_pairs=5, prepared_dir=str(market / "prepared"), height=64, width=32,
    )  # fmt: skip
    prepared = preparation.prepare(data)
    assert prepared.num_pairs == {"train": 28, "test": 5} and prepared.num_persons["train"] == 5
    names = {name.decode() for record in prepared.records("train").as_numpy_iterator() for name in record["names"]}
    assert "0001_c1s1_000000_01.jpg" in names and len(names) == 14


def test_a_row_without_a_picture_is_refused_by_the_rule_too(market):
    (market / "bounding_box_test/0004_c1s1_000001_01.jpg").unlink()
    layout = market1501.Layout(str(market), data_options=DataOptions(pair_source="rule"))
    with pytest.raises(InputError, match=r"annotation-test.csv, row 2 .*: there is no image 0004_c1s1_000001"):
        read_persons(layout, "test")


def test_market_by_lists_with_json_joints(market):
    for path in market.glob("bounding_box_*/*.jpg"):
        _openpose(market / "poses" / f"{path.stem}.json")
    data = DataOptions(keypoints=str(market / "poses"), keypoint_format="openpose")
    persons = {split: read_persons(market1501.Layout(str(market), data_options=data), split) for split in SPLITS}
    assert [sum(len(person.pairs) for person in persons[split]) for split in SPLITS] == [28, 8]


OUTFITS = {"MEN/Tees_Tanks/id_00000001": ("01", "02"), "WOMEN/Dresses/id_00000002": ("01",),
           "WOMEN/Skirts/id_00000003": ("07",)}  # fmt: skip
VIEWS = ("1_front", "2_side")


def _fashion_names():
    return [f"{item}/{number}_{view}" for item, numbers in OUTFITS.items() for number in numbers for view in VIEWS]


def _flat(name, prefix, underscores):
    sex, category, item, view = name.split("/")
    number, *rest = view.split("_")
    category = category if underscores else category.replace("_", "")
    return f"{prefix}{sex}{category}{item.replace('_', '')}{number}_{''.join(rest)}"


@pytest.mark.parametrize("prefix, underscores", [("fasion", False), ("fashion", True)])
@pytest.mark.parametrize("place", ["img/{0}", "img/{1}", "flat/{1}"])
def test_deepfashion_folders_and_flattened_copies(tmp_path, prefix, underscores, place):
    for k, name in enumerate(_fashion_names()):
        flat = _flat(name, "fashion", True)
        split = "train" if k < 6 else "test"
        _picture(tmp_path / (place.replace("flat", split).format(name, flat) + ".jpg"))
        _picture(tmp_path / f"parsing/{_flat(name, 'fasion', False)}.png", value=3)
    rows = [annotation_row(f"{_flat(n, prefix, underscores)}.jpg", np.full((18, 2), 9), np.ones(18, bool))
            for n in _fashion_names()]  # fmt: skip
    (tmp_path / "joints.csv").write_text("\n".join([HEADER, *rows]))
    if "flat" not in place:
        for split, names in (("train", _fashion_names()[:6]), ("test", _fashion_names()[6:])):
            lines = [f"{_flat(name, 'fashion', True)}.jpg" for name in names]
            (tmp_path / f"{split}.lst").write_text("\n".join(lines) + "\n")
    data = DataOptions(keypoints=str(tmp_path / "joints.csv"), pair_source="rule")
    layout = deepfashion.Layout(str(tmp_path), data_options=data)
    persons = {split: read_persons(layout, split) for split in SPLITS}
    check_disjoint(persons)
    assert [person.name for person in persons["train"]] == [
        "MEN-TeesTanks-00000001-01", "MEN-TeesTanks-00000001-02", "WOMEN-Dresses-00000002-01",
    ]  # fmt: skip
    assert [person.name for person in persons["test"]] == ["WOMEN-Skirts-00000003-07"]
    assert all(len(person.pairs) == 2 and person.label_maps[0] for person in persons["train"])


def test_a_list_that_names_no_picture(tmp_path):
    for name in _fashion_names():
        _picture(tmp_path / f"img/{name}.jpg")
        _openpose(tmp_path / f"poses/{name}.json")
    (tmp_path / "parsing").mkdir()
    data = DataOptions(keypoints=str(tmp_path / "poses"), keypoint_format="openpose", pair_source="rule")
    (tmp_path / "train.lst").write_text(
        "fashionMENTees_Tanksid0000000101_1front.jpg\nfashionMENxid0000000901_1front.jpg"
    )
    with pytest.raises(InputError, match="one of train.lst and test.lst"):
        deepfashion.Layout(str(tmp_path), data_options=data).joints("train")
    (tmp_path / "test.lst").write_text("fashionMENTees_Tanksid0000000102_1front.jpg")
    with pytest.raises(InputError, match="train.lst, line 2: there is no image fashionMENxid"):
        deepfashion.Layout(str(tmp_path), data_options=data).joints("train")
    layout = deepfashion.Layout(str(tmp_path), data_options=data)
    assert len(layout.joints("train", on_error=(errors := []).append)) == 1 and len(errors) == 1


def test_two_women_in_one_item_are_no_pair(tmp_path):
    for name in _fashion_names():
        _picture(tmp_path / f"img/{name}.jpg")
        _picture(tmp_path / f"parsing/{name}.png", value=1)
    names = [f"{_flat(name, 'fasion', False)}.jpg" for name in _fashion_names()]
    rows = [annotation_row(name, np.full((18, 2), 9), np.ones(18, bool)) for name in names]
    for split in SPLITS:
        (tmp_path / f"fasion-resize-annotation-{split}.csv").write_text("\n".join([HEADER, *rows]))
        (tmp_path / f"fasion-resize-pairs-{split}.csv").write_text(f"from,to\n{names[0]},{names[2]}")
    with pytest.raises(InputError, match="show two persons"):
        read_persons(deepfashion.Layout(str(tmp_path)), "train")


def test_the_crop_of_deepfashion_takes_picture_labels_and_joints_along(tmp_path):
    """Columns 40 to 216 of 256 x 256, from files whose pixels are their columns."""
    for name in _fashion_names():
        _picture(tmp_path / f"img/{name}.png", 256, 256)
        Image.fromarray((np.arange(256)[None] // 13).repeat(256, 0).astype(np.uint8)).save(
            tmp_path.joinpath("labels.png")
        )
        (tmp_path / f"parsing/{name}").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"parsing/{name}.png").write_bytes((tmp_path / "labels.png").read_bytes())
        _openpose(tmp_path / f"poses/{name}.json", x=39.5)
    data = DataOptions(
        dataset="deepfashion", data_dir=str(tmp_path), keypoints=str(tmp_path / "poses"), keypoint_format="openpose",
        pair_source="rule", picture_crop="40,0,176,256", height=256, width=176, prepared_dir=str(tmp_path / "prepared"),
    )  # fmt: skip
    import tensorflow as tf

    record = next(preparation.prepare(data).records("train").as_numpy_iterator())
    image = tf.io.decode_jpeg(record["images"][0]).numpy()
    assert image.shape == (256, 176, 3)
    np.testing.assert_allclose(image[100, :, 0], np.arange(40, 216), atol=2)
    labels = tf.io.decode_png(record["parsings"][0])[..., 0].numpy()
    np.testing.assert_array_equal(labels[7], np.arange(40, 216) // 13)
    np.testing.assert_array_equal(record["keypoints"][0][2], [22, 0])
    assert record["visible"][0].all() and record["keypoints"][0][0].tolist() == [20, -0.5]


def test_real_lists_name_outfits():
    if not ANNOTATIONS.is_dir():
        pytest.skip(f"{ANNOTATIONS} is not there")
    lines = [line.split(":")[0] for line in (ANNOTATIONS / "fasion-annotation-test.csv").read_text().splitlines()[1:]]
    lines += (ANNOTATIONS / "train.lst").read_text().split()
    person = deepfashion.Layout.person
    persons = [person(None, name) for name in lines]
    assert all(name.split("-")[0] in ("MEN", "WOMEN") and len(name.split("-")[2]) == 8 for name in persons)
    for line in (ANNOTATIONS / "fasion-pairs-test.csv").read_text().splitlines()[1:]:
        condition, target = line.split(",")
        assert person(None, condition) == person(None, target)


def test_a_picture_with_a_crop_is_read_so_everywhere(tmp_path):
    from tfwarpgan.data.pictures.files import ImageFile
    from tfwarpgan.data.pictures.framing import Framing
    from tfwarpgan.data.pictures.images import check_image, framed_jpeg, image_size

    _picture(tmp_path / "a.png", 64, 64)
    file = ImageFile(str(tmp_path / "a.png"), (8, 4, 32, 48))
    assert check_image(file) == image_size(file) == (48, 32)
    np.testing.assert_array_equal(read_rgb(file), read_rgb(str(file))[4:52, 8:40])
    jpeg, size = framed_jpeg(file, Framing(48, 32))
    assert size == (48, 32) and len(jpeg) > 100


def _annotate(people, spell):
    """An annotation CSV instead of the OpenPose files, with names spelled by a function."""
    names = sorted(str(path.relative_to(people / "people")) for path in (people / "people").glob("*/*.jpg"))
    rows = [annotation_row(spell(name), np.full((18, 2), 9), np.ones(18, bool)) for name in names]
    (people / "people/annotation.csv").write_text("\n".join([HEADER, *rows]))
    return _folder_options(people, keypoints="", keypoint_format="pose_gan")


@pytest.mark.parametrize("spell", [
    lambda name: f"./{name}", lambda name: name.replace("/", "\\"), lambda name: f"data//people/{name}",
    lambda name: name.removesuffix(".jpg"), lambda name: name.split("/")[1],
])  # fmt: skip
def test_names_in_every_spelling(people, spell):
    layout = _layout(_annotate(people, spell))
    found = [read_persons(layout, split) for split in SPLITS]
    assert sum(len(person.names) for persons in found for person in persons) == 13


@pytest.mark.parametrize(
    "spell", [lambda name: f"/data/{name}", lambda name: f"../people/{name}", lambda name: f"C:\\{name}"]
)
def test_names_that_leave_the_folder(people, spell):
    with pytest.raises(InputError, match=r"row 1 .* leaves the folder of the images, .*people"):
        read_persons(_layout(_annotate(people, spell)), "train")


def test_composed_and_decomposed_letters_are_one_name(people):
    (people / "people/a").rename(people / "people/Jose\u0301")
    (people / "labels/a").rename(people / "labels/Jos\u00e9")
    data = _annotate(people, lambda name: name.replace("e\u0301", "\u00e9"))
    assert sum(preparation.prepare(data).num_images.values()) == 13


def test_a_bare_name_of_several_images_and_a_missing_one_of_another_person(people):
    data = _annotate(people, lambda name: name)
    (people / "people/a/b0.jpg").write_bytes((people / "people/a/a0.jpg").read_bytes())
    csv = people / "people/annotation.csv"
    csv.write_text(csv.read_text().replace("a/a0.jpg", "b0.jpg"))
    with pytest.raises(InputError, match="b0.jpg is the name of 2 images, a/b0 and b/b0 among them; write the folder"):
        read_persons(_layout(data), "train")
    assert _layout(data).image("b/a1.jpg") is None  # though person a has an image of that name


@pytest.mark.parametrize("place, suffix, words", [
    ("people/b/b0.jpg", ".gif", r"there is no image b/b0.jpg; .*b/b0.gif is there, but an image must be JPEG"),
    ("labels/b/b0.png", ".npy", r"no label map for b/b0.jpg; .*b/b0.npy is there, but a label map must be PNG"),
    ("labels/b/b0.png", ".jpg", r"b/b0.jpg is there, but a label map must be PNG"),
    ("labels/b/b0.png", "", r"there is no label map for b/b0.jpg; add the file or remove the row"),
])  # fmt: skip
def test_the_file_that_is_there_instead_is_named(people, place, suffix, words):
    data = _annotate(people, lambda name: name)
    (people / place).rename((people / place).with_suffix(suffix) if suffix else people / "gone")
    layout = _layout(data)
    errors = []
    for split in SPLITS:
        read_persons(layout, split, on_error=errors.append)
    (message,) = set(map(str, errors))
    assert re.search(words, message)


def test_links_that_leave_the_folder_are_followed_if_asked(people):
    (people / "people/a").rename(people / "elsewhere")
    (people / "people/a").symlink_to(people / "elsewhere")
    (people / "people/b/again").symlink_to(people / "people/b")  # without an end
    with pytest.raises(InputError, match="people/a is a link to a place outside of .*, or set --follow_links"):
        _layout(_folder_options(people))
    assert sum(preparation.prepare(_folder_options(people, follow_links=True)).num_images.values()) == 13
    (people / "people/c/c0.jpg").unlink()
    (people / "people/c/c0.jpg").symlink_to(people / "nowhere")
    with pytest.raises(InputError, match="c0.jpg is a link to .*nowhere, which is missing; fetch it"):
        _layout(_folder_options(people, follow_links=True))


def test_shares_are_not_taken_for_pixels(people):
    for path in (people / "poses").glob("*/*.json"):
        numbers = [value for joint in range(18) for value in ((joint + 1) / 40, (joint + 2) / 40, 0.9)]
        path.write_text(json.dumps({"people": [{"pose_keypoints_2d": numbers}]}))
    with pytest.raises(InputError, match="set --keypoint_scale=3"):
        _layout(_folder_options(people)).joints("train")
    layout = _layout(_folder_options(people, keypoint_scale=3))
    joints, _, _ = (layout.joints("train") | layout.joints("test"))["a/a0.jpg"]
    np.testing.assert_allclose(joints[0], (2 / 40 * 63, 1 / 40 * 31), rtol=1e-5)


def test_no_joint_above_the_score(people):
    with pytest.raises(InputError, match=r"no joint of its 13 images counts as visible: .*--keypoint_score"):
        _layout(_folder_options(people, keypoint_score=0.95)).joints("train")


def test_deepfashion_in_small_letters(tmp_path):
    for name in ("01_1_front", "01_2_side"):
        _picture(tmp_path / f"img/women/tees_tanks/id_00000001/{name}.jpg")
        _picture(tmp_path / f"parsing/WOMEN/Tees_Tanks/id_00000001/{name}.PNG".replace(".PNG", ".png"), value=5)
    layout = deepfashion.Layout(str(tmp_path), data_options=DataOptions(pair_source="rule", keypoints=str(tmp_path)))
    assert layout.image("fasionWOMENTeesTanksid0000000101_1front.jpg") and layout.label_map(
        "/home/me/documents/img/women/tees_tanks/id_00000001/01_2_side.jpg"[1:]
    )
