"""Pictures one after the other in one file, which plays in a loop: WebP, GIF and PNG by Pillow, MP4 by ffmpeg."""

import functools
import io
import os
from collections.abc import Sequence
from typing import Any

from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.photographs import ffmpeg
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.typing import Picture

# What Pillow saves by the suffix, beside the pictures.
_OPTIONS: dict[str, dict[str, Any]] = {
    ".webp": {"format": "WEBP", "quality": 90, "method": 6},
    ".gif": {"format": "GIF", "disposal": 1},
    ".png": {"format": "PNG"},
}


def save_animation(path: str, pictures: Sequence[Picture], frames_per_second: float) -> None:
    """Writes a sequence, whole or not at all; it plays forever, but for MP4.

    Args:
        path: File, whose suffix says the format: .webp, .gif, .png (APNG) or .mp4.
        pictures: uint8 [H, W, 3], of one size.
        frames_per_second: Of all of them.

    Raises:
        InputError: If the file cannot be written, or MP4 lacks ffmpeg, see `ffmpeg.mp4`.
    """
    suffix = os.path.splitext(path)[1].lower()
    encode = functools.partial(ffmpeg.mp4, path) if suffix == ".mp4" else functools.partial(encode_animation, suffix)
    write_atomically(path, encode(pictures, frames_per_second))


def encode_animation(suffix: str, pictures: Sequence[Picture], frames_per_second: float) -> bytes:
    """The bytes of a sequence that plays forever, by Pillow: see `save_animation`, without .mp4."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    stream = io.BytesIO()
    duration = round(1000 / frames_per_second)
    first.save(stream, save_all=True, append_images=others, duration=duration, loop=0, **_OPTIONS[suffix])
    return stream.getvalue()


def check_animation(path: str) -> None:
    """Refuses a file that cannot be written here, before anything is drawn; InputError."""
    suffixes = (*_OPTIONS, ".mp4")
    if not path.lower().endswith(suffixes):
        raise InputError(f"--output={path} must end in {' or '.join(suffixes)}.")
    if path.lower().endswith(".mp4"):
        ffmpeg.find_ffmpeg(path, "write .webp, .gif or .png")
