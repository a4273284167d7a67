"""Images from files: checked before they are decoded, upright, RGB.

Pillow decodes here, since it honors EXIF and reads what cameras and web sites give (JPEG, PNG, WebP, AVIF, ...); the
training pipeline decodes prepared JPEGs with tf.io. Values are uint8 [H, W, 3] here and float32 in [-1, 1] in networks.

Large photographs in JPEG are decoded at 1/2, 1/4 or 1/8 of their size, which costs little; sizes, crops and joints
still count the pixels of the file.
"""

import functools
import io
import os
import re
import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from tfwarpgan.data.pictures import heic
from tfwarpgan.data.pictures.framing import Framing, check_crop
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import encode_jpeg
from tfwarpgan.typing import Pixels, Size

T = TypeVar("T")

MAX_PIXELS = 40_000_000  # that are decoded
MAX_JPEG_PIXELS = 200_000_000  # in the file
MAX_HEIC_PIXELS = 64_000_000  # telephones' 48 million, which are all decoded
PHOTOGRAPH_PIXELS = 8_000_000  # of a photograph that are looked at
MIN_SIDE = 16
_TURNED_SIZE = (5, 6, 7, 8)  # EXIF orientations that exchange height and width
_ORIENTATION = 0x0112
_REDUCED = "reduced"  # key of an image's info: by how much it is decoded smaller than it is
# What images come in; Pillow would also open formats that run programs (EPS) or that nobody photographs in.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM")


def check_image(path: str) -> Size:
    """Decodes an image to make sure that it can be used.

    Args:
        path: File of the image.

    Returns:
        (height, width) of the upright image in pixels.

    Raises:
        InputError: If the file is missing, is not a whole image, or is too large or too small.
    """
    size = decode_file(path, lambda image: (image.load(), _used_size(path, image))[1])
    _check_sides(path, size)
    return size


def _check_sides(path: str, size: Size) -> None:
    if min(size) < MIN_SIDE:
        raise InputError(
            f"{path} is {size[1]} x {size[0]} pixels; an image of a person needs at least {MIN_SIDE} per side."
        )


def image_size(path: str) -> Size:
    """(height, width) of the upright image in pixels, from the file's header alone; InputError as `read_rgb`."""
    return decode_file(path, lambda image: _used_size(path, image))


def read_rgb(path: str) -> Pixels:
    """Reads an image upright, as RGB; transparent parts become white.

    Args:
        path: File of the image.

    Returns:
        uint8 [H, W, 3].

    Raises:
        InputError: If the file is missing, is not a whole image or is too large.
    """

    def decode(image: Image.Image) -> Pixels:
        _used_size(path, image)  # refuses a crop that the image is too small for
        return np.asarray(_rgb(used_part(path, ImageOps.exif_transpose(image))))

    return decode_file(path, decode)


def read_photograph(path: str) -> tuple[Pixels, Size]:
    """As `read_rgb`, of a photograph as large as telephones take them, of which about 8 million pixels are kept.

    Args:
        path: File of the photograph; of an animation, the first picture.

    Returns:
        (uint8 [h, w, 3], (height, width) of the upright photograph in the file, pixels).

    Raises:
        InputError: As `check_image`.
    """
    pixels, size = decode_file(path, functools.partial(_looked_at, path), PHOTOGRAPH_PIXELS)
    _check_sides(path, size)
    return pixels, size


def decode_photograph(content: bytes, name: str) -> Pixels:
    """As `read_photograph`, of what is in no file.

    Args:
        content: Bytes of a photograph in a format that browsers make.
        name: What it is called in errors.

    Raises:
        InputError: As `check_image`.
    """
    open_it = functools.partial(Image.open, io.BytesIO(content), formats=_FORMATS)
    use = functools.partial(_looked_at, name)
    pixels, size = _decode(name, open_it, use, PHOTOGRAPH_PIXELS, lambda: "choose another one")
    _check_sides(name, size)
    return pixels


def _looked_at(path: str, image: Image.Image) -> tuple[Pixels, Size]:
    size = _used_size(path, image)
    pixels = image.width * image.height
    if pixels > PHOTOGRAPH_PIXELS:  # what JPEG did not make smaller
        image.load()
        share = (PHOTOGRAPH_PIXELS / pixels) ** 0.5
        image.thumbnail((round(image.width * share), round(image.height * share)), reducing_gap=2)
    ImageOps.exif_transpose(image, in_place=True)
    return np.asarray(_rgb(image)), size


def reduced_size(size: Size) -> Size:
    """The (height, width) at which a JPEG of that size is decoded: the same, but for large photographs."""
    factor = _reduction(size[0] * size[1], MAX_PIXELS)
    return -(-size[0] // factor), -(-size[1] // factor)


def framed_jpeg(path: str, framing: Framing) -> tuple[bytes, Size]:
    """The image as a JPEG of the model's size: the file's own bytes where they are that already.

    Args:
        path: File of the image.
        framing: `Framing` whose fit is used; the crop is that of the file.

    Returns:
        (JPEG bytes, (height, width) of the used part of the upright image in the file).

    Raises:
        InputError: As `check_image`.
    """
    size = check_image(path)
    is_whole = getattr(path, "crop", None) is None
    wanted = (framing.width, framing.height)
    if is_whole and decode_file(path, lambda image: _is_plain_jpeg(image) and image.size == wanted):
        with open(path, "rb") as file:
            return file.read(), size
    return encode_jpeg(framing.image(read_rgb(path))), size


def decode_file(path: str, use: Callable[[Image.Image], T], enough: int = 0) -> T:
    """Opens an image file, refuses it by its header where it is too large, and returns what `use` makes of it.

    Args:
        path: File of the image.
        use: Function of the opened, not yet decoded `PIL.Image.Image`.
        enough: Pixels to which a JPEG is decoded smaller; 0: `MAX_PIXELS`.

    Returns:
        `use(image)`.

    Raises:
        InputError: If the file is missing, is not a whole image or is too large.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} is missing; expected an image there.")
    if not os.path.getsize(path):
        raise InputError(f"{path} is empty (0 bytes); expected an image.")

    def todo() -> str:
        return "save it as JPEG" if heic.is_heic(path) else "replace the file"

    return _decode(path, lambda: _opened(path), use, enough or MAX_PIXELS, todo)


def _decode(
    path: str,
    open_it: Callable[[], Image.Image],
    use: Callable[[Image.Image], T],
    enough: int,
    todo: Callable[[], str],
) -> T:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limits here are lower
            image = open_it()
        with image:
            _bound(path, image, enough)
            return use(image)
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"{path} is above the limit of {MAX_PIXELS} pixels; make it smaller.") from None
    except Exception as error:  # on malformed files Pillow's decoders raise nearly every type there is
        said = re.sub("<.*>", "", str(error).replace(repr(str(path)), "").replace(str(path), ""))  # a file in memory
        reason = " ".join(said.split()) or type(error).__name__
        raise InputError(f"{path} cannot be read as an image ({reason}); {todo()}.") from None


def _opened(path: str) -> Image.Image:
    """The file with its header read."""
    formats = (*_FORMATS, heic.FORMAT) if heic.is_heic(path) and heic.register(path) else _FORMATS
    try:
        return Image.open(path, formats=formats)
    except Image.DecompressionBombError:
        with open(path, "rb") as file:
            is_jpeg = file.read(3) == b"\xff\xd8\xff"
        if not is_jpeg:
            raise
        return JpegImageFile(path)  # reads the header alone, without Pillow's own limit


def _bound(path: str, image: Image.Image, enough: int) -> None:
    """Refuses an image that is too large, and has a large JPEG decoded at a smaller size."""
    pixels, limit = image.width * image.height, MAX_PIXELS
    is_jpeg = isinstance(image, JpegImageFile)
    if is_jpeg or image.format == heic.FORMAT:
        limit = MAX_JPEG_PIXELS if is_jpeg else MAX_HEIC_PIXELS
    if pixels > limit:
        raise InputError(
            f"{path} is {image.width} x {image.height} pixels; the limit is {limit} in total; make it smaller."
        )
    factor = _reduction(pixels, enough)
    if is_jpeg and factor > 1:
        size = image.size
        image.info[_REDUCED] = factor, size
        image.draft("RGB", (size[0] // factor, size[1] // factor))


def _reduction(pixels: int, enough: int) -> int:
    """By how much an image of so many pixels is decoded smaller: 1, or the least of JPEG's 2, 4 and 8 that suffices."""
    return next((factor for factor in (1, 2, 4) if pixels / factor**2 <= enough), 8)


def used_part(path: str, image: Image.Image) -> Image.Image:
    """The part of an upright `PIL.Image.Image` that a `files.ImageFile` says is used."""
    crop = getattr(path, "crop", None)
    if crop is None:
        return image
    factor, _ = image.info.get(_REDUCED, (1, None))
    if factor == 1:
        check_crop(path, crop, (image.height, image.width))
    x, y, width, height = crop
    return image.crop(tuple(round(side / factor) for side in (x, y, x + width, y + height)))


def _used_size(path: str, image: Image.Image) -> Size:
    turned = image.getexif().get(_ORIENTATION) in _TURNED_SIZE
    _, (width, height) = image.info.get(_REDUCED, (1, image.size))
    size = (width, height) if turned else (height, width)
    crop = getattr(path, "crop", None)
    if crop is None:
        return size
    check_crop(path, crop, size)
    return crop[3], crop[2]


def _is_plain_jpeg(image: Image.Image) -> bool:
    return image.format == "JPEG" and image.mode == "RGB" and image.getexif().get(_ORIENTATION, 1) == 1


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits per pixel, which Pillow would clip to 255
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
