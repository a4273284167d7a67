"""Pairs, and the persons that annotations, pictures and pairs make up, in both layouts."""

import os

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.joints.pose_gan import annotation_row
from tfwarpgan.data.layouts import deepfashion, market1501
from tfwarpgan.data.layouts.layout import Layout
from tfwarpgan.data.pairs.lists import read_pairs
from tfwarpgan.data.pairs.persons import Person, check_disjoint, read_persons
from tfwarpgan.errors import InputError

A, B, C = (f"0001_c1s1_{frame:06d}_01.jpg" for frame in range(3))
OTHER = "0002_c1s1_000000_01.jpg"


def _csv(tmp_path, text):
    path = tmp_path / "pairs.csv"
    path.write_bytes(text.encode())
    return str(path)


@pytest.mark.parametrize(
    "text", ["from,to\na,b\nb,a\n", "\ufefffrom,to\r\na,b\r\n\r\nb,a", "to,from\nb,a\na,b\n", "x,to,from\n,b, a\n,a,b"]
)
def test_pairs_are_read_by_the_header(tmp_path, text):
    assert [names for _, *names in read_pairs(_csv(tmp_path, text))] == [["a", "b"], ["b", "a"]]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "is empty"),
        ("from,to\n", "has no rows below its header; expected pairs"),
        ("a,b\nb,a", "no columns from and to"),
        ("from,to\na,b\na", r"row 2 \(line 3\): 1 columns, separated by ','; expected from,to"),
        ("from,to\n,b", r"row 1 \(line 2\): expected two names"),
    ],
)
def test_broken_pairs_are_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_pairs(_csv(tmp_path, text))


def test_persons_of_market(market):
    persons = read_persons(market1501.Layout(str(market)), "train")
    assert [(person.name, len(person.names), len(person.pairs)) for person in persons] == [
        ("0001", 4, 12), ("0002", 3, 6), ("0003", 2, 2), ("0007", 3, 6), ("0010", 2, 2),
    ]  # fmt: skip
    first = persons[0]
    assert first.names[:3] == [A, B, C] and first.pairs[:2] == [(0, 1), (0, 2)]
    assert first.images[1] == str(market / "bounding_box_train" / B)
    assert first.label_maps[1] == str(market / "parsing" / B.replace("jpg", "png"))
    assert first.joints[0].shape == (18, 2) and first.visible[0].shape == (18,)


def _write_pairs(market, *rows, split="train"):
    (market / f"market-pairs-{split}.csv").write_text("\n".join(["from,to", *rows]))


@pytest.mark.parametrize(
    "row, words",
    [
        (f"{A},{OTHER}", "show two persons"),
        (f"{A},9999_c1s1_000001_01.jpg", "there is no image 9999_c1s1_000001_01.jpg"),
        (f"{A},../market-pairs-test.csv", "leaves the folder of the images"),
    ],
)
def test_wrong_pairs_are_refused_with_their_row(market, row, words):
    _write_pairs(market, f"{A},{B}", row)
    with pytest.raises(InputError, match=words) as raised:
        read_persons(market1501.Layout(str(market)), "train")
    assert "market-pairs-train.csv, row 2 (line 3)" in str(raised.value)


def _edit_annotation(market, name, row):
    path = market / "market-annotation-train.csv"
    lines = [row if line.startswith(name) else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(line for line in lines if line))


def test_pair_of_a_picture_without_annotation(market):
    _edit_annotation(market, B, "")
    with pytest.raises(InputError, match=f"{B} has no row in .*market-annotation-train.csv"):
        read_persons(market1501.Layout(str(market)), "train")


def test_pair_of_a_picture_without_joints(market):
    _edit_annotation(market, B, annotation_row(B, np.zeros((18, 2)), np.zeros(18, bool)))
    with pytest.raises(InputError, match=f"{B} has no joints"):
        read_persons(market1501.Layout(str(market)), "train")


def test_annotation_without_picture(market):
    os.remove(market / "bounding_box_train" / B)
    with pytest.raises(InputError, match=rf"annotation-train.csv, row 2 \(line 3\): there is no image {B}"):
        read_persons(market1501.Layout(str(market)), "train")


def test_annotation_without_parsing(market):
    os.remove(market / "parsing" / B.replace("jpg", "png"))
    with pytest.raises(InputError, match=f"there is no label map for {B}"):
        read_persons(market1501.Layout(str(market)), "train")


@pytest.mark.parametrize("person", ["0000", "-1"])
def test_distractors_and_junk_are_left_out(market, person):
    name = f"{person}_c1s1_000000_01.jpg"
    (market / "bounding_box_train" / name).write_bytes((market / "bounding_box_train" / A).read_bytes())
    with open(market / "market-annotation-train.csv", "a") as file:
        file.write(annotation_row(name, np.zeros((18, 2)), np.ones(18, bool)))
    assert person not in [p.name for p in read_persons(market1501.Layout(str(market)), "train")]
    _write_pairs(market, f"{A},{name}")
    with pytest.raises(InputError, match="junk or a distractor"):
        read_persons(market1501.Layout(str(market)), "train")


def test_splits_must_not_share_a_person():
    one, other = Person("1", names=["a"], pairs=[(0, 0)]), Person("2", names=["b"], pairs=[(0, 0)])
    check_disjoint({"train": [one], "test": [other]})
    with pytest.raises(InputError, match="Person 1 has pairs in both train and test"):
        check_disjoint({"train": [one], "test": [other, one]})


@pytest.mark.parametrize("missing", ["bounding_box_train", "market-pairs-test.csv"])
def test_missing_market_says_what_to_get(market, missing):
    os.rename(market / missing, market / "elsewhere")
    with pytest.raises(InputError, match=f"{missing} is missing: ") as raised:
        market1501.Layout(str(market))
    assert "market-annotation-train.csv" in str(raised.value) and str(raised.value).count(". ") == 0


def test_label_maps_may_be_missing_but_not_those_that_are_named(market):
    os.rename(market / "parsing", market / "elsewhere")
    layout = market1501.Layout(str(market))
    assert not layout.has_label_maps and all(not person.label_maps for person in read_persons(layout, "train"))
    with pytest.raises(InputError, match="nowhere is missing: ") as raised:
        market1501.Layout(str(market), str(market / "nowhere"))
    assert "annotate" in str(raised.value) and str(raised.value).count(". ") == 0


def test_parsings_elsewhere(market, tmp_path):
    os.rename(market / "parsing", tmp_path / "labels")
    layout = market1501.Layout(str(market), str(tmp_path / "labels"))
    assert layout.label_map(A) == str(tmp_path / "labels" / A.replace("jpg", "png"))


@pytest.mark.parametrize(
    "name",
    [
        "fasionWOMENTeesTanksid0000350408_3back.jpg",
        "fasionWOMENTees_Tanksid0000350408_3back.jpg",
        "fashionWOMENTees_Tanksid0000350408_3back.jpg",
        "WOMEN/Tees_Tanks/id_00003504/08_3_back.jpg",
    ],
)
def test_all_spellings_of_a_deepfashion_name(tmp_path, name):
    assert deepfashion.flat_key(name) == "WOMENTeesTanksid00003504083back"
    assert _fashion(tmp_path).person(name) == "WOMEN-TeesTanks-00003504-08"


FRONT, BACK = "08_1_front", "08_3_back"


def _fashion(tmp_path, prefix="fasion"):
    for kind, image in (("img", np.zeros((32, 32, 3))), ("parsing", np.zeros((32, 32)))):
        folder = tmp_path / kind / "WOMEN/Tees_Tanks/id_00003504"
        folder.mkdir(parents=True, exist_ok=True)
        for name in (FRONT, BACK):
            suffix = "jpg" if kind == "img" else "png"
            Image.fromarray(image.astype(np.uint8)).save(folder / f"{name}.{suffix}")
    names = [f"{prefix}WOMENTeesTanksid00003504{name}.jpg" for name in ("08_1front", "08_3back")]
    rows = [annotation_row(name, np.ones((18, 2)), np.ones(18, bool)) for name in names]
    for split in ("train", "test"):
        (tmp_path / f"{prefix}-annotation-{split}.csv").write_text("\n".join(["name:keypoints_y:keypoints_x", *rows]))
        (tmp_path / f"{prefix}-resize-pairs-{split}.csv").write_text(f"from,to\n{names[1]},{names[0]}")
    return deepfashion.Layout(str(tmp_path))


@pytest.mark.parametrize("prefix", ["fasion", "fashion"])
def test_persons_of_deepfashion(tmp_path, prefix):
    (person,) = read_persons(_fashion(tmp_path, prefix), "train")
    folder = "WOMEN/Tees_Tanks/id_00003504"
    assert person.name == "WOMEN-TeesTanks-00003504-08" and person.pairs == [(1, 0)]
    assert person.images == [str(tmp_path / "img" / folder / f"{name}.jpg") for name in (FRONT, BACK)]
    assert person.label_maps == [str(tmp_path / "parsing" / folder / f"{name}.png") for name in (FRONT, BACK)]


def test_missing_deepfashion_says_what_to_get(tmp_path):
    with pytest.raises(InputError, match="img is missing: get DeepFashion"):
        deepfashion.Layout(str(tmp_path))


def test_bad_pair_files(bad_inputs):
    swapped = read_pairs(str(bad_inputs / "pairs/swapped_columns.csv"))
    assert swapped[0] == (1, "0001_c1s1_000001_01.jpg", "0001_c2s1_000051_01.jpg")


@pytest.mark.parametrize("kind, name, words", [
    ("pairs", "missing_file", r"missing_file.csv, row 2 \(line 3\): there is no image 9999"),
    ("keypoints", "unknown_file", r"unknown_file.csv, row 3 \(line 4\): there is no image 9999"),
    ("keypoints", "all_missing", "has no joints in .*all_missing.csv"),
])  # fmt: skip
def test_bad_lists(bad_inputs, kind, name, words):
    class Flat(Layout):
        def folders(self):
            return [self.data_dir]

        def annotation_csv(self, split):
            return str(bad_inputs / (f"keypoints/{name}.csv" if kind == "keypoints" else "good/annotation.csv"))

        def pairs_csv(self, split):
            return str(bad_inputs / (f"pairs/{name}.csv" if kind == "pairs" else "good/pairs.csv"))

        def person(self, name):
            return name.split("_")[0]

        def iterate_images(self):
            return ((path.stem, str(path)) for path in (bad_inputs / "good").glob("*.jpg"))

        iterate_label_maps = iterate_images

    with pytest.raises(InputError, match=words):
        read_persons(Flat(str(bad_inputs), str(bad_inputs / "good")), "train")


def test_all_bad_rows_are_reported_at_once(market, tmp_path):
    errors = []
    assert read_pairs(_csv(tmp_path, "from,to\na\na,b\n,c"), on_error=errors.append) == [(2, "a", "b")]
    assert [str(error).split(":")[0].rpartition("csv, ")[2] for error in errors] == ["row 1 (line 2)", "row 3 (line 4)"]
    os.remove(market / "parsing" / C.replace("jpg", "png"))
    _edit_annotation(market, B, f"{B}: [1]: [2]")
    _write_pairs(market, f"{A},{B}", f"{A},{OTHER}", "0003_c1s1_000000_01.jpg,0003_c1s1_000001_01.jpg")
    persons = read_persons(market1501.Layout(str(market)), "train", on_error=(errors := []).append)
    assert [person.pairs for person in persons] == [[(0, 1)]]
    said = ["keypoints_y has 1 joints", "there is no label map for", f"{B} has no row", "show two persons"]
    assert len(errors) == 4 and all(words in str(error) for words, error in zip(said, errors))
