"""REST over HTTP: which requests are taken, how much of them at a time, and how they end.

HTTP itself is aiohttp's, on one thread that never waits for a client or a model; runs are waited for on others.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING

from absl import logging
from aiohttp import web

from tfwarpgan.serving.service.admission import FULL, Admission
from tfwarpgan.serving.service.compression import unpacked
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.metrics import REST
from tfwarpgan.serving.service.model_service import ModelService
from tfwarpgan.serving.service.prediction_service import PredictionService
from tfwarpgan.serving.service.request_log import RequestLog
from tfwarpgan.serving.service.rest import answers
from tfwarpgan.serving.service.rest.api import RestApi, malformed
from tfwarpgan.serving.service.rest.bodies import is_packed, read, takes_gzip
from tfwarpgan.serving.service.rest.connections import MOST_CONNECTIONS
from tfwarpgan.serving.service.rest.listener import Listener
from tfwarpgan.serving.wire.statuses import HTTP_STATUSES, ServingError, serving_error

if TYPE_CHECKING:
    from tfwarpgan.serve import ServeOptions

MOST_RUNS = 192  # at a time; each holds a thread
LARGEST_BODY, BODIES_BYTES = 128 * 2**20, 256 * 2**20  # of one request, and of all that are being read or answered
JSON, TEXT = "application/json", "text/plain; version=0.0.4; charset=utf-8"
METHODS = "GET, HEAD, OPTIONS, POST"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "Content-Type, Content-Encoding, traceparent",
}
WORTH_PACKING = 1024  # bytes


class RestServer:
    """The server."""

    def __init__(
        self,
        options: ServeOptions,
        prediction_service: PredictionService,
        model_service: ModelService,
        request_log: RequestLog,
        metrics_path: str | None,
    ) -> None:
        """Prepares a server that does not listen yet.

        Args:
            options: `ServeOptions`.
            prediction_service, model_service: What answers.
            request_log: Of single requests.
            metrics_path: Path of the metrics' page, or None.
        """
        self._options, self._log, self._metrics_path = options, request_log, metrics_path
        self._api = RestApi(prediction_service, model_service)
        self._metrics = prediction_service.metrics
        self._bodies = Admission(MOST_CONNECTIONS, BODIES_BYTES)
        # What needs no run, such as a probe's question, never waits for one.
        self._quick, self._slow = (concurrent.futures.ThreadPoolExecutor(most, "rest") for most in (4, MOST_RUNS))
        self._is_leaving = False
        self._listener = Listener(
            self._answer, lambda status, text: self._response(answers.error(text).encode(), status)
        )

    def start(self) -> None:
        """Listens.

        Raises:
            InputError: If the port cannot be used.
        """
        self._listener.start(self._options.address, max(self._options.rest_api_port, 0))

    @property
    def port(self) -> int | None:
        """The port that it listens on, or None."""
        return self._listener.port

    def lame_duck(self) -> None:
        """Ends each connection with its next answer, while requests are still taken."""
        self._is_leaving = True

    def stop(self) -> None:
        """Takes no more requests, not on open connections either; does not wait for running ones, see `drain`."""
        self._is_leaving = True
        self._listener.stop()

    def drain(self, seconds: float) -> bool:
        """Waits for running requests, for this many seconds at most; returns whether they are answered."""
        is_drained = self._listener.drain(seconds)
        for pool in (self._quick, self._slow):
            pool.shutdown(wait=False)
        return is_drained

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        path = request.rel_url.raw_path
        known = {"entrypoint": REST, "method": request.method, "path": path, "peer": request.remote}
        with self._log.request(request.headers, **known) as said:
            try:
                response = await self._found(request, path, said)
            except web.HTTPException as error:
                response = self._response(answers.error(error.text or error.reason).encode(), error.status)
            except Exception as error:
                failure = serving_error(error)
                if failure is not error:
                    logging.exception("A request failed for a reason that is not the client's.")
                response = self._response(answers.error(failure.text).encode(), HTTP_STATUSES[failure.code])
            if not request.content.is_eof():  # what was not read of a body is no next request
                response.force_close()
            said["status"] = response.status
            return response

    async def _found(self, request: web.BaseRequest, path: str, said: dict[str, object]) -> web.Response:
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            return self._response(b"", 204, {"Allow": METHODS})
        if method == "GET" and path == self._metrics_path:
            return await self._made(request, self._quick.submit(self._packed, request, self._metrics.text), TEXT)
        if not path.lower().startswith("/v1/"):
            raise web.HTTPNotFound(text="Not found")
        if method == "GET":
            return await self._made(request, self._quick.submit(self._packed, request, lambda: self._api.get(path)))
        if method != "POST":
            raise malformed(method, path)
        return await self._posted(request, path, said)

    async def _posted(self, request: web.BaseRequest, path: str, said: dict[str, object]) -> web.Response:
        deadline = Deadline(self._options.rest_api_timeout_in_ms / 1000)
        with contextlib.ExitStack() as stack:
            grow = stack.enter_context(self._bodies.entered())
            body = await read(request, LARGEST_BODY, deadline, grow)
            said["request_bytes"] = len(body)
            if self._listener.connections.runs >= MOST_RUNS:
                raise ServingError("UNAVAILABLE", f"{FULL}; {MOST_RUNS} requests are being answered")

            def post() -> str:
                sent = unpacked(body, LARGEST_BODY, grow) if is_packed(request) else body
                return self._api.post(path, sent, deadline, said)

            job = self._slow.submit(self._packed, request, post)
            held = stack.pop_all()
            job.add_done_callback(lambda _: held.close())  # also that of a run which nobody waits for
        with self._listener.connections.run(request):
            try:
                return await self._made(request, job)
            except asyncio.CancelledError:
                deadline.leave()
                raise

    def _packed(self, request: web.BaseRequest, function: Callable[[], str]) -> tuple[bytes, bool]:
        """What a function gives as bytes, and whether gzip has compressed them."""
        data = function().encode()
        if len(data) < WORTH_PACKING or not takes_gzip(request):
            return data, False
        return gzip.compress(data, compresslevel=1), True

    async def _made(
        self, request: web.BaseRequest, job: concurrent.futures.Future[tuple[bytes, bool]], kind: str = JSON
    ) -> web.Response:
        data, packed = await asyncio.wrap_future(job)
        headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
        return self._response(data, 200, headers, kind)

    def _response(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, kind: str = JSON
    ) -> web.Response:
        cors = CORS if self._options.rest_api_enable_cors_support else {}
        every = {"Content-Type": kind, "Server": "tfwarpgan"} | cors
        response = web.Response(body=body, status=status, headers=every | (headers or {}))
        if self._is_leaving:
            response.force_close()
        return response
