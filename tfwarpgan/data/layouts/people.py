"""The shipped data set: rendered people, CC0, in Market-1501's layout, unpacked from the package on first use."""

import hashlib
import importlib.resources
import os
import shutil
import tempfile

from tfwarpgan.data.pictures.archives import unpack_tar
from tfwarpgan.errors import InputError
from tfwarpgan.storage.locks import disk_errors

ARCHIVE = "people_render.tar.gz"
FOLDER = "people_128x64"


def unpack(cache_dir="~/.cache/tfwarpgan"):
    """Unpacks the shipped people, unless that was done before.

    Args:
        cache_dir: Folder that receives `people-<hash of the archive>`.

    Returns:
        Path of the folder in Market-1501's layout.

    Raises:
        InputError: If the folder cannot be written, or the package was installed without its data.
    """
    archive = importlib.resources.files("tfwarpgan.data").joinpath(ARCHIVE)
    if not archive.is_file():
        raise InputError(f"{archive} is missing; install the package again, with its package data.")
    with archive.open("rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:12]
        target = os.path.join(os.path.expanduser(cache_dir), f"people-{version}")
        if not os.path.isdir(target):
            file.seek(0)
            with disk_errors(target, "the environment variable HOME"):
                _extract(file, target)
    return os.path.join(target, FOLDER)


def _extract(file, target):
    """Extracts beside the target and renames, so that the target is whole or not there."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    partial = tempfile.mkdtemp(dir=os.path.dirname(target), prefix="people-partial-")
    try:
        unpack_tar(file, partial)
        try:
            os.rename(partial, target)
        except OSError:
            if not os.path.isdir(target):  # else another process was faster
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
