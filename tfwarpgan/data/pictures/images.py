"""Images from files: checked before they are decoded, upright, RGB.

Pillow decodes here, since it honors EXIF and reads what cameras and web sites give (JPEG, PNG, WebP, AVIF, ...); the
training pipeline decodes prepared JPEGs with tf.io. Values are uint8 [H, W, 3] here and float32 in [-1, 1] in networks.
"""

import os
import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from tfwarpgan.data.pictures.files import Box
from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import encode_jpeg
from tfwarpgan.typing import Pixels, Size

T = TypeVar("T")

MAX_PIXELS = 40_000_000
MIN_SIDE = 16
_TURNED_SIZE = (5, 6, 7, 8)  # EXIF orientations that exchange height and width
_ORIENTATION = 0x0112
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
    if min(size) < MIN_SIDE:
        raise InputError(
            f"{path} is {size[1]} x {size[0]} pixels; an image of a person needs at least {MIN_SIDE} per side."
        )
    return size


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
    return decode_file(path, lambda image: np.asarray(_rgb(used_part(path, ImageOps.exif_transpose(image)))))


def jpeg_of_size(path: str, height: int, width: int) -> tuple[bytes, Size]:
    """The image as a JPEG of exactly one size: the file's own bytes where they are that already.

    Args:
        path: File of the image.
        height: Height wanted, pixels.
        width: Width wanted, pixels.

    Returns:
        (JPEG bytes, (height, width) of the upright image in the file).

    Raises:
        InputError: As `check_image`.
    """
    size = check_image(path)
    is_whole = getattr(path, "crop", None) is None
    if is_whole and decode_file(path, lambda image: _is_plain_jpeg(image) and image.size == (width, height)):
        with open(path, "rb") as file:
            return file.read(), size
    return encode_jpeg(resize(read_rgb(path), height, width)), size


def resize(image: Pixels, height: int, width: int) -> Pixels:
    """Resizes uint8 [H, W, 3] to [height, width, 3], bicubic, filtered when it shrinks."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def decode_file(path: str, use: Callable[[Image.Image], T]) -> T:
    """Opens an image file, refuses it by its header where it is too large, and returns what `use` makes of it.

    Args:
        path: File of the image.
        use: Function of the opened, not yet decoded `PIL.Image.Image`.

    Returns:
        `use(image)`.

    Raises:
        InputError: If the file is missing, is not a whole image or is too large.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} is missing; expected an image there.")
    if not os.path.getsize(path):
        raise InputError(f"{path} is empty (0 bytes); expected an image.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is lower
            image = Image.open(path, formats=_FORMATS)
        with image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"{path} is {image.width} x {image.height} pixels; the limit is {MAX_PIXELS} in total."
                )
            return use(image)
    except InputError:
        raise
    except Image.DecompressionBombError:
        raise InputError(f"{path} is above the limit of {MAX_PIXELS} pixels; make it smaller.") from None
    except Exception as error:  # on malformed files Pillow's decoders raise nearly every type there is
        reason = " ".join(str(error).replace(str(path), "").split())
        raise InputError(f"{path} cannot be read as an image ({reason}); replace the file.") from None


def used_part(path: str, image: Image.Image) -> Image.Image:
    """The part of an upright `PIL.Image.Image` that a `files.ImageFile` says is used."""
    crop = getattr(path, "crop", None)
    if crop is None:
        return image
    x, y, width, height = crop
    _check_crop(path, crop, image.height, image.width)
    return image.crop((x, y, x + width, y + height))


def _used_size(path: str, image: Image.Image) -> Size:
    turned = image.getexif().get(_ORIENTATION) in _TURNED_SIZE
    height, width = (image.width, image.height) if turned else (image.height, image.width)
    crop = getattr(path, "crop", None)
    if crop is None:
        return height, width
    _check_crop(path, crop, height, width)
    return crop[3], crop[2]


def _check_crop(path: str, crop: Box, height: int, width: int) -> None:
    x, y, crop_width, crop_height = crop
    if x + crop_width > width or y + crop_height > height:
        raise InputError(
            f"{path} is {width} x {height} pixels, too small for --picture_crop={x},{y},{crop_width},{crop_height}; "
            "leave the flag out if the images are already cropped."
        )


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
