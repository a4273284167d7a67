"""The synchronous client of one model."""

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
from tfwarpgan.typing import Array

POLL = 0.1  # seconds between two checks of a model that is not ready yet


class Client(Caller):
    """A client of one model.

    Args:
        target: host:port, or unix:/path of a socket. Where a host resolves to several servers, or the target names them
            (ipv4:10.0.0.1:8500,10.0.0.2:8500), calls take turns.
        model: Name of the model.
        version: Number of its version; None and no label: the server's choice, the newest.
        label: Label of its version, such as "stable".
        timeout: Seconds that a call may take with all of its attempts, where the call itself does not say.
        attempts: How often an unavailable server is asked, at most 5.
        tls: `TLS`; None: not encrypted.
    """

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
        super().__init__(grpc, tls, target, model, version, label, timeout, attempts)

    def predict(
        self,
        inputs: Mapping[str, npt.ArrayLike],
        signature: str = "serving_default",
        *,
        outputs: Iterable[str] = (),
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """Runs a signature.

        Args:
            inputs: Dictionary of arrays (or lists of bytes) by name, of the types that the signature has.
            signature: Its name.
            outputs: Names of the outputs to send; none: all.
            timeout: Seconds; None: the client's.

        Returns:
            Dictionary of arrays by name; strings are bytes in an array of objects.

        Raises:
            ServerError: If the server refuses the request, or there is no answer in time.
        """
        return arrays(self._call("Predict", self._predict_request(inputs, signature, outputs), timeout))

    def metadata(self, timeout: float | None = None) -> dict[str, Signature]:
        """The signatures: dictionary by name of (inputs, outputs), each a dictionary of `TensorSpec` by name."""
        return signatures(self._call("GetModelMetadata", self._metadata_request(), timeout))

    def status(self, timeout: float | None = None) -> dict[int, str]:
        """The states of the model's versions, of all where the client has a label, such as {1: "AVAILABLE"}."""
        return states(self._call("GetModelStatus", self._status_request(), timeout))

    def wait_until_ready(self, timeout: float | None = None) -> None:
        """Waits until the version that this client calls, by its number, its label or any, is available.

        Raises:
            ServerError: If it is not ready in time, or waiting cannot help.
        """
        end = time.monotonic() + self._timeout(timeout)
        while not self._is_ready(end):
            time.sleep(POLL)

    def _is_ready(self, end: float) -> bool:
        try:
            remaining = max(end - time.monotonic(), 0.001)
            return available(self._call(*self._readiness_request(), remaining)) or raise_if_late(end)
        except ServerError as error:
            return is_for_ever(error, end)

    def _call(self, method: str, request: Any, timeout: float | None) -> Any:
        try:
            answer = self._stubs[method](request, timeout=self._timeout(timeout), wait_for_ready=self._waits())
        except grpc.RpcError as error:
            raise ServerError(method, error.code(), error.details()) from None
        self._has_answered = True
        return answer

    def close(self) -> None:
        """Ends the connection."""
        self.channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
