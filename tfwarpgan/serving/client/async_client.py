"""The client of one model for asyncio."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
import numpy.typing as npt

from tfwarpgan.serving.client.calls import (
    TIMEOUT,
    Caller,
    ServerError,
    Signature,
    arrays,
    available,
    is_for_ever,
    raise_if_late,
    signatures,
    states,
)
from tfwarpgan.serving.client.channel import MAX_ATTEMPTS, TLS
from tfwarpgan.serving.client.client import POLL
from tfwarpgan.typing import Array


class AsyncClient(Caller):
    """`Client` for asyncio: the same arguments, and its methods are coroutines."""

    def __init__(
        self,
        target: str,
        model: str,
        *,
        version: int | None = None,
        label: str = "",
        timeout: float = TIMEOUT,
        attempts: int = MAX_ATTEMPTS,
        tls: TLS | None = None,
    ) -> None:
        import grpc.aio

        super().__init__(grpc.aio, tls, target, model, version, label, timeout, attempts)

    async def predict(
        self,
        inputs: Mapping[str, npt.ArrayLike],
        signature: str = "serving_default",
        *,
        outputs: Iterable[str] = (),
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """See `Client.predict`."""
        return arrays(await self._call("Predict", self._predict_request(inputs, signature, outputs), timeout))

    async def metadata(self, timeout: float | None = None) -> dict[str, Signature]:
        """See `Client.metadata`."""
        return signatures(await self._call("GetModelMetadata", self._metadata_request(), timeout))

    async def status(self, timeout: float | None = None) -> dict[int, str]:
        """See `Client.status`."""
        return states(await self._call("GetModelStatus", self._status_request(), timeout))

    async def wait_until_ready(self, timeout: float | None = None) -> None:
        """See `Client.wait_until_ready`."""
        end = time.monotonic() + self._timeout(timeout)
        while not await self._is_ready(end):
            await asyncio.sleep(POLL)

    async def _is_ready(self, end: float) -> bool:
        try:
            remaining = max(end - time.monotonic(), 0.001)
            return available(await self._call(*self._readiness_request(), remaining)) or raise_if_late(end)
        except ServerError as error:
            return is_for_ever(error, end)

    async def _call(self, method: str, request: Any, timeout: float | None) -> Any:
        try:
            answer = await self._stubs[method](request, timeout=self._timeout(timeout), wait_for_ready=self._waits())
        except grpc.RpcError as error:
            raise ServerError(method, error.code(), error.details()) from None
        self._has_answered = True
        return answer

    async def close(self) -> None:
        """Ends the connection."""
        await self.channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()
