"""The page and its calls over HTTP, for the browsers of this machine alone.

Who is asked by another name than its own does not answer, so that no page elsewhere reaches it through a name that
leads here; a call has to be JSON, which no form of another page can send. Pictures are in memory only, as long as a
call lasts, and no log tells of them. One call runs at a time, a few wait, and more are sent away.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import importlib.resources
import json
import os
from collections.abc import Callable, Mapping

from absl import logging
from aiohttp import web

from tfwarpgan.errors import InputError
from tfwarpgan.photo_studio.calls import Studio, Values
from tfwarpgan.serving.service.admission import Admission
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.rest.bodies import is_packed, read
from tfwarpgan.serving.service.rest.listener import Listener
from tfwarpgan.serving.service.rest.requests import parsed
from tfwarpgan.serving.wire.statuses import HTTP_STATUSES, ServingError

ADDRESS, NAMES = "127.0.0.1", ("127.0.0.1", "localhost")
LARGEST_BODY, BODIES_BYTES = 32 * 2**20, 64 * 2**20  # of one call, and of all
MOST_CALLS = 8  # one that runs, and those that wait
BODY_SECONDS = 30.0
RETRY_SECONDS = 2
JSON = "application/json"
INDEX, FACTS = "index.html", "facts.json"
KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": JSON,
}  # fmt: skip
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Server": "tfwarpgan",
    "X-Content-Type-Options": "nosniff",
}


class StudioServer:
    """The server."""

    def __init__(self, studio: Studio) -> None:
        """Prepares a server that does not listen yet."""
        self._calls: Mapping[str, Callable[[Values], Values]] = studio.calls
        self._files = web_files() | {FACTS: json.dumps(studio.facts()).encode()}
        self._admission = Admission(MOST_CALLS, BODIES_BYTES)
        self._worker = concurrent.futures.ThreadPoolExecutor(1, "studio")
        self._listener = Listener(self._answer, _refusal)

    def start(self, port: int) -> str:
        """Listens; returns the page's address.

        Raises:
            InputError: If the port cannot be used.
        """
        self._listener.start(ADDRESS, port)
        self._hosts = {f"{name}:{self._listener.port}" for name in NAMES}
        return f"http://{ADDRESS}:{self._listener.port}/"

    def stop(self, seconds: float = 5.0) -> None:
        """Takes no more calls, and waits for those that run, for this many seconds at most."""
        self._listener.stop()
        self._listener.drain(seconds)
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        try:
            response = await self._found(request)
        except web.HTTPException as error:
            response = _refusal(error.status, error.text or error.reason)
        except InputError as error:
            response = _refusal(422, str(error))
        except ServingError as error:
            response = _refusal(HTTP_STATUSES[error.code], error.text)
        except Exception:
            logging.exception("A call failed for a reason that is not the user's.")
            response = _refusal(500, "The studio failed; its window says why.")
        if not request.content.is_eof():  # what was not read of a body is no next request
            response.force_close()
        return response

    async def _found(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Host", "").lower() not in self._hosts:
            return _refusal(421, f"The studio answers as {ADDRESS} and localhost only.")
        name = request.rel_url.raw_path.lstrip("/")
        if request.method in ("GET", "HEAD"):
            name = name or INDEX
            if name not in self._files:
                raise web.HTTPNotFound(text="There is no such page.")
            return _response(self._files[name], KINDS[os.path.splitext(name)[1]])
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, ("GET", "HEAD", "POST"), text="A call is POST.")
        if name not in self._calls:
            raise web.HTTPNotFound(text="There is no such call.")
        if request.content_type != JSON or is_packed(request):
            raise web.HTTPUnsupportedMediaType(text=f"A call is JSON (Content-Type: {JSON}), not compressed.")
        return await self._called(request, self._calls[name])

    async def _called(self, request: web.BaseRequest, call: Callable[[Values], Values]) -> web.Response:
        with contextlib.ExitStack() as stack:
            try:
                grow = stack.enter_context(self._admission.entered())
                body = await read(request, LARGEST_BODY, Deadline(BODY_SECONDS), grow)
            except ServingError:
                return _refusal(503, "Other pictures are being drawn; try again in a moment.")
            job = self._worker.submit(lambda: json.dumps(call(parsed(body))).encode())
            held = stack.pop_all()
            job.add_done_callback(lambda _: held.close())  # also that of a call which nobody waits for
        with self._listener.connections.run(request):
            return _response(await asyncio.wrap_future(job), JSON)  # who goes away takes a call along that waits


def web_files() -> dict[str, bytes]:
    """Name -> content of the files that make the page."""
    folder = importlib.resources.files("tfwarpgan.photo_studio").joinpath("web")
    return {file.name: file.read_bytes() for file in folder.iterdir() if os.path.splitext(file.name)[1] in KINDS}


def _response(content: bytes, kind: str, status: int = 200) -> web.Response:
    return web.Response(body=content, status=status, headers={**HEADERS, "Content-Type": kind})


def _refusal(status: int, sentence: str) -> web.Response:
    response = _response(json.dumps({"error": sentence}).encode(), JSON, status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
