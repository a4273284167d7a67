"""What the disk may refuse, as one sentence."""

import contextlib
import errno
import os

from tfwarpgan.errors import InputError

_NO_SPACE = os.strerror(errno.ENOSPC)


@contextlib.contextmanager
def disk_errors(path, flag):
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
            f"{path} cannot be written ({reason}); free the place or choose another one by {flag}."
        ) from error


def _reason(error):
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
