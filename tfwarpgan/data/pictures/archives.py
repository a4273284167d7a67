"""Archives are unpacked by tarfile's own rules for data, files and folders only, and only so much of them."""

import os
import tarfile
import zlib
from typing import IO

from tfwarpgan.data.pictures.files import leaves
from tfwarpgan.errors import InputError

MAX_BYTES = 4 * 2**30
MAX_MEMBERS = 1_000_000


def unpack_tar(
    file: IO[bytes] | str | os.PathLike[str], folder: str, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS
) -> None:
    """Unpacks a tar archive, compressed or not.

    Args:
        file: Open binary file, or the archive's path.
        folder: Where to; an existing folder without links.
        max_bytes: Most that all files together may hold, whatever the archive's own size.
        max_members: Most files and folders.

    Raises:
        InputError: If it is not a complete archive, or a member is a link or device, leaves the folder, appears twice,
            or goes beyond a limit. What was unpacked before stays.
    """
    where = {"name": file} if isinstance(file, (str, os.PathLike)) else {"fileobj": file}
    try:
        with tarfile.open(mode="r:*", **where) as archive:
            left = max_bytes
            for number, member in enumerate(archive, 1):
                left -= member.size
                _check(member, os.path.join(folder, member.name), left, number <= max_members)
                archive.extract(member, folder, set_attrs=False, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(":")
        raise InputError(f"{_named(file)} is not a complete tar archive ({reason}); download it again.") from None


def _check(member: tarfile.TarInfo, path: str, left: int, few: bool) -> None:
    """What tarfile's rules for data let pass: links inside of the folder, absolute paths, which they make relative,
    members that appear twice, any size.
    """
    name = repr(member.name[:80])
    if leaves(member.name):
        raise InputError(f"The archive's member {name} points outside of its folder; do not use this archive.")
    if not (member.isreg() or member.isdir()):
        raise InputError(f"The archive's member {name} is a link or device; do not use this archive.")
    if left < 0 or not few:
        raise InputError("The archive unpacks to more than the limit; do not use it, or unpack it by hand.")
    if os.path.lexists(path) and not (member.isdir() and os.path.isdir(path)):
        raise InputError(f"The archive's member {name} appears twice; do not use this archive.")


def _named(file: IO[bytes] | str | os.PathLike[str]) -> str:
    return os.fspath(file) if isinstance(file, (str, os.PathLike)) else getattr(file, "name", "The file")
