"""Connections of HTTP clients: how many there are, which of them make room for a new one, and how they end.

A client that is slow, or says nothing, costs a connection and no thread. If there are too many, the oldest that has no
run under way is closed, so that whoever comes is always heard.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

MOST_CONNECTIONS = 512
HEADER_SECONDS = 60  # from a connection, or an answer, to the end of the next request's header
LINGERING_SECONDS = 2.0  # for what a client still sends after it was refused
WRITING_SECONDS = 60  # for a client to read its answer

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refusal = Callable[[int, str], web.StreamResponse]  # of a status and a text


class _Connection(web.RequestHandler):
    """A connection that refuses what is not HTTP in the form of all other errors."""

    refusal: Refusal

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        reason = (message or str(exc or "") or "The request failed").splitlines()[0]
        response = self.refusal(status, reason.rstrip(":"))
        response.force_close()
        return response


class Connections(web.Server):
    """The connections, each of which asks `answer`."""

    def __init__(self, answer: Answer, refusal: Refusal) -> None:
        """Connections of a server.

        Args:
            answer: Coroutine function of a request that gives its response.
            refusal: Function of a status and a text that gives the response to what is no HTTP.
        """
        super().__init__(self._handle, handler_cancellation=True)
        self._answer, self._refusal = answer, refusal
        self._tasks: dict[web.RequestHandler, asyncio.Task[Any]] = {}
        self._running: set[web.RequestHandler] = set()

    def __call__(self) -> web.RequestHandler:
        connection = _Connection(
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=HEADER_SECONDS,
            lingering_time=LINGERING_SECONDS,
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type] # which turns it off
        )
        connection.refusal = self._refusal
        return connection

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Notes a new connection, and closes an older one if there are too many."""
        super().connection_made(handler, transport)
        open_ones = [each for each in self.connections if each.transport is not None]
        if len(open_ones) > MOST_CONNECTIONS:
            next(each for each in open_ones if each not in self._running).force_close()

    @property
    def runs(self) -> int:
        """How many connections have a run under way."""
        return len(self._running)

    @contextlib.contextmanager
    def run(self, request: web.BaseRequest) -> Iterator[None]:
        """While the context lasts, the request's connection is not closed for a new one."""
        self._running.add(request.protocol)
        try:
            yield
        finally:
            self._running.discard(request.protocol)

    async def refuse(self) -> None:
        """From now on no request is taken; connections that wait for one are closed."""
        self.pre_shutdown()
        await asyncio.sleep(0)  # requests that have come whole begin to be answered
        for connection in self.connections:
            if connection not in self._tasks:
                connection.force_close()

    async def drain(self, seconds: float) -> bool:
        """Waits for what is being answered, for this many seconds at most, and closes all connections.

        Returns:
            Whether all was answered.
        """
        late: set[asyncio.Task[Any]] = set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=seconds)
        await self.shutdown(0.1)  # 0 would be no end to it
        return not late

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task
        self._tasks[request.protocol] = task
        try:
            response = await self._answer(request)
            try:
                await asyncio.wait_for(_send(request, response), WRITING_SECONDS)
            except asyncio.TimeoutError:
                if request.transport:
                    request.transport.abort()
            return response
        finally:
            del self._tasks[request.protocol]


async def _send(request: web.BaseRequest, response: web.StreamResponse) -> None:
    await response.prepare(request)
    await response.write_eof()
