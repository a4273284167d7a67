"""Files that are written completely or not at all, and images as the bytes of a file."""

import io
import os
import tempfile
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.storage import object_store


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """PNG bytes of uint8 [H, W, 3] or [H, W]."""
    return _encode(image, "PNG")


def encode_jpeg(image: npt.NDArray[np.uint8]) -> bytes:
    """JPEG bytes of uint8 [H, W, 3]: quality 95, colors at full resolution."""
    return _encode(image, "JPEG", quality=95, subsampling=0)


def _encode(image: npt.NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def save_png(path: str | os.PathLike[str], image: npt.NDArray[np.uint8]) -> None:
    """Writes a uint8 image, [H, W, 3] or [H, W], as PNG; the file appears whole or not at all."""
    write_atomically(path, encode_png(image))


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes bytes (or text, as UTF-8) under another name, then renames. Creates folders; takes remote paths too.

    Raises:
        InputError: If the file cannot be written; no part of it is left behind.
    """
    content = content.encode() if isinstance(content, str) else content
    path = os.path.expanduser(os.fspath(path))
    if object_store.is_remote(path):
        object_store.write(path, content)
        return
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".writing_", dir=os.path.dirname(path) or ".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:  # Ctrl-C too
            os.remove(temporary)
            raise
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); make room, or choose another place."
        ) from None
