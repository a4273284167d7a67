"""What a list may name: nothing outside of the data's folders."""

import os
import pickle

import pytest

from tfwarpgan.data.layouts import lip, market1501
from tfwarpgan.data.pairs import persons
from tfwarpgan.data.pictures import files
from tfwarpgan.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    for name in ("data/a.jpg", "data/sub/b.PNG", "data/sub/c.txt", "data/.hidden.jpg", "outside/x.jpg"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path / "data"


OUTSIDE = ["/etc/passwd", "../outside/x.jpg", "sub/../../outside/x.jpg", "..", "sub\\..\\..\\x.jpg", "a\0.jpg"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_point_out_are_refused(folder, name):
    with pytest.raises(InputError, match="points outside of"):
        files.inside(str(folder), name)


def test_names_inside_become_paths(folder):
    assert files.inside(str(folder), "sub/b.PNG") == str(folder / "sub/b.PNG")
    assert files.inside(str(folder), "missing..jpg") == str(folder / "missing..jpg")
    os.symlink("sub/b.PNG", folder / "link.jpg")
    assert files.inside(str(folder), "link.jpg") == str(folder / "link.jpg")


@pytest.mark.parametrize("target", ["../outside/x.jpg", "/etc/passwd"])
def test_links_that_leave_are_refused(folder, target):
    os.symlink(target, folder / "link.jpg")
    for read in (
        lambda: files.inside(str(folder), "link.jpg"),
        lambda: dict(files.files_in(str(folder), str(folder))),
        lambda: files.files_below(str(folder)),
    ):
        with pytest.raises(InputError, match="link.jpg is a link to a place outside"):
            read()


def test_linked_folders_that_leave_are_refused(folder):
    os.symlink("../../outside", folder / "sub/linked")
    with pytest.raises(InputError, match="linked is a link"):
        files.files_below(str(folder))
    with pytest.raises(InputError, match="x.jpg is a link"):
        files.inside(str(folder), "sub/linked/x.jpg")


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    os.symlink(folder, tmp_path / "other")
    assert set(files.files_below(str(tmp_path / "other"))) == {"a.jpg", "sub/b.PNG"}
    assert {name for name, _ in files.files_in(str(tmp_path / "other"), str(tmp_path))} == {"a.jpg", ".hidden.jpg"}


def test_files_below_a_folder(folder):
    assert files.files_below(str(folder), without=[str(folder / "sub")]) == {"a.jpg": str(folder / "a.jpg")}


def test_names_that_are_no_text_are_refused(folder):
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(b"x")
    for read in (lambda: dict(files.files_in(str(folder), str(folder))), lambda: files.files_below(str(folder))):
        with pytest.raises(InputError, match="udcff.jpg', whose name is not UTF-8"):
            read()


def test_a_picture_file_is_its_path_and_travels_between_processes():
    file = files.ImageFile("a/b.jpg", (1, 2, 3, 4), (0, 5))
    again = pickle.loads(pickle.dumps(file))  # as processes hand it on; no file is ever unpickled
    assert file == again == "a/b.jpg" and (again.crop, again.labels) == ((1, 2, 3, 4), (0, 5))
    assert os.path.basename(file) == "b.jpg"


def test_a_stem_keeps_other_dots():
    assert [files.stem(name) for name in ("a.v2.JPG", "a.v2", "d/a.webp")] == ["a.v2", "a.v2", "d/a"]


@pytest.mark.parametrize("name", ["/{0}/bounding_box_train/{1}", "../market/bounding_box_train/{1}", "x/../{1}"])
def test_lists_of_pairs_cannot_leave(market, name):
    good = "0001_c1s1_000000_01.jpg"
    (market / "market-pairs-train.csv").write_text(f"from,to\n{good},{name.format(market, good)}\n")
    with pytest.raises(InputError, match=r"row 1 \(line 2\): .* leaves the folder of the images"):
        persons.read_persons(market1501.Layout(str(market)), "train")


def test_a_linked_picture_cannot_leave(market):
    target = market.parent / "elsewhere.jpg"
    os.rename(market / "bounding_box_train/0001_c1s1_000000_01.jpg", target)
    os.symlink(target, market / "bounding_box_train/0001_c1s1_000000_01.jpg")
    with pytest.raises(InputError, match="is a link to a place outside"):
        market1501.Layout(str(market))


def test_the_id_lists_of_lip_cannot_leave(tmp_path):
    for folder in ("TrainVal_images/train_images", "TrainVal_images/val_images",
                   "TrainVal_parsing_annotations/train_segmentations",
                   "TrainVal_parsing_annotations/val_segmentations"):  # fmt: skip
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "train_id.txt").write_text("../val_images/a\n/etc/a\nmissing\n")
    (tmp_path / "val_id.txt").write_text("b\n")
    errors = []
    assert lip.find_lip(str(tmp_path), on_error=errors.append) == {"train": [], "val": []}
    said = [str(error) for error in errors]
    assert "train_id.txt, row 1: '../val_images/a.jpg' points outside of" in said[0] and "points outside" in said[1]
    assert "missing.jpg is missing" in said[2] and len(said) == 4
