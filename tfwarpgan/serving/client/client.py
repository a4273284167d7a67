"""A client of any server that speaks TensorFlow Serving's gRPC interface, without TensorFlow.

    from tfwarpgan.serving.client import Client

    with Client("localhost:8500", "people") as people:
        answer = people.predict({"image_bytes": [jpeg], ...}, "encoded")["image_bytes"]

It needs grpcio, protobuf and NumPy. Every call has a deadline, which holds for all of its attempts together; an answer
of UNAVAILABLE (a server that starts, stops or has a full queue) is asked for again after a growing pause, any other
error is raised at once. Messages may have any size that the server takes; gRPC alone would refuse more than 4 MiB.
"""

import asyncio
import dataclasses
import json
import math
import time

import grpc

from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.tensors import NUMPY, STRING, from_proto, to_proto

TIMEOUT = 30.0  # seconds
MAX_ATTEMPTS = 5  # gRPC itself makes no more
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds; each pause is twice the one before, and drawn around that
MAX_MESSAGE_BYTES = 2**31 - 1
POLL = 0.1  # seconds between two looks at a model that is not ready yet
NOT_READY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION)
WRONG, UNKNOWN_LABEL = grpc.StatusCode.INVALID_ARGUMENT, "unrecognized servable version label"
METHODS = {
    "Predict": ("PredictionService", messages.PredictRequest, messages.PredictResponse),
    "GetModelMetadata": ("PredictionService", messages.GetModelMetadataRequest, messages.GetModelMetadataResponse),
    "GetModelStatus": ("ModelService", messages.GetModelStatusRequest, messages.GetModelStatusResponse),
}


class ServerError(RuntimeError):
    """A server refused a call, or could not be reached.

    Attributes:
        code: `grpc.StatusCode`.
        details: The server's own text.
    """

    def __init__(self, method, code, details):
        super().__init__(f"{method}: {code.name}: {details}")
        self.code, self.details = code, details


@dataclasses.dataclass(frozen=True)
class TLS:
    """Files (PEM) of an encrypted connection.

    Attributes:
        ca: Certificates to trust; empty: those of the system.
        certificate, key: The client's own, where the server asks for them.
        server_name: Name in the server's certificate, where it is not the host that is called.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""

    def credentials(self):
        """The `grpc.ChannelCredentials`."""
        if bool(self.certificate) != bool(self.key):
            raise ValueError("A client's certificate and its key belong together: give both or neither.")
        return grpc.ssl_channel_credentials(_read(self.ca), _read(self.key), _read(self.certificate))


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """An input or output of a signature; a dimension of unknown size is None."""

    dtype: object
    shape: tuple
    dimensions: tuple


class _Caller:
    """What both clients share: requests and answers, options of the channel."""

    def __init__(self, channel, tls, target, model, version, label, timeout, attempts):
        if version is not None and label:
            raise ValueError("version and label exclude each other: give one of them.")
        if not 1 <= attempts <= MAX_ATTEMPTS:
            raise ValueError(f"attempts must be 1 to {MAX_ATTEMPTS}, got {attempts}.")
        self.target, self.model, self.version, self.label = target, model, version, label
        self.timeout = _checked_timeout(timeout)
        options = channel_options(attempts, tls.server_name if tls else "")
        if tls:
            self.channel = channel.secure_channel(target, tls.credentials(), options)
        else:
            self.channel = channel.insecure_channel(target, options)
        self._stubs = {
            name: self.channel.unary_unary(
                f"/tensorflow.serving.{service}/{name}", request.SerializeToString, response.FromString
            )
            for name, (service, request, response) in METHODS.items()
        }

    def _request(self, method, signature=""):
        request = METHODS[method][1]()
        spec = request.model_spec
        spec.name, spec.signature_name = self.model, signature
        if self.version is not None:
            spec.version.value = self.version
        if self.label:
            spec.version_label = self.label
        return request

    def _predict_request(self, inputs, signature, outputs):
        request = self._request("Predict", signature)
        request.output_filter.extend(outputs)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(to_proto(value))
        return request

    def _metadata_request(self):
        request = self._request("GetModelMetadata")
        request.metadata_field.append("signature_def")
        return request

    def _status_request(self):
        request = self._request("GetModelStatus")
        if self.label:
            request.model_spec.ClearField("version_label")  # a status is that of numbered versions
        return request

    def _readiness_request(self):
        """(method, request) whose answer tells whether calls would be answered.

        GetModelMetadata is answered by a version that is available only, as all other calls. GetModelStatus is not: in
        TensorFlow Serving it does not heed a label and tells of all versions.
        """
        if self.label:
            return "GetModelMetadata", self._metadata_request()
        return "GetModelStatus", self._status_request()

    def _timeout(self, timeout):
        return self.timeout if timeout is None else _checked_timeout(timeout)


class Client(_Caller):
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

    def __init__(self, target, model, *, version=None, label="", timeout=TIMEOUT, attempts=MAX_ATTEMPTS, tls=None):
        super().__init__(grpc, tls, target, model, version, label, timeout, attempts)

    def predict(self, inputs, signature="serving_default", *, outputs=(), timeout=None):
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
        return _arrays(self._call("Predict", self._predict_request(inputs, signature, outputs), timeout))

    def metadata(self, timeout=None):
        """The signatures: dictionary by name of (inputs, outputs), each a dictionary of `TensorSpec` by name."""
        return _signatures(self._call("GetModelMetadata", self._metadata_request(), timeout))

    def status(self, timeout=None):
        """The states of the model's versions, of all where the client has a label, such as {1: "AVAILABLE"}."""
        return _states(self._call("GetModelStatus", self._status_request(), timeout))

    def wait_until_ready(self, timeout=None):
        """Waits until the version that this client calls, by its number, its label or any, is available.

        Raises:
            ServerError: If it is not in time, or waiting cannot mend it.
        """
        end = time.monotonic() + self._timeout(timeout)
        while not self._is_ready(end):
            time.sleep(POLL)

    def _is_ready(self, end):
        try:
            remaining = max(end - time.monotonic(), 0.001)
            return _available(self._call(*self._readiness_request(), remaining)) or _raise_if_late(end)
        except ServerError as error:
            return _is_for_ever(error, end)

    def _call(self, method, request, timeout):
        try:
            return self._stubs[method](request, timeout=self._timeout(timeout))
        except grpc.RpcError as error:
            raise ServerError(method, error.code(), error.details()) from None

    def close(self):
        """Ends the connection."""
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class AsyncClient(_Caller):
    """`Client` for asyncio: the same arguments, and its methods are coroutines."""

    def __init__(self, target, model, *, version=None, label="", timeout=TIMEOUT, attempts=MAX_ATTEMPTS, tls=None):
        import grpc.aio

        super().__init__(grpc.aio, tls, target, model, version, label, timeout, attempts)

    async def predict(self, inputs, signature="serving_default", *, outputs=(), timeout=None):
        """See `Client.predict`."""
        return _arrays(await self._call("Predict", self._predict_request(inputs, signature, outputs), timeout))

    async def metadata(self, timeout=None):
        """See `Client.metadata`."""
        return _signatures(await self._call("GetModelMetadata", self._metadata_request(), timeout))

    async def status(self, timeout=None):
        """See `Client.status`."""
        return _states(await self._call("GetModelStatus", self._status_request(), timeout))

    async def wait_until_ready(self, timeout=None):
        """See `Client.wait_until_ready`."""
        end = time.monotonic() + self._timeout(timeout)
        while not await self._is_ready(end):
            await asyncio.sleep(POLL)

    async def _is_ready(self, end):
        try:
            remaining = max(end - time.monotonic(), 0.001)
            return _available(await self._call(*self._readiness_request(), remaining)) or _raise_if_late(end)
        except ServerError as error:
            return _is_for_ever(error, end)

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


def channel_options(attempts=MAX_ATTEMPTS, server_name=""):
    """The options of a gRPC channel, sync or asyncio: both message limits, and retries on UNAVAILABLE alone.

    The servers that a target names, or that its name resolves to, take turns; by itself gRPC stays with the first.
    """
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": f"{FIRST_PAUSE}s",
        "maxBackoff": f"{LONGEST_PAUSE}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {"loadBalancingConfig": [{"round_robin": {}}]}
    if attempts > 1:
        config["methodConfig"] = [{"name": [{}], "retryPolicy": policy}]
    options = [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),  # a request above it, 256 KiB, would be tried once
        ("grpc.initial_reconnect_backoff_ms", int(1000 * FIRST_PAUSE)),
        ("grpc.max_reconnect_backoff_ms", int(1000 * LONGEST_PAUSE)),
    ]
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    return options


def _checked_timeout(timeout):
    if not (math.isfinite(timeout) and timeout > 0):
        raise ValueError(f"A call needs a deadline: timeout must be a positive number of seconds, got {timeout}.")
    return timeout


def _read(path):
    if not path:
        return None
    with open(path, "rb") as file:
        return file.read()


def _arrays(response):
    return {name: from_proto(tensor) for name, tensor in response.outputs.items()}


def _states(response):
    states = messages.ModelVersionStatus.State
    return {each.version: states.Name(each.state) for each in response.model_version_status}


def _available(response):
    """Whether a version is available, by the answer to `_Caller._readiness_request`."""
    return isinstance(response, messages.GetModelMetadataResponse) or "AVAILABLE" in _states(response).values()


def _signatures(response):
    signatures = messages.SignatureDefMap.FromString(response.metadata["signature_def"].value).signature_def
    return {
        name: tuple({key: _spec(info) for key, info in side.items()} for side in (signature.inputs, signature.outputs))
        for name, signature in signatures.items()
        if not name.startswith("__")
    }


def _spec(info):
    dims = info.tensor_shape.dim
    shape = None if info.tensor_shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in dims)
    dtype = object if info.dtype == STRING else NUMPY.get(info.dtype)
    return TensorSpec(dtype, shape, tuple(dim.name for dim in dims))


def _raise_if_late(end):
    if time.monotonic() >= end:
        raise ServerError("GetModelStatus", grpc.StatusCode.DEADLINE_EXCEEDED, "no version is available yet")
    return False


def _is_for_ever(error, end):
    """Raises what waiting does not mend: a late or a wrong call; a server, model or label not there yet may come."""
    may_come = error.code in NOT_READY or error.code == WRONG and UNKNOWN_LABEL in (error.details or "").lower()
    if not may_come or time.monotonic() >= end:
        raise error
    return False
