"""Compressed requests: a few kilobytes may stand for gigabytes, so their size is known before room is made for it."""

from __future__ import annotations

import zlib

from tfwarpgan.serving.service.admission import Grow
from tfwarpgan.serving.wire.statuses import ServingError

MAGIC = b"\x1f\x8b"  # gzip's; no message of ours begins so
GZIP = 16 + zlib.MAX_WBITS
SMALLEST = 18  # bytes: a header, and a trailer that ends with the size


def claimed_size(data: bytes) -> int:
    """Bytes that the data say they unpack to."""
    return int.from_bytes(data[-4:], "little") if len(data) >= SMALLEST else 0


def unpacked(data: bytes, largest: int, grow: Grow) -> bytes:
    """What gzip compressed.

    Args:
        data: One member of gzip.
        largest: Bytes that it may unpack to.
        grow: Is asked for their room before they are unpacked.

    Raises:
        ServingError: If it is larger, or there is no room now, or it is no such data.
    """
    size = claimed_size(data)
    if size > largest:
        raise ServingError("RESOURCE_EXHAUSTED", f"The request unpacks to {size} bytes; {largest} are allowed at most")
    grow(size)
    decompressor = zlib.decompressobj(GZIP)
    try:
        found = decompressor.decompress(data, size + 1)
    except zlib.error as error:
        raise ServingError("INVALID_ARGUMENT", f"The request is no valid gzip: {error}") from None
    if len(found) != size or not decompressor.eof or decompressor.unused_data:
        raise ServingError("INVALID_ARGUMENT", "The request is no valid gzip: its size is not the one that it claims")
    return found
