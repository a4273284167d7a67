"""Places where data is kept: what they may refuse, as one sentence, and one writer at a time."""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator

import filelock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from tfwarpgan.errors import InputError
from tfwarpgan.storage.object_store import is_remote

_NO_SPACE = os.strerror(errno.ENOSPC)


@contextlib.contextmanager
def disk_errors(path: str, flag: str) -> Iterator[None]:
    """Turns what the system says against writing, as that the disk is full, into an `InputError`; other errors pass.

    Args:
        path: What is being written, for the message.
        flag: The flag that chooses another place, for the message.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise InputError(
            f"{path} cannot be written ({reason}); make room, or choose another place with {flag}."
        ) from error


def _reason(error: BaseException | None) -> str | None:
    """What the disk said, anywhere in the chain of errors: libraries wrap it, and TensorFlow has types of its own."""
    while error is not None:
        if isinstance(error, OSError) and error.errno:
            return os.strerror(error.errno)
        if _NO_SPACE in str(error):
            return _NO_SPACE
        if type(error).__name__ == "PermissionDeniedError":
            return os.strerror(errno.EACCES)
        error = error.__cause__ or error.__context__
    return None


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Waits until no other process of this user on this machine holds the same folder.

    The system releases it when the process ends, however it ends. The lock itself is a file in the system's folder for
    temporary files, so that nothing is left behind. In object stores there is no waiting.

    Args:
        folder: Its path, whether there is such a folder or not.
    """
    if is_remote(folder):
        yield
        return
    name = hashlib.sha256(os.path.realpath(folder).encode()).hexdigest()[:16]
    user = os.getuid() if hasattr(os, "getuid") else 0
    with filelock.FileLock(os.path.join(tempfile.gettempdir(), f"tfwarpgan-{user}-{name}.lock")):
        yield


@contextlib.contextmanager
def held(folder: str) -> Iterator[bool]:
    """Holds a folder without waiting; gives whether it could, which is never where folders have no locks.

    The lock is the folder's own, not a file's as in `locked`: so it holds for other users and machines that share the
    folder too, stays with it when it is renamed, and leaves nothing behind. `filelock` has none of that kind.
    """
    descriptor = None
    with contextlib.suppress(OSError):
        descriptor = hold(folder)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def hold(folder: str) -> int | None:
    """Holds a folder as `held` does, until the descriptor is closed, here and in each child process that was given it.

    Returns:
        The descriptor; None where there are no such locks.

    Raises:
        OSError: If there is no such folder; BlockingIOError if another process holds it.
    """
    if not fcntl:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def remove_empty_folders(folder: str) -> None:
    """Removes the empty folders in a folder, and it too if nothing else is in it."""
    for place, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(place)
