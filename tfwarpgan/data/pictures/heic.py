"""HEIC, in which telephones save photographs: read by pillow-heif, and named where that is not installed."""

import functools

from tfwarpgan.errors import InputError

FORMAT = "HEIF"  # what pillow-heif calls it to Pillow
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def is_heic(path: str) -> bool:
    """Whether a file is HEIC by its first bytes; AVIF, which begins in the same way, is not."""
    with open(path, "rb") as file:
        start = file.read(64)
    return start[4:8] == b"ftyp" and start[8:12] in _BRANDS and b"avif" not in start[16:]


def register(path: str) -> bool:
    """Teaches Pillow to open HEIC; true.

    Raises:
        InputError: If pillow-heif is not installed; it names the file.
    """
    if not _registered():
        raise InputError(
            f"{path} is a HEIC photograph, which needs pillow-heif: pip install 'tfwarpgan[heic]', or save it as JPEG."
        )
    return True


@functools.cache
def _registered() -> bool:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True
