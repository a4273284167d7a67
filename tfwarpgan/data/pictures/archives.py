"""Archives are unpacked member by member: files and folders only, inside of one folder, of a bounded size."""

import os
import shutil
import tarfile
import zlib

from tfwarpgan.data.pictures.files import leaves
from tfwarpgan.errors import InputError

MAX_BYTES = 4 * 2**30
MAX_MEMBERS = 1_000_000


def unpack_tar(file, folder, max_bytes=MAX_BYTES, max_members=MAX_MEMBERS):
    """Unpacks a tar archive, compressed or not.

    Args:
        file: Open binary file, or the archive's path.
        folder: Where to; an existing folder without links.
        max_bytes: Most that all files together may hold, whatever the archive's own size.
        max_members: Most files and folders.

    Raises:
        InputError: If it is no whole archive, or a member is a link or device, points out of the folder, comes twice,
            or goes beyond a limit. What was unpacked before stays.
    """
    where = {"name": file} if isinstance(file, (str, os.PathLike)) else {"fileobj": file}
    try:
        with tarfile.open(mode="r:*", **where) as archive:
            left = max_bytes
            for number, member in enumerate(archive, 1):
                left -= member.size
                _check(member, left, number <= max_members)
                _unpack(archive, member, os.path.join(folder, member.name))
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(":")
        raise InputError(f"{_named(file)} is no whole tar archive ({reason}); get it anew.") from None


def _check(member, left, few):
    if leaves(member.name):
        raise InputError(
            f"The archive's member {member.name[:80]!r} points out of its folder; do not use this archive."
        )
    if not (member.isreg() or member.isdir()):
        raise InputError(f"The archive's member {member.name[:80]!r} is a link or device; do not use this archive.")
    if left < 0 or not few:
        raise InputError("The archive unpacks to more than the limit; do not use it, or unpack it by hand.")


def _unpack(archive, member, path):
    if member.isdir():
        os.makedirs(path, exist_ok=True)
        return
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as target:  # never through a file that is there
            shutil.copyfileobj(archive.extractfile(member), target)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"The archive's member {member.name[:80]!r} comes twice; do not use this archive.") from None


def _named(file):
    return file if isinstance(file, (str, os.PathLike)) else getattr(file, "name", "The file")
