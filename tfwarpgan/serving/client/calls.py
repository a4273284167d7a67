"""What both clients share: requests, what is read from answers, and when to go on waiting."""

import dataclasses
import math
import time
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Literal, TypeAlias

import grpc
import numpy.typing as npt

from tfwarpgan.serving.client.channel import MAX_ATTEMPTS, TLS, channel_options
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.tensors import NUMPY, STRING, from_proto, to_proto
from tfwarpgan.typing import Array

TIMEOUT = 30.0  # seconds
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

    def __init__(self, method: str, code: grpc.StatusCode, details: str | None) -> None:
        super().__init__(f"{method}: {code.name}: {details}")
        self.code, self.details = code, details


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """An input or output of a signature; a dimension of unknown size is None."""

    dtype: npt.DTypeLike | None
    shape: tuple[int | None, ...] | None
    dimensions: tuple[str, ...]


Signature: TypeAlias = tuple[dict[str, TensorSpec], dict[str, TensorSpec]]  # inputs and outputs by name


class Caller:
    """What both clients share: requests and answers, options of the channel."""

    def __init__(
        self,
        channel: ModuleType,
        tls: TLS | None,
        target: str,
        model: str,
        version: int | None,
        label: str,
        timeout: float,
        attempts: int,
    ) -> None:
        if version is not None and label:
            raise ValueError("Give either version or label, not both.")
        if not 1 <= attempts <= MAX_ATTEMPTS:
            raise ValueError(f"attempts must be 1 to {MAX_ATTEMPTS}, got {attempts}.")
        self.target, self.model, self.version, self.label = target, model, version, label
        self.timeout = _checked_timeout(timeout)
        self._attempts, self._has_answered = attempts, False
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

    def _request(self, method: str, signature: str = "") -> Any:
        request = METHODS[method][1]()
        spec = request.model_spec
        spec.name, spec.signature_name = self.model, signature
        if self.version is not None:
            spec.version.value = self.version
        if self.label:
            spec.version_label = self.label
        return request

    def _predict_request(
        self, inputs: Mapping[str, npt.ArrayLike], signature: str, outputs: Iterable[str]
    ) -> messages.PredictRequest:
        request = self._request("Predict", signature)
        request.output_filter.extend(outputs)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(to_proto(value))
        return request

    def _metadata_request(self) -> messages.GetModelMetadataRequest:
        request = self._request("GetModelMetadata")
        request.metadata_field.append("signature_def")
        return request

    def _status_request(self) -> messages.GetModelStatusRequest:
        request = self._request("GetModelStatus")
        if self.label:
            request.model_spec.ClearField("version_label")  # a status is that of numbered versions
        return request

    def _readiness_request(self) -> tuple[str, Any]:
        """(method, request) whose answer tells whether calls would be answered.

        GetModelMetadata is answered by a version that is available only, as all other calls. GetModelStatus is not: in
        TensorFlow Serving it ignores the label and reports all versions.
        """
        if self.label:
            return "GetModelMetadata", self._metadata_request()
        return "GetModelStatus", self._status_request()

    def _waits(self) -> bool:
        """Whether to wait for a connection: a server that has answered is restarting, another may never come."""
        return self._has_answered and self._attempts > 1

    def _timeout(self, timeout: float | None) -> float:
        return self.timeout if timeout is None else _checked_timeout(timeout)


def _checked_timeout(timeout: float) -> float:
    if not (math.isfinite(timeout) and timeout > 0):
        raise ValueError(f"A call needs a deadline: timeout must be a positive number of seconds, got {timeout}.")
    return timeout


def arrays(response: messages.PredictResponse) -> dict[str, Array]:
    """The outputs of a prediction, by name."""
    return {name: from_proto(tensor) for name, tensor in response.outputs.items()}


def states(response: messages.GetModelStatusResponse) -> dict[int, str]:
    """The state of each version, such as "AVAILABLE", by its number."""
    states = messages.ModelVersionStatus.State
    return {each.version: states.Name(each.state) for each in response.model_version_status}


def available(response: Any) -> bool:
    """Whether a version is available, by the answer to `Caller._readiness_request`."""
    return isinstance(response, messages.GetModelMetadataResponse) or "AVAILABLE" in states(response).values()


def signatures(response: messages.GetModelMetadataResponse) -> dict[str, Signature]:
    """The inputs and outputs of each signature, without those that TensorFlow adds for itself."""
    signatures = messages.SignatureDefMap.FromString(response.metadata["signature_def"].value).signature_def
    return {
        name: (_specs(signature.inputs), _specs(signature.outputs))
        for name, signature in signatures.items()
        if not name.startswith("__")
    }


def _specs(infos: Mapping[str, messages.TensorInfo]) -> dict[str, TensorSpec]:
    return {name: _spec(info) for name, info in infos.items()}


def _spec(info: messages.TensorInfo) -> TensorSpec:
    dims = info.tensor_shape.dim
    shape = None if info.tensor_shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in dims)
    dtype = object if info.dtype == STRING else NUMPY.get(info.dtype)
    return TensorSpec(dtype, shape, tuple(dim.name for dim in dims))


def raise_if_late(end: float) -> Literal[False]:
    """ServerError (DEADLINE_EXCEEDED) once `time.monotonic` has reached the end of waiting."""
    if time.monotonic() >= end:
        raise ServerError("GetModelStatus", grpc.StatusCode.DEADLINE_EXCEEDED, "no version is available yet")
    return False


def is_for_ever(error: ServerError, end: float) -> Literal[False]:
    """Raises errors that waiting cannot help. A server, model or label that is missing may still appear."""
    may_come = error.code in NOT_READY or error.code == WRONG and UNKNOWN_LABEL in (error.details or "").lower()
    if not may_come or time.monotonic() >= end:
        raise error
    return False
