"""The client of one model for asyncio."""

import asyncio
import time

import grpc

from tfwarpgan.serving.client.calls import (
    TIMEOUT,
    Caller,
    ServerError,
    arrays,
    available,
    is_for_ever,
    raise_if_late,
    signatures,
    states,
)
from tfwarpgan.serving.client.channel import MAX_ATTEMPTS
from tfwarpgan.serving.client.client import POLL


class AsyncClient(Caller):
    """`Client` for asyncio: the same arguments, and its methods are coroutines."""

    def __init__(self, target, model, *, version=None, label="", timeout=TIMEOUT, attempts=MAX_ATTEMPTS, tls=None):
        import grpc.aio

        super().__init__(grpc.aio, tls, target, model, version, label, timeout, attempts)

    async def predict(self, inputs, signature="serving_default", *, outputs=(), timeout=None):
        """See `Client.predict`."""
        return arrays(await self._call("Predict", self._predict_request(inputs, signature, outputs), timeout))

    async def metadata(self, timeout=None):
        """See `Client.metadata`."""
        return signatures(await self._call("GetModelMetadata", self._metadata_request(), timeout))

    async def status(self, timeout=None):
        """See `Client.status`."""
        return states(await self._call("GetModelStatus", self._status_request(), timeout))

    async def wait_until_ready(self, timeout=None):
        """See `Client.wait_until_ready`."""
        end = time.monotonic() + self._timeout(timeout)
        while not await self._is_ready(end):
            await asyncio.sleep(POLL)

    async def _is_ready(self, end):
        try:
            remaining = max(end - time.monotonic(), 0.001)
            return available(await self._call(*self._readiness_request(), remaining)) or raise_if_late(end)
        except ServerError as error:
            return is_for_ever(error, end)

    async def _call(self, method, request, timeout):
        try:
            return await self._stubs[method](request, timeout=self._timeout(timeout))
        except grpc.RpcError as error:
            raise ServerError(method, error.code(), error.details()) from None

    async def close(self):
        """Ends the connection."""
        await self.channel.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await self.close()
