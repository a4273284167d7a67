"""Paths in object stores, `s3://`, `gs://` and `hdfs://`, through tensorflow-io; imported only where one is named.

TensorFlow reads records, and writes checkpoints and events, there by itself once tensorflow-io is imported. The rest
goes through here: a data set is copied to this machine before it is read, since it is read file by file.
"""

import atexit
import concurrent.futures
import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile

from tfwarpgan.errors import InputError

COPIES_DIR = "~/.cache/tfwarpgan/copies"
CONNECTIONS = 16  # files that travel at once
_connected = set()  # the schemes that this process has used
_REMOTE = re.compile(r"(s3|gs|hdfs)://")


def is_remote(path):
    """Whether a path lies in an object store."""
    return bool(_REMOTE.match(os.fspath(path)))


def connect(path):
    """Makes TensorFlow understand a remote path; gives its file functions, `tf.io.gfile`.

    Raises:
        InputError: If tensorflow-io is missing; it says what to install.
    """
    import tensorflow as tf

    try:
        import tensorflow_io  # noqa: F401  registers the file systems
    except (ImportError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} needs tensorflow-io ({reason}): pip install 'tensorflow-io==0.36.*', which there is for "
            "TensorFlow 2.15, so for Python 3.10 and 3.11; or name a local folder."
        ) from None
    _connected.add(path.split("://")[0])
    return tf.io.gfile


def exit_process(code):
    """Ends the process with this exit code if an object store was used, else does nothing.

    tensorflow-io's S3 aborts ("pure virtual method called") while Python takes itself down, when all is done and
    written; so Python's own last steps are taken here, and the system's are left out.

    Args:
        code: As `sys.exit` takes it.
    """
    if not _connected:
        return
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


@contextlib.contextmanager
def remote_errors(path):
    """Turns what an object store says into an `InputError`."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        reason = " ".join(str(error.message or type(error).__name__).split())[:200]
        raise InputError(
            f"{path} cannot be used ({reason}); look at its name, and at the store's credentials."
        ) from None


def exists(path):
    """As `os.path.exists`, for local and remote paths."""
    if not is_remote(path):
        return os.path.exists(path)
    with remote_errors(path):
        return connect(path).exists(path)


def read(path):
    """The bytes of a remote file."""
    with remote_errors(path), connect(path).GFile(path, "rb") as file:
        return file.read()


def write(path, content):
    """Writes a remote file; object stores show a file once it is whole."""
    with remote_errors(path), connect(path).GFile(path, "wb") as file:
        file.write(content)


def local_file(path):
    """A local file with the content of a remote one, for this process' life; a local path is given back."""
    if not is_remote(path):
        return path
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    local = os.path.join(folder, os.path.basename(path))
    with open(local, "wb") as file:
        file.write(read(path))
    return local


def local_copy(path):
    """Copies a remote file or folder to this machine, or what of it is new since the last time.

    Args:
        path: Remote; a local path is given back as it is.

    Returns:
        The local path.

    Raises:
        InputError: If there is nothing at the path, or it cannot be reached.
    """
    if not is_remote(path):
        return path
    path = path.rstrip("/")
    place = hashlib.sha256(path.encode()).hexdigest()[:12]
    target = os.path.join(os.path.expanduser(COPIES_DIR), place, os.path.basename(path))
    with remote_errors(path):
        gfile = connect(path)
        if not gfile.exists(path):
            raise InputError(f"{path} is missing; look at its name, and at the store's credentials.")
        names = list(_names(gfile, path)) if gfile.isdir(path) else [""]
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda name: _fetch(gfile, _join(path, name), _join(target, name)), names))
    return target


def upload(folder, path, last=""):
    """Copies a local folder into an object store.

    Args:
        folder: Local.
        path: Remote folder.
        last: Name of the file that is copied after all others: where it is, the rest is.
    """
    with remote_errors(path):
        gfile = connect(path)
        names = [os.path.relpath(os.path.join(at, name), folder) for at, _, files in os.walk(folder) for name in files]
        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            copies = [(_join(folder, name), _join(path, name)) for name in names if name != last]
            list(pool.map(lambda pair: gfile.copy(*pair, overwrite=True), copies))
        if last:
            gfile.copy(_join(folder, last), _join(path, last), overwrite=True)


def _names(gfile, path):
    for place, _, names in gfile.walk(path):
        for name in names:
            yield _join(place, name)[len(path) + 1 :]


def _join(folder, name):
    return f"{folder.rstrip('/')}/{name}" if name else folder


def _fetch(gfile, path, target):
    """Copies a file that is not here yet in its present state; it appears whole."""
    there = gfile.stat(path)
    modified = there.mtime_nsec // 10**9
    if os.path.exists(target):
        here = os.stat(target)
        if here.st_size == there.length and int(here.st_mtime) == modified:
            return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    gfile.copy(path, target + ".partial", overwrite=True)
    os.utime(target + ".partial", (modified, modified))
    os.replace(target + ".partial", target)
