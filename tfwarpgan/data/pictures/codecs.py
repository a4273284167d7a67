"""tensorflow-io's image codecs, as far as they can be used; Pillow decodes the rest, and all of it elsewhere.

Measured with tensorflow-io 0.36: its WebP gives Pillow's pixels, so it is used where it is installed. Its AVIF is up
to 16 of 255 off and drops transparency, and its EXIF reader ends the process on malformed files: both are Pillow's.
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from tfwarpgan.typing import Array

_PROCESS = os.getpid()  # TensorFlow's threads do not outlive a fork


def decode_webp(path: str) -> Array | None:
    """The pixels of a WebP file by tensorflow-io.

    Args:
        path: File whose header was checked.

    Returns:
        uint8 [H, W, 4], or None where tensorflow-io is not there or refuses the file: then Pillow is to decode it.
    """
    if "tensorflow" not in sys.modules or os.getpid() != _PROCESS:
        return None
    decode = _webp_decoder()
    if decode is None:
        return None
    with open(path, "rb") as file:
        content = file.read()
    try:
        return decode(content).numpy()
    except sys.modules["tensorflow"].errors.InvalidArgumentError:
        return None


@functools.cache
def _webp_decoder() -> Callable[[bytes], Any] | None:
    try:
        from tensorflow_io.python.api.image import decode_webp
    except (ImportError, NotImplementedError):
        return None
    return decode_webp
