"""Files and folders that are written completely or not at all, and images as the bytes of a file."""

import contextlib
import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.storage import locks, object_store

UNFINISHED = ".writing-"  # how the names of unfinished folders begin


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
        raise _unwritable(path, error.strerror or str(error)) from None


def check_place(path: str) -> None:
    """Refuses a file that could not be written, before what takes long; nothing is created.

    Raises:
        InputError: If a folder has its name, or its own folder is none or does not let it be written.
    """
    path = os.path.expanduser(path)
    if object_store.is_remote(path):
        return
    if os.path.isdir(path):
        raise _unwritable(path, "it is a folder")
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        raise _unwritable(path, f"{parent} is no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise _unwritable(path, os.strerror(errno.EACCES))


def _unwritable(path: str, reason: str) -> InputError:
    return InputError(f"{path} cannot be written ({reason}); make room, or choose another place.")


@contextlib.contextmanager
def unfinished_folder(parent: str) -> Iterator[str]:
    """A new folder, for its user to fill and to rename; it is removed if that fails.

    Those that killed processes have left in the same place are removed first. Whoever fills one holds its lock.

    Args:
        parent: Folder that it is made in, which is created if needed; on this machine.
    """
    os.makedirs(parent, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with locks.locked(parent):  # nobody may see a new folder before its lock is held
            for name in os.listdir(parent):
                if name.startswith(UNFINISHED):
                    _remove_abandoned(os.path.join(parent, name))
            folder = tempfile.mkdtemp(prefix=UNFINISHED, dir=parent)
            os.chmod(folder, 0o755)  # mkdtemp keeps other users out, including that of a server
            stack.enter_context(locks.held(folder))
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _remove_abandoned(folder: str) -> None:
    with locks.held(folder) as is_held:
        if is_held:
            shutil.rmtree(folder, ignore_errors=True)


def flush_folder(folder: str) -> None:
    """Returns once all files and folders in a folder, and it too, are on the disk."""
    for place, _, names in os.walk(folder, topdown=False):
        for path in [*(os.path.join(place, name) for name in names), place]:
            flush(path)


def flush(path: str) -> None:
    """Returns once a file, or the list of a folder's names, is on the disk; does nothing where systems have no such."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
