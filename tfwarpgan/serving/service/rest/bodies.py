"""The bodies of requests: read as they come, by Content-Length or in chunks, within a size and a time."""

from __future__ import annotations

import asyncio

from aiohttp import web

from tfwarpgan.serving.service.admission import Grow
from tfwarpgan.serving.service.compression import claimed_size
from tfwarpgan.serving.service.deadlines import Deadline

IDENTITY, GZIP = "identity", "gzip"


async def read(request: web.BaseRequest, largest: int, deadline: Deadline, grow: Grow) -> bytes:
    """The body of a request as it was sent.

    Args:
        request: Its header has come.
        largest: Bytes that it may have.
        deadline: Until when it must have come.
        grow: Is told of its bytes as they come, so that those which were only announced take no room from others.

    Raises:
        web.HTTPException: If it is too large, too late, or not what its header says.
        ServingError: If there is no room.
    """
    if _encoding(request) not in (IDENTITY, GZIP):
        raise web.HTTPUnsupportedMediaType(text=f"Content-Encoding must be {GZIP} or {IDENTITY}")
    if (request.content_length or 0) > largest:
        raise _too_large(largest)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await asyncio.wait_for(_read(request, largest, grow), deadline.left())
    except asyncio.TimeoutError:
        raise web.HTTPRequestTimeout(text="The body did not come in time") from None
    except web.RequestPayloadError as error:
        raise web.HTTPBadRequest(text=f"The body is malformed: {error}") from None
    if is_packed(request) and claimed_size(body) > largest:
        raise _too_large(largest)
    return body


def is_packed(request: web.BaseRequest) -> bool:
    """Whether gzip has compressed the body."""
    return _encoding(request) == GZIP


def takes_gzip(request: web.BaseRequest) -> bool:
    """Whether the client takes an answer that gzip has compressed."""
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == GZIP:
            return quality.replace(" ", "").rstrip("0.") != "q="
    return False


def _encoding(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Encoding", IDENTITY).lower()


async def _read(request: web.BaseRequest, largest: int, grow: Grow) -> bytes:
    body = bytearray()
    async for part in request.content.iter_any():
        if len(body) + len(part) > largest:
            raise _too_large(largest)
        grow(len(part))
        body += part
    return bytes(body)


def _too_large(largest: int) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(largest, text=f"The body is too large: {largest} bytes at most")
