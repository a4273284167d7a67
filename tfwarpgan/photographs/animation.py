"""Pictures one after the other in one file, which plays in a loop: WebP, GIF and PNG by Pillow, MP4 by ffmpeg."""

import functools
import io
import os
import tempfile
from collections.abc import Sequence
from typing import Any

from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.storage.writing import write_atomically
from tfwarpgan.typing import Picture

# What Pillow saves by the suffix, beside the pictures.
_OPTIONS: dict[str, dict[str, Any]] = {
    ".webp": {"format": "WEBP", "quality": 90, "method": 6},
    ".gif": {"format": "GIF", "disposal": 1},
    ".png": {"format": "PNG"},
}
_ENLARGED = 8  # times at most that MP4's pictures are as large as the model's, since players blur small ones
_MP4_SIDE = 512


def save_animation(path: str, pictures: Sequence[Picture], frames_per_second: float) -> None:
    """Writes a sequence, whole or not at all; it plays forever, but for MP4.

    Args:
        path: File, whose suffix says the format: .webp, .gif, .png (APNG) or .mp4.
        pictures: uint8 [H, W, 3], of one size.
        frames_per_second: Of all of them.

    Raises:
        InputError: If the file cannot be written, or what writes MP4 is not installed.
    """
    suffix = os.path.splitext(path)[1].lower()
    encode = functools.partial(_mp4, path) if suffix == ".mp4" else functools.partial(encode_animation, suffix)
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
        _writer(path)


def _writer(path: str) -> Any:
    try:
        import imageio_ffmpeg
    except ImportError:
        raise InputError(
            f"{path} needs ffmpeg: pip install 'tfwarpgan[video]', or write .webp, .gif or .png."
        ) from None
    return imageio_ffmpeg.write_frames


def _mp4(path: str, pictures: Sequence[Picture], frames_per_second: float) -> bytes:
    write_frames = _writer(path)
    height, width = pictures[0].shape[:2]
    times = min(max(_MP4_SIDE // max(height, width), 1), _ENLARGED)
    size = (width * times // 2 * 2, height * times // 2 * 2)  # H.264 has even sides
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "sequence.mp4")
        frames = write_frames(file, size, fps=frames_per_second, macro_block_size=2, ffmpeg_log_level="error")
        frames.send(None)
        try:
            for picture in pictures:
                frames.send(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS).tobytes())
        finally:
            frames.close()
        with open(file, "rb") as written:
            return written.read()
