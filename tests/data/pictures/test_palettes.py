"""Label maps with a palette, and with a label for nothing: what is read, and what shows that indices are no labels."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body.labels import COLORS
from tfwarpgan.data.pictures.files import ImageFile
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.data.pictures.palettes import VOC
from tfwarpgan.errors import InputError

LABELS = np.array([[0, 2, 5], [13, 14, 19]], np.uint8).repeat(8, 0).repeat(8, 1)


def _save(path, palette, labels=LABELS):
    image = Image.fromarray(labels)
    if palette is not None:
        image.putpalette(np.asarray(palette, np.uint8).ravel().tolist())
    image.save(path)
    return str(path)


def test_the_color_map_of_voc():
    assert VOC[[0, 1, 2, 5, 13, 19, 255]].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 0, 128], [192, 0, 128], [128, 192, 0], [224, 224, 192],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "palette", [COLORS, VOC, np.arange(256)[:, None].repeat(3, 1), np.zeros((20, 3)), COLORS[::-1][::-1]]
)
def test_palettes_in_the_order_of_the_labels(tmp_path, palette):
    np.testing.assert_array_equal(read_label_map(_save(tmp_path / "a.png", palette)), LABELS)


def test_a_palette_of_its_own_is_refused(tmp_path):
    colored = Image.fromarray(COLORS[LABELS]).convert("P", palette=Image.Palette.ADAPTIVE)
    colored.save(tmp_path / "a.png")
    with pytest.raises(InputError, match="a.png: the palette has the color of label .* its indices are no labels"):
        read_label_map(str(tmp_path / "a.png"))
    with pytest.raises(InputError, match="its indices are no labels"):
        read_label_map(ImageFile(str(tmp_path / "a.png"), labels=tuple(range(20))))


def test_colors_of_another_set_must_be_declared(tmp_path):
    path = _save(tmp_path / "a.png", np.random.default_rng(0).integers(1, 250, (20, 3)))
    with pytest.raises(InputError, match=r"the color \(.*\) at index 19, which is not LIP's: .* --label_mapping"):
        read_label_map(path)
    np.testing.assert_array_equal(read_label_map(ImageFile(path, labels=tuple(range(20)))), LABELS)


@pytest.mark.parametrize("palette", [None, np.concatenate([COLORS, np.full((236, 3), 255)])])
def test_an_ignored_label_becomes_background(tmp_path, palette):
    labels = LABELS.copy()
    labels[0] = 255
    path = _save(tmp_path / "a.png", palette, labels)
    expected = np.where(labels == 255, 0, labels)
    np.testing.assert_array_equal(read_label_map(ImageFile(path, ignore=255)), expected)
    shifted = ImageFile(path, labels=(7, *range(1, 20)), ignore=255)
    np.testing.assert_array_equal(read_label_map(shifted), np.where(labels == 255, 0, np.where(labels, labels, 7)))
    with pytest.raises(InputError, match="label 255.* set --ignore_label=255"):
        read_label_map(_save(tmp_path / "gray.png", None, labels))
