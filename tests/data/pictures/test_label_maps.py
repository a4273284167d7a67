"""Files of label maps."""

import io

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body.labels import COLORS
from tfwarpgan.data.pictures import label_maps
from tfwarpgan.errors import InputError


def _png(path, labels, mode=None, **options):
    image = Image.fromarray(np.asarray(labels, np.uint8))
    if mode == "P":
        image = image.convert("P")
        image.putpalette(COLORS.tobytes())
    image.save(path, "PNG", **options)
    return str(path)


@pytest.mark.parametrize("mode", [None, "P"])
def test_gray_and_palette_give_the_labels(tmp_path, mode):
    labels = np.arange(20).reshape(4, 5)
    result = label_maps.read_label_map(_png(tmp_path / "a.png", labels, mode), (4, 5))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, labels)


def test_palette_of_four_bits(tmp_path):
    labels = np.arange(15).reshape(3, 5)
    np.testing.assert_array_equal(label_maps.read_label_map(_png(tmp_path / "a.png", labels, "P", bits=4)), labels)


def _gray_png(bits, rows, width):
    """A gray PNG written by hand, since Pillow writes no gray of 2 or 4 bits."""
    import struct
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, len(rows), bits, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "bits, row, labels",
    [(1, b"\x50", [0, 1, 0, 1]), (2, b"\x1b", [0, 1, 2, 3]), (4, b"\x05\xdf", [0, 5, 13, 15])],
)
def test_gray_of_few_bits_is_not_stretched(tmp_path, bits, row, labels):
    path = tmp_path / "a.png"
    path.write_bytes(_gray_png(bits, [row], 4))
    assert Image.open(io.BytesIO(path.read_bytes())).size == (4, 1)
    np.testing.assert_array_equal(label_maps.read_label_map(str(path)), [labels])


def test_wrong_maps_are_refused(tmp_path):
    with pytest.raises(InputError, match="5 x 4 pixels, but its image is 4 x 5"):
        label_maps.read_label_map(_png(tmp_path / "a.png", np.zeros((4, 5))), (5, 4))
    with pytest.raises(InputError, match="label 20"):
        label_maps.read_label_map(_png(tmp_path / "b.png", np.full((4, 5), 20)))
    with pytest.raises(InputError, match="mode RGB"):
        label_maps.read_label_map(_png(tmp_path / "c.png", np.zeros((4, 5, 3))))
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "d.jpg")
    with pytest.raises(InputError, match="JPEG"):
        label_maps.read_label_map(str(tmp_path / "d.jpg"))
    with pytest.raises(InputError, match="missing"):
        label_maps.read_label_map(str(tmp_path / "e.png"))


@pytest.mark.parametrize("name, words", [
    ("wrong_size", "96 x 100"), ("rgb_colours", "mode RGB"), ("label_255", "label 255"),
])  # fmt: skip
def test_bad_label_maps(bad_inputs, name, words):
    with pytest.raises(InputError, match=words):
        label_maps.read_label_map(str(bad_inputs / "parsing" / f"{name}.png"), (128, 64))


def test_good_label_map(bad_inputs):
    labels = label_maps.read_label_map(str(bad_inputs / "good/0001_c1s1_000001_01.png"), (128, 64))
    assert labels.shape == (128, 64) and 0 < labels.max() < 20
