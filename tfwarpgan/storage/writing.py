"""Files that are written whole or not at all, and images as the bytes of a file."""

import io
import os
import tempfile

import numpy as np
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.storage import object_store


def encode_png(image):
    """PNG bytes of uint8 [H, W, 3] or [H, W]."""
    return _encode(image, "PNG")


def encode_jpeg(image):
    """JPEG bytes of uint8 [H, W, 3]: quality 95, colours at full resolution."""
    return _encode(image, "JPEG", quality=95, subsampling=0)


def _encode(image, kind, **options):
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(stream, kind, **options)
    return stream.getvalue()


def save_png(path, picture):
    """Writes a uint8 picture, [H, W, 3] or [H, W], as PNG; the file appears whole or not at all."""
    write_atomically(path, encode_png(picture))


def write_atomically(path, content):
    """Writes bytes (or text, as UTF-8) beside the path, then renames; folders are made as needed. Remote paths too.

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
            f"{path} cannot be written ({error.strerror or error}); free the place or choose another one."
        ) from None
