"""From pictures of any size to the model's, by hand."""

import io

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.pictures import heic, images, label_maps
from tfwarpgan.data.pictures.files import ImageFile
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
from tfwarpgan.options import DataOptions


def columns(height, width):
    """A picture whose pixels are their columns."""
    return np.broadcast_to(np.arange(width, dtype=np.uint8)[None, :, None], (height, width, 3)).copy()


def joints_at(*points):
    joints, visible = np.full((18, 2), -1, np.float32), np.zeros(18, bool)
    joints[: len(points)], visible[: len(points)] = points, True
    return joints, visible


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_a_picture_of_the_models_size_is_kept(fit):
    framing = Framing(32, 16, fit=fit)
    picture, labels = columns(32, 16), np.arange(512, dtype=np.uint8).reshape(32, 16) % 20
    np.testing.assert_array_equal(framing.image(picture), picture)
    np.testing.assert_array_equal(framing.label_map(labels), labels)
    joints, visible = framing.joints(*joints_at((3, 5), (40, 2)), (32, 16))  # a joint beyond the edge stays
    assert joints[:3].tolist() == [[3, 5], [40, 2], [-1, -1]] and visible.sum() == 2


def test_a_wider_picture_loses_columns_at_both_sides():
    framing = Framing(32, 16)
    np.testing.assert_array_equal(framing.image(columns(32, 40))[0, :, 0], np.arange(12, 28))
    labels = columns(32, 40)[..., 0] // 13
    np.testing.assert_array_equal(framing.label_map(labels)[5], np.arange(12, 28) // 13)
    joints, visible = framing.joints(*joints_at((3, 12), (3, 27), (3, 11)), (32, 40))
    assert joints[:3].tolist() == [[3, 0], [3, 15], [-1, -1]] and visible[:3].tolist() == [True, True, False]


def test_a_narrower_picture_gains_columns_of_its_edge():
    framing = Framing(32, 16)
    np.testing.assert_array_equal(framing.image(columns(32, 8))[9, :, 0], [0] * 4 + list(range(8)) + [7] * 4)
    labels = np.full((32, 8), 5, np.uint8)
    np.testing.assert_array_equal(framing.label_map(labels)[9], [0] * 4 + [5] * 8 + [0] * 4)
    assert framing.joints(*joints_at((3, 0)), (32, 8))[0][0].tolist() == [3, 4]


def test_pad_keeps_all_of_a_wider_picture():
    framing = Framing(32, 16, fit="pad")
    picture = columns(16, 16).transpose(1, 0, 2).copy()
    np.testing.assert_array_equal(framing.image(picture)[:, 3, 0], [0] * 8 + list(range(16)) + [15] * 8)
    assert framing.label_map(np.full((16, 16), 5, np.uint8))[:, 3].tolist() == [0] * 8 + [5] * 16 + [0] * 8
    assert framing.joints(*joints_at((0, 3)), (16, 16))[0][0].tolist() == [8, 3]


def test_stretch_changes_the_proportions_and_says_so_by_name():
    joints, visible = Framing(32, 16, fit="stretch").joints(*joints_at((3, 39)), (32, 40))
    assert joints[0].tolist() == pytest.approx([3, 15.3]) and visible[0]


@pytest.mark.parametrize("size", [(1101, 750), (257, 177), (256, 175)])
def test_shapes_that_rounding_made_are_the_same_shape(size):
    taken, placed = Framing(256, 176).placement(size)
    assert taken == (0, 0, size[1], size[0]) and placed == (0, 0, 176, 256)


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("size", [(400, 300), (300, 400), (900, 200), (128, 128), (16, 40_000), (40_000, 16)])
def test_people_keep_their_proportions(size, fit):
    """Both sides are scaled alike, up to the rounding to whole pixels, and joints lie where the picture's pixels do."""
    framing = Framing(128, 64, fit=fit)
    (left, top, right, bottom), (x, y, width, height) = framing.placement(size)
    assert 0 <= x and 0 <= y and x + width <= 64 and y + height <= 128 and min(width, height) >= 1
    if min(width, height) > 4:
        assert width / (right - left) == pytest.approx(height / (bottom - top), rel=0.51 / min(width, height))
    middle = (np.array(size) - 1) / 2
    joints, _ = framing.joints(*joints_at(middle), size)
    np.testing.assert_allclose(joints[0], [63.5, 31.5], atol=0.51)


def test_a_joint_lies_on_the_pixel_that_it_lay_on():
    """A dot of 9 pixels, framed, is brightest where the joint in its middle comes to lie."""
    for fit in ("crop", "pad", "stretch"):
        for size in ((300, 200), (300, 100), (200, 300)):
            framing, picture = Framing(128, 64, fit=fit), np.zeros((*size, 3), np.uint8)
            y, x = size[0] // 3, size[1] // 2 + 9
            picture[y - 4 : y + 5, x - 4 : x + 5] = 255
            joints, _ = framing.joints(*joints_at((y, x)), size)
            shares = framing.image(picture)[..., 0].astype(float)
            found = [(shares * axis).sum() / shares.sum() for axis in np.mgrid[:128, :64]]
            np.testing.assert_allclose(joints[0], found, atol=0.3)


def test_the_crop_comes_first():
    framing = Framing.of(DataOptions(picture_crop="40,0,176,256", height=256, width=176))
    picture = columns(256, 256)
    np.testing.assert_array_equal(framing.image(framing.used(picture, "a.jpg"))[0, :, 0], np.arange(40, 216))
    joints, visible = framing.used_joints(*joints_at((5, 40), (5, 30)))
    assert joints[0].tolist() == [5, 0] and visible[:2].tolist() == [True, False]
    with pytest.raises(InputError, match=r"^a\.jpg is 176 x 256 pixels, too small for --picture_crop=40,0,176,256;"):
        framing.used(columns(256, 176), "a.jpg")


@pytest.mark.parametrize("framing", [
    Framing(64, 32), Framing(64, 32, (1, 2, 30, 40)), Framing(64, 32, fit="pad"),
    Framing(64, 32, (1, 2, 30, 40), "stretch"),
])  # fmt: skip
def test_flags_are_read_back(framing):
    assert Framing.read(64, 32, framing.flags) == framing
    assert Framing.read(64, 32, "something else") == Framing(64, 32)


def _photograph(path, height, width, **options):
    y, x = np.mgrid[:height, :width]
    Image.fromarray(((y // 16 % 2) ^ (x // 16 % 2)).astype(np.uint8) * 160 + 40).convert("RGB").save(path, **options)


def test_large_photographs_are_read_at_a_reduced_size(tmp_path, monkeypatch):
    path = str(tmp_path / "a.jpg")
    monkeypatch.setattr(images, "MAX_PIXELS", 96 * 128)
    _photograph(path, 192, 256, quality=95)
    assert images.image_size(path) == images.check_image(path) == (192, 256)
    assert images.read_rgb(path).shape == (96, 128, 3) and images.reduced_size((192, 256)) == (96, 128)
    file = Framing(64, 32, crop=(64, 0, 96, 192)).file(path)
    assert images.image_size(file) == (192, 96)
    np.testing.assert_allclose(images.read_rgb(file), images.read_rgb(path)[:, 32:80], atol=1)
    jpeg, size = images.framed_jpeg(file, Framing(64, 32))
    assert Image.open(io.BytesIO(jpeg)).size == (32, 64) and size == (192, 96)
    Image.fromarray(np.zeros((96, 128), np.uint8)).save(tmp_path / "a.png")
    label_maps.read_label_map(str(tmp_path / "a.png"), (192, 256))


def test_a_large_photograph_lies_on_its_side(tmp_path, monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 6
    _photograph(tmp_path / "a.jpg", 256, 192, quality=95, exif=exif)
    whole = images.read_rgb(str(tmp_path / "a.jpg"))
    monkeypatch.setattr(images, "MAX_PIXELS", 96 * 128)
    assert images.image_size(str(tmp_path / "a.jpg")) == whole.shape[:2] == (192, 256)
    half = images.read_rgb(str(tmp_path / "a.jpg"))
    assert np.abs(half.astype(int) - whole.reshape(96, 2, 128, 2, 3).mean((1, 3))).mean() < 3


def test_photographs_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_JPEG_PIXELS", 10_000)
    _photograph(tmp_path / "a.jpg", 192, 256)
    with pytest.raises(InputError, match=r"a\.jpg is 256 x 192 pixels; the limit is 10000 in total"):
        images.image_size(str(tmp_path / "a.jpg"))


def test_heic_is_read_where_pillow_heif_is_there(tmp_path, monkeypatch):
    pillow_heif = pytest.importorskip("pillow_heif")
    picture = np.full((64, 48, 3), (200, 100, 50), np.uint8)
    pillow_heif.from_pillow(Image.fromarray(picture)).save(str(tmp_path / "a.heic"), quality=95)
    assert images.check_image(str(tmp_path / "a.heic")) == (64, 48)
    monkeypatch.setattr(images, "MAX_PIXELS", 64 * 48 - 1)  # as one of 48 million
    assert images.check_image(str(tmp_path / "a.heic")) == (64, 48)
    part = ImageFile(str(tmp_path / "a.heic"), (8, 16, 24, 32))
    assert images.read_rgb(part).shape == (32, 24, 3)
    monkeypatch.setattr(images, "MAX_HEIC_PIXELS", 64 * 48 - 1)
    with pytest.raises(InputError, match=r"a\.heic is 48 x 64 pixels; the limit is 3071 in total; make it smaller"):
        images.read_photograph(str(tmp_path / "a.heic"))
    monkeypatch.undo()
    np.testing.assert_allclose(images.read_rgb(str(tmp_path / "a.heic")), picture, atol=4)


@pytest.mark.parametrize("brand", [b"heic", b"mif1"])
def test_heic_is_named_where_it_is_not(tmp_path, monkeypatch, brand):
    monkeypatch.setattr(heic, "_registered", lambda: False)
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(40))
    with pytest.raises(InputError, match=r"a\.jpg is a HEIC photograph.*pip install 'tfwarpgan\[heic\]'.*JPEG"):
        images.read_rgb(str(tmp_path / "a.jpg"))


def test_a_broken_file_is_named_once(tmp_path):
    for name, content in (("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)), ("b.jpg", b"no picture")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=rf"{name} cannot be read as an image \([^']*\);") as caught:
            images.read_rgb(str(tmp_path / name))
        assert str(caught.value).count(name) == 1 and "''" not in str(caught.value)


def test_a_photograph_in_memory_is_read_as_its_file_is(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    _photograph(tmp_path / "a.jpg", 256, 192, quality=95, exif=exif)
    content = (tmp_path / "a.jpg").read_bytes()
    pixels, size = images.read_photograph(str(tmp_path / "a.jpg"))
    np.testing.assert_array_equal(images.decode_photograph(content, "It"), pixels)
    assert pixels.shape[:2] == size == (192, 256)


@pytest.mark.parametrize("content", [b"no picture", b""])
def test_what_is_no_photograph_in_memory_is_told(content):
    with pytest.raises(InputError, match=r"^It cannot be read as an image \([^<>]*\); choose another one\.$"):
        images.decode_photograph(content, "It")
