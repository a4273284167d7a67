"""Pictures of every codec have the same pixels whoever decodes them."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.data.pictures import images

try:
    import tensorflow_io as tfio
except ImportError:
    tfio = None

needs_tfio = pytest.mark.skipif(tfio is None, reason="tensorflow-io is not installed")
PIXELS = np.asarray(Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 4, 3), np.uint8)).resize((64, 128)))
ALPHA = np.concatenate([PIXELS, np.arange(128, dtype=np.uint8)[:, None, None].repeat(64, 1)], -1)


def _encode(kind, pixels=PIXELS, orientation=None, **options):
    if orientation:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def _read(tmp_path, content, name="a.webp"):
    (tmp_path / name).write_bytes(content)
    return images.read_rgb(str(tmp_path / name))


WEBP = {
    "lossy": _encode("WEBP", quality=80), "lossless": _encode("WEBP", lossless=True),
    "transparent": _encode("WEBP", ALPHA, lossless=True, exact=True), "turned": _encode("WEBP", orientation=6),
}  # fmt: skip


@needs_tfio
@pytest.mark.parametrize("kind", ["lossy", "lossless"])
def test_tensorflow_io_gives_the_same_pixels_of_webp(tmp_path, kind):
    """Why Pillow alone decodes it."""
    by_tensorflow_io = tfio.image.decode_webp(WEBP[kind]).numpy()[..., :3]
    np.testing.assert_array_equal(_read(tmp_path, WEBP[kind]), by_tensorflow_io)


def test_webp_pixels(tmp_path):
    np.testing.assert_array_equal(_read(tmp_path, WEBP["lossless"]), PIXELS)
    assert _read(tmp_path, WEBP["transparent"])[0].min() == 255


def test_an_animated_webp_gives_its_first_picture(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(
        stream, "WEBP", save_all=True, append_images=[Image.fromarray(255 - PIXELS)], lossless=True
    )
    np.testing.assert_array_equal(_read(tmp_path, stream.getvalue()), PIXELS)


def test_avif_is_read_with_its_transparency(tmp_path):
    image = _read(tmp_path, _encode("AVIF", quality=100, subsampling="4:4:4"), "a.avif")
    assert np.abs(image.astype(int) - PIXELS).max() <= 3
    clear = _read(tmp_path, _encode("AVIF", ALPHA, quality=100, subsampling="4:4:4"), "b.avif")
    assert clear[0].min() >= 254 and np.abs(clear.astype(int) - PIXELS).mean() > 10


@needs_tfio
def test_tensorflow_io_reads_avif_less_exactly(tmp_path):
    """Why Pillow decodes AVIF on both stacks; when this fails, tensorflow-io may do it."""
    content = _encode("AVIF", quality=100, subsampling="4:4:4")
    by_tensorflow_io = tfio.experimental.image.decode_avif(content).numpy().astype(int)
    error = np.abs(by_tensorflow_io - PIXELS).max()
    assert 3 < error <= 16


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation(tmp_path, orientation, kind):
    upright = {
        1: PIXELS, 2: PIXELS[:, ::-1], 3: PIXELS[::-1, ::-1], 4: PIXELS[::-1], 5: PIXELS.transpose(1, 0, 2),
        6: PIXELS.transpose(1, 0, 2)[:, ::-1], 7: PIXELS.transpose(1, 0, 2)[::-1, ::-1],
        8: PIXELS.transpose(1, 0, 2)[::-1],
    }[orientation]  # fmt: skip
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "PNG": {}, "WEBP": {"lossless": True}}[kind]
    content = _encode(kind, orientation=orientation, **options)
    image = _read(tmp_path, content, "a.img")
    assert image.shape == upright.shape and np.abs(image.astype(int) - upright).max() <= (4 if kind == "JPEG" else 0)
    assert images.image_size(str(tmp_path / "a.img")) == upright.shape[:2]
    if tfio is not None and kind == "JPEG":
        assert int(tfio.experimental.image.decode_jpeg_exif(content)) == orientation


BOMB = """
import resource, sys, tracemalloc
from tfwarpgan.data.pictures import images
from tfwarpgan.data.pictures.framing import Framing
from tfwarpgan.errors import InputError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tracemalloc.start()
framed = lambda path: images.framed_jpeg(path, Framing(64, 64))
for read in (images.check_image, images.image_size, images.read_rgb, framed):
    try:
        read(sys.argv[1])
    except InputError as error:
        assert "limit" in str(error) and "pixels" in str(error), error
    else:
        raise AssertionError("read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_huge_picture_of_one_color_takes_no_memory(tmp_path, kind):
    side = {"PNG": 12000, "WEBP": 16000, "JPEG": 65000}[kind]
    if kind == "WEBP":  # a header that claims the size is enough
        content = bytearray(_encode("WEBP", lossless=True))
        size = ((side - 1) | (side - 1) << 14).to_bytes(4, "little")
        content[21:25] = size
        (tmp_path / "bomb").write_bytes(content)
    elif kind == "JPEG":  # likewise
        content = bytearray(_encode("JPEG"))
        start = content.index(b"\xff\xc0") + 5
        content[start : start + 4] = side.to_bytes(2, "big") * 2
        (tmp_path / "bomb").write_bytes(content)
    else:
        Image.fromarray(np.zeros((side, side), np.uint8)).save(tmp_path / "bomb", kind)
    result = subprocess.run(
        [sys.executable, "-c", BOMB, str(tmp_path / "bomb")], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    grown, traced = map(int, result.stdout.split())
    assert grown < 20_000 and traced < 2**23  # kilobytes of the process, bytes of Python
