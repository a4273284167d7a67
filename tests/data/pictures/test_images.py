"""Pictures from files: what is read, how, and what is refused."""

import io
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError


def _save(path, array, **options):
    Image.fromarray(np.asarray(array, np.uint8)).save(path, **options)
    return str(path)


def test_png_pixels_are_read_unchanged(tmp_path):
    pixels = np.arange(18 * 20 * 3).reshape(18, 20, 3) % 256
    result = images.read_rgb(_save(tmp_path / "a.png", pixels))
    np.testing.assert_array_equal(result, pixels)
    assert result.dtype == np.uint8


def test_transparent_becomes_white(tmp_path):
    pixels = np.zeros((1, 3, 4))
    pixels[0, :, 3] = (0, 255, 51)
    result = images.read_rgb(_save(tmp_path / "a.png", pixels))
    np.testing.assert_array_equal(result[0, :, 0], (255, 0, 204))


def test_gray_sixteen_bits_and_palette(tmp_path):
    assert images.read_rgb(_save(tmp_path / "gray.png", np.full((2, 2), 7)))[0, 0].tolist() == [7, 7, 7]
    Image.fromarray(np.full((2, 2), 0x80FF, np.uint16)).save(tmp_path / "sixteen.png")
    assert images.read_rgb(str(tmp_path / "sixteen.png"))[0, 0].tolist() == [128, 128, 128]
    palette = Image.fromarray(np.ones((2, 2), np.uint8), mode=None).convert("P")
    palette.putpalette([0, 0, 0, 9, 8, 7])
    palette.save(tmp_path / "palette.png")
    assert images.read_rgb(str(tmp_path / "palette.png"))[0, 0].tolist() == [9, 8, 7]


def test_exif_rotation_is_honored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.zeros((16, 32, 3))
    pixels[:, 16:] = 255
    path = _save(tmp_path / "a.png", pixels, exif=exif)
    result = images.read_rgb(path)
    assert result.shape == (32, 16, 3)
    assert result[:16].max() == 0 and result[16:].min() == 255
    assert images.check_image(path) == (32, 16)


def test_prepared_jpeg_keeps_the_bytes_of_a_fitting_file(tmp_path):
    path = _save(tmp_path / "a.jpg", np.full((32, 16, 3), 99))
    jpeg, size = images.framed_jpeg(path, Framing(32, 16))
    assert jpeg == (tmp_path / "a.jpg").read_bytes() and size == (32, 16)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_other_files_are_encoded_anew(tmp_path, suffix):
    path = _save(tmp_path / f"a.{suffix}", np.full((64, 40, 3), (200, 100, 50)))
    jpeg, size = images.framed_jpeg(path, Framing(32, 16))
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG" and image.size == (16, 32) and size == (64, 40)
    np.testing.assert_allclose(np.asarray(image).mean((0, 1)), (200, 100, 50), atol=2)


def test_png_named_jpg_becomes_a_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    _save(path, np.full((32, 16, 3), 99), format="PNG")
    jpeg, _ = images.framed_jpeg(str(path), Framing(32, 16))
    assert Image.open(io.BytesIO(jpeg)).format == "JPEG"


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "is missing"),
        (b"", "is empty"),
        (b"GIF89a", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "cannot be read"),
        (b"hello", "cannot be read"),
    ],
)
@pytest.mark.parametrize("read", [images.read_rgb, images.check_image])
def test_what_is_no_picture_is_refused(tmp_path, content, words, read):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words) as raised:
        read(str(path))
    assert "a.jpg" in str(raised.value) and "\n" not in str(raised.value)


def test_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="missing"):
        images.read_rgb(str(tmp_path))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_truncated_is_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    _save(path, np.random.default_rng(0).integers(0, 256, (64, 64, 3)))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match=f"a.{suffix} cannot be read"):
        images.read_rgb(str(path))


def test_pixel_limit_is_checked_before_decoding(tmp_path, monkeypatch):
    path = _save(tmp_path / "a.png", np.zeros((20, 20, 3)))
    monkeypatch.setattr(images, "MAX_PIXELS", 399)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(InputError, match="20 x 20 pixels; the limit is 399"):
        images.read_rgb(path)


def test_one_pixel_is_no_person(tmp_path):
    with pytest.raises(InputError, match="at least 16"):
        images.check_image(_save(tmp_path / "a.png", np.zeros((1, 1, 3))))


@pytest.mark.parametrize("name", ["exif_rotated.jpg", "gray.jpg", "png_named.jpg", "rgba.png", "webp.webp"])
def test_tricky_files_are_read(bad_inputs, name):
    assert images.read_rgb(str(bad_inputs / "images" / name)).shape == (128, 64, 3)


@pytest.mark.parametrize("name", ["truncated.jpg", "empty.jpg", "one_pixel.png", "bomb_12000x12000.png"])
def test_broken_files_are_refused(bad_inputs, name):
    with warnings.catch_warnings(), pytest.raises(InputError, match=name):
        warnings.simplefilter("error")
        images.check_image(str(bad_inputs / "images" / name))


@pytest.mark.parametrize("size, read", [
    ((6048, 8064), (1512, 2016)),  # 48 megapixels
    ((9000, 12000), (2250, 3000)),  # 108 megapixels
    ((3000, 4000), (1500, 2000)),
    ((1200, 1600), (1200, 1600)),
])  # fmt: skip
def test_a_photograph_of_a_telephone_is_read_small(tmp_path, size, read):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side in the file
    Image.new("RGB", size[::-1], (200, 100, 50)).save(tmp_path / "a.jpg", quality=60, exif=exif)
    pixels, told = images.read_photograph(str(tmp_path / "a.jpg"))
    assert pixels.shape == (*read[::-1], 3) and told == size[::-1]
    assert np.abs(pixels[5, 5].astype(int) - (200, 100, 50)).max() <= 3


def test_a_large_png_is_made_as_small(tmp_path):
    Image.new("RGBA", (6000, 4000), (200, 100, 50, 255)).save(tmp_path / "a.png")
    pixels, size = images.read_photograph(str(tmp_path / "a.png"))
    assert size == (4000, 6000) and pixels.shape == pytest.approx((2309, 3464, 3), abs=1)
    assert pixels[9, 9].tolist() == [200, 100, 50]
    Image.new("RGB", (8, 90)).save(tmp_path / "thin.png")
    with pytest.raises(InputError, match="at least 16 per side"):
        images.read_photograph(str(tmp_path / "thin.png"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_108_megapixels_take_less_than_400_megabytes(tmp_path):
    Image.new("RGB", (12000, 9000), (200, 100, 50)).save(tmp_path / "a.jpg", quality=60)
    program = (
        "from tfwarpgan.data.pictures.images import read_photograph;"
        f"read_photograph({str(tmp_path / 'a.jpg')!r});"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert 20_000 < int(done.stdout) < 400_000  # kilobytes
