"""Labeling a folder of pictures."""

import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.pictures import files
from tfwarpgan.data.pictures.files import list_images
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.errors import InputError
from tfwarpgan.inference.label_folder import annotate_folder, labels_at_size
from tfwarpgan.storage.writing import save_png

BAD = pathlib.Path(__file__).resolve().parents[2] / "../shared/data/bad_inputs/images"
SIZE = {"height": 32, "width": 16, "batch_size": 2}


def parse(images):
    """Label 5 where a picture is bright, else 0."""
    assert images.shape[1:] == (32, 16, 3)
    assert images.dtype == np.float32
    bright = images[..., 0] > 0
    return np.stack([~bright, *[np.zeros_like(bright)] * 4, bright], axis=-1).astype(np.float32)


def save(path, height=32, width=16):
    """A picture whose lower half is bright."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros([height, width, 3], np.uint8)
    image[height // 2 :] = 255
    Image.fromarray(image).save(path)
    return path


def test_every_picture_of_every_folder_gets_its_labels_at_its_own_size(tmp_path):
    save(tmp_path / "in/a.png")
    save(tmp_path / "in/deep/er/b.JPG", 64, 48)
    save(tmp_path / "in/deep/c.jpeg", 50, 20)
    (tmp_path / "in/notes.txt").write_text("no picture")
    assert annotate_folder(parse, str(tmp_path / "in"), str(tmp_path / "out"), **SIZE) == (3, 0)
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert found == {"a.png", "deep/er/b.png", "deep/c.png"}
    for name, size in (("a", (32, 16)), ("deep/er/b", (64, 48)), ("deep/c", (50, 20))):
        labels = read_label_map(str(tmp_path / f"out/{name}.png"), size)
        assert np.all(labels[: size[0] // 2 - 2] == 0)
        assert np.all(labels[size[0] // 2 + 2 :] == 5)
        assert Image.open(tmp_path / f"out/{name}.png").mode == "L"


def test_what_is_done_is_kept(tmp_path):
    save(tmp_path / "in/a.png"), save(tmp_path / "in/b.png")
    save_png(str(tmp_path / "out/a.png"), np.full([32, 16], 7, np.uint8))
    assert annotate_folder(parse, str(tmp_path / "in"), str(tmp_path / "out"), **SIZE) == (1, 1)
    assert read_label_map(str(tmp_path / "out/a.png")).min() == 7
    assert annotate_folder(parse, str(tmp_path / "in"), str(tmp_path / "out"), **SIZE) == (0, 2)


def test_unreadable_pictures_are_named_after_all_others_are_labeled(tmp_path):
    save(tmp_path / "in/good.png"), save(tmp_path / "in/z.png")
    (tmp_path / "in/broken.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match="1 of 3 images could not be labeled.*broken.jpg"):
        annotate_folder(parse, str(tmp_path / "in"), str(tmp_path / "out"), **SIZE)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good.png", "z.png"]


@pytest.mark.skipif(not BAD.exists(), reason="the bad inputs are not beside the repository")
def test_bad_pictures_are_refused_and_odd_ones_labeled(tmp_path):
    shutil.copytree(BAD, tmp_path / "in")
    with pytest.raises(InputError, match="3 of ") as error:
        annotate_folder(parse, str(tmp_path / "in"), str(tmp_path / "out"), **SIZE)
    for name in ("truncated.jpg", "empty.jpg", "bomb_12000x12000.png"):
        assert name in str(error.value)
        assert not (tmp_path / "out" / name).with_suffix(".png").exists()
    for name in ("rgba.png", "gray.jpg", "png_named.jpg", "exif_rotated.jpg", "one_pixel.png", "webp.webp"):
        assert (tmp_path / "out" / name).with_suffix(".png").exists(), name
    read_label_map(str(tmp_path / "out/exif_rotated.png"), (128, 64))


def test_two_pictures_of_one_stem_are_refused(tmp_path):
    save(tmp_path / "in/a.png"), save(tmp_path / "in/a.jpg")
    with pytest.raises(InputError, match="a.jpg and .*a.png would both become .*out/a.png"):
        list_images(str(tmp_path / "in"), str(tmp_path / "out"))


def test_label_maps_inside_the_picture_folder_are_no_pictures(tmp_path):
    save(tmp_path / "in/a.png")
    out = tmp_path / "in/parsing"
    save_png(str(out / "a.png"), np.zeros([32, 16], np.uint8))
    assert list_images(str(tmp_path / "in"), str(out)) == [(str(tmp_path / "in/a.png"), str(out / "a.png"))]


def test_wrong_folders_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="--image_dir=.*nowhere is not a folder"):
        list_images(str(tmp_path / "nowhere"), str(tmp_path / "out"))
    with pytest.raises(InputError, match="contains no image"):
        list_images(str(tmp_path), str(tmp_path / "out"))
    for parsing_dir, words in (("", "--parsing_dir is missing"), (str(tmp_path), "--parsing_dir=.* must name")):
        with pytest.raises(InputError, match=words):
            list_images(str(tmp_path), parsing_dir)


def test_labels_of_a_larger_picture_are_those_of_resized_scores():
    scores = np.zeros([2, 2, 3], np.float32)
    scores[:, 0, 2], scores[:, 1, 1] = 1.0, 1.0
    np.testing.assert_array_equal(labels_at_size(scores, 4, 4), [[2, 2, 1, 1]] * 4)
    np.testing.assert_array_equal(labels_at_size(scores, 2, 2), [[2, 1]] * 2)


def test_logits_below_zero_count(tmp_path):
    np.testing.assert_array_equal(labels_at_size(np.full([1, 1, 3], [-3.0, -1.0, -2.0]), 2, 2), [[1, 1]] * 2)
    assert ".tif" not in files.IMAGE_SUFFIXES
