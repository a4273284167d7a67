"""Folders of other projects' results: layouts, names, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.pictures import batches, find_pictures


def write(path, level, width=16, height=16):
    """A picture of panels, each of one gray level."""
    levels = np.atleast_1d(level)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.repeat(np.repeat(levels, width)[None], height, axis=0).astype(np.uint8)
    Image.fromarray(picture).convert("RGB").save(path)


def levels(file):
    target, generated = file.read()
    return int(target.mean()), int(generated.mean())


@pytest.fixture
def write_all(tmp_path):
    def make(**folders):
        for folder, files in folders.items():
            for name, level in files.items():
                write(tmp_path / folder / name, level)
        return [str(tmp_path / folder) for folder in folders]

    return make


def test_plain_pictures_are_matched_by_name_whatever_their_suffix(write_all):
    pictures, targets = write_all(g={"sub/b.png": 20, "a.png": 10}, t={"a.bmp": 11, "sub/b.png": 21})
    found = find_pictures(pictures, "plain", targets)
    assert [(file.condition, file.target, *levels(file)) for file in found] == [
        ("", "a", 11, 10),
        ("", "sub/b", 21, 20),
    ]


def test_the_first_unmatched_name_is_an_error_on_either_side(write_all):
    pictures, targets = write_all(g={"a.png": 1, "b.png": 1}, t={"a.png": 1})
    with pytest.raises(InputError, match=r"b\.png has no target b in"):
        find_pictures(pictures, "plain", targets)
    with pytest.raises(InputError, match=r"b\.png has no generated picture of that name"):
        find_pictures(targets, "plain", pictures)


def test_strips_of_posegan_and_patn(write_all):
    three, five = write_all(
        p={"0001_c1.jpg_0001_c2.jpg.png": [10, 20, 30]}, q={"a.jpg___b.jpg_vis.png": [1, 2, 30, 4, 50]}
    )
    (file,) = find_pictures(three, "posegan")
    assert levels(file) == (20, 30)
    (file,) = find_pictures(three, "posegan", known=["0001_c1", "0001_c2"])
    assert (file.condition, file.target, *levels(file)) == ("0001_c1", "0001_c2", 20, 30)
    (file,) = find_pictures(five, "patn")
    assert (file.condition, file.target, *levels(file)) == ("a", "b", 30, 50)


def test_gfla_names_and_our_own(write_all):
    pictures, targets = write_all(
        g={"a_2_b_vis.png": 10, "b_2_a.png": 30, "x_2_y_2_a.png": 31}, t={"a.png": 1, "b.png": 2, "unused.png": 3}
    )
    found = find_pictures(pictures, "gfla", targets)
    assert [(file.condition, file.target, *levels(file)) for file in found] == [
        ("a", "b", 2, 10), ("b", "a", 1, 30), ("x_2_y", "a", 1, 31),
    ]  # fmt: skip
    (more,) = write_all(h={"a_2_c.png": 1})
    with pytest.raises(InputError, match=r"a_2_c\.png: there is no image TO of that name in"):
        find_pictures(more, "gfla", targets)
    (more,) = write_all(i={"plain.png": 1})
    with pytest.raises(InputError, match=r"plain\.png is not named FROM_2_TO"):
        find_pictures(more, "gfla", targets)


def test_a_name_that_can_be_read_twice_is_refused(write_all):
    pictures, targets = write_all(g={"a_2_b_2_c.png": 1}, t={"b_2_c.png": 1, "c.png": 1})
    with pytest.raises(InputError, match="can be read as more than one FROM_2_TO; list the pairs with --pairs"):
        find_pictures(pictures, "gfla", targets)
    (file,) = find_pictures(pictures, "gfla", targets, [("row 1", "a_2_b.jpg", "c.jpg")])
    assert (file.condition, file.target) == ("a_2_b", "c")


def test_a_list_of_pairs_gives_the_order_and_must_be_complete(write_all):
    pictures, targets = write_all(g={"a_2_b.png": 1, "b_2_a.png": 2}, t={"a.png": 3, "b.png": 4})
    pairs = [("list, row 1", "b.jpg", "a.jpg"), ("list, row 2", "a.jpg", "b.jpg")]
    assert [levels(file) for file in find_pictures(pictures, "plain", targets, pairs)] == [(3, 2), (4, 1)]
    with pytest.raises(InputError, match=r"a_2_b\.png belongs to no pair of --pairs"):
        find_pictures(pictures, "plain", targets, pairs[:1])
    with pytest.raises(InputError, match="list, row 3: there is no picture c_2_a"):
        find_pictures(pictures, "plain", targets, [*pairs, ("list, row 3", "c.jpg", "a.jpg")])
    with pytest.raises(InputError, match=r"list, row 1: there is no target x\.jpg in --targets"):
        find_pictures(write_all(z={"a_2_x.png": 1})[0], "gfla", targets, [("list, row 1", "a.jpg", "x.jpg")])


def test_sizes_must_agree(write_all, tmp_path):
    pictures, targets = write_all(g={"a.png": 1, "b.png": 1}, t={"a.png": 1, "b.png": 1})
    write(tmp_path / "g/b.png", 1, width=18)
    with pytest.raises(InputError, match=r"b\.png has 16 x 18 pixels .* and its target .* 16 x 16"):
        list(batches(find_pictures(pictures, "plain", targets), 2))
    write(tmp_path / "t/b.png", 1, width=18)
    with pytest.raises(InputError, match=r"b\.png: 16 x 18 pixels .* and .*a\.png has 16 x 16; one number needs"):
        list(batches(find_pictures(pictures, "plain", targets), 1))
    (strips,) = write_all(s={"a_b.png": [1, 2]})
    with pytest.raises(InputError, match="32 columns wide, which is no strip of 3; check --picture_layout"):
        find_pictures(strips, "posegan")[0].read()


def test_batches_keep_the_order(write_all):
    names = {f"{index}.png": index for index in range(5)}
    pictures, targets = write_all(g=names, t=names)
    found = list(batches(find_pictures(pictures, "plain", targets), 2))
    assert [len(part) for part, *_ in found] == [2, 2, 1]
    assert np.concatenate([generated[:, 0, 0, 0] for *_, generated in found]).tolist() == [0, 1, 2, 3, 4]
