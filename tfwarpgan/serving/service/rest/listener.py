"""A port that is listened on by HTTP, on an event loop in a thread of its own, and how that ends."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.rest.connections import Answer, Connections, Refusal

Result = TypeVar("Result")


def check_port(address: str, port: int) -> None:
    """Tries a port without listening on it, before what takes long.

    Raises:
        InputError: If it cannot be used.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was left just now can be used
        try:
            probe.bind((address, port))
        except OSError as error:
            raise _taken(address, port, error) from None


def _taken(address: str, port: int, error: OSError) -> InputError:
    reason = os.strerror(error.errno) if error.errno else error
    return InputError(f"Cannot listen on {address}:{port} ({reason}); choose another port.")


class Listener:
    """The port; `port` is the one that it listens on, or None.

    Args:
        answer, refusal: See `Connections`.

    Attributes:
        connections: `Connections`, once it listens.
    """

    def __init__(self, answer: Answer, refusal: Refusal) -> None:
        self._answer, self._refusal = answer, refusal
        self.connections: Connections
        self.port: int | None = None

    def start(self, address: str, port: int) -> None:
        """Listens; port 0 takes any that is free.

        Raises:
            InputError: If the port cannot be used.
        """
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="rest", daemon=True).start()
        try:
            self._wait_for(self._listen(address, port))
        except OSError as error:
            self._loop.call_soon_threadsafe(self._loop.stop)
            raise _taken(address, port, error) from None

    def stop(self) -> None:
        """Takes no more requests, not on open connections either; does not wait for running ones, see `drain`."""
        if self.port:
            self._wait_for(self._close())

    def drain(self, seconds: float) -> bool:
        """Waits for running requests, for this many seconds at most; returns whether they are answered."""
        if not self.port:
            return True
        is_drained = self._wait_for(self.connections.drain(seconds))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.port = None
        return is_drained

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _wait_for(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _listen(self, address: str, port: int) -> None:
        self.connections = Connections(self._answer, self._refusal)
        self._runner = web.ServerRunner(self.connections)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port, backlog=1024).start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        for site in list(self._runner.sites):
            await site.stop()
        await self.connections.refuse()
