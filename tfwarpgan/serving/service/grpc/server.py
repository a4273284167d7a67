"""The gRPC side of the service: methods, health, TLS and sockets."""

from __future__ import annotations

import concurrent.futures
import os
import stat
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from absl import logging
from google.protobuf.message import DecodeError

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.admission import Admission
from tfwarpgan.serving.service.configuration import Configuration
from tfwarpgan.serving.service.grpc.health import Health
from tfwarpgan.serving.service.model_service import ModelService
from tfwarpgan.serving.service.prediction_service import PredictionService
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError, serving_error

if TYPE_CHECKING:
    from tfwarpgan.serve import ServeOptions

PREDICTION, MODEL = "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"
ARGUMENTS = {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.so_reuseport": 0,  # a port in use is an error, and not a second server at it
}
# Threads beyond those that wait in a queue, so that a full queue, health and status are told at once.
SPARE_THREADS = 64
MOST_CALLS = 4096  # calls that wait for a thread have sent no message yet
MESSAGES_BYTES = 512 * 2**20  # of the requests that are being parsed or answered


class GrpcServer:
    """A server of both services and of health; `port` is the one that it listens on."""

    def __init__(
        self,
        options: ServeOptions,
        configured: Configuration,
        prediction_service: PredictionService,
        model_service: ModelService,
        waiting: int,
    ) -> None:
        """Prepares a server that does not listen yet.

        Args:
            options: `ServeOptions`.
            configured: Their `Configuration`.
            prediction_service, model_service: What answers.
            waiting: Requests that may wait for their run.
        """
        threads = waiting + SPARE_THREADS
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc")
        self._server = grpc.server(
            self._pool,
            options=list((ARGUMENTS | dict(configured.channel_arguments)).items()),
            maximum_concurrent_rpcs=MOST_CALLS,
        )
        names = [PREDICTION, MODEL, *(name.rpartition(".")[2] for name in (PREDICTION, MODEL))]
        self._health = Health(names, prediction_service.models.readiness)
        handlers = [*_handlers(prediction_service, model_service, threads), self._health.handler]
        self._server.add_generic_rpc_handlers(handlers)
        self._socket = options.grpc_socket_path
        self._options, self._ssl = options, configured.ssl
        self.port: int | None = None
        self._over: threading.Event | None = None

    def start(self) -> None:
        """Listens, and says that it is healthy.

        Raises:
            InputError: If the port or the socket cannot be used.
        """
        self.port = self._bind(f"{self._options.address}:{self._options.port}", _credentials(self._ssl))
        if self._socket:
            if os.path.exists(self._socket) and stat.S_ISSOCK(os.stat(self._socket).st_mode):
                os.unlink(self._socket)  # that of a server which did not stop in order
            self._bind(f"unix:{os.path.abspath(self._socket)}", None)
        self._server.start()
        self._health.start()

    def stop(self, grace: float) -> None:
        """Reports that it is not healthy, and takes no more requests; does not wait for running ones, see `drain`.

        Args:
            grace: Seconds after which they are aborted.
        """
        self._health.stop()
        self._over = self._server.stop(grace)

    def drain(self, seconds: float) -> None:
        """Waits until running requests are answered or aborted, for this many seconds at most."""
        if self._over:
            self._over.wait(seconds)
        if self._socket and os.path.exists(self._socket):
            os.unlink(self._socket)

    def join(self) -> None:
        """Waits for the threads, which aborted requests may still hold."""
        self._pool.shutdown()

    def _bind(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        try:
            if credentials:
                port = self._server.add_secure_port(address, credentials)
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if not port:
            raise InputError(f"Cannot listen on {address}; another program may be using it, so choose another one.")
        return port


def _credentials(config: messages.SSLConfig | None) -> grpc.ServerCredentials | None:
    if config is None:
        return None
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


def _handlers(prediction: PredictionService, model: ModelService, threads: int) -> list[grpc.GenericRpcHandler]:
    methods = {
        PREDICTION: {
            "Predict": (prediction.predict, messages.PredictRequest),
            "Classify": (prediction.classify, messages.ClassificationRequest),
            "Regress": (prediction.regress, messages.RegressionRequest),
            "MultiInference": (prediction.multi_inference, messages.MultiInferenceRequest),
            "GetModelMetadata": (prediction.metadata, messages.GetModelMetadataRequest),
        },
        MODEL: {
            "GetModelStatus": (model.status, messages.GetModelStatusRequest),
            "HandleReloadConfigRequest": (model.reload, messages.ReloadConfigRequest),
        },
    }
    handlers = []
    for service, named in methods.items():  # each with bounds of its own, so that a status is always told
        admission = Admission(threads, MESSAGES_BYTES)
        own = {name: _handler(method, request, admission) for name, (method, request) in named.items()}
        handlers.append(grpc.method_handlers_generic_handler(service, own))
    return handlers


def _handler(
    method: Callable[[Any, float | None], Any], request_class: type[Any], admission: Admission
) -> grpc.RpcMethodHandler:
    """Answers a message, which is not parsed, and so takes no more memory, before it is admitted."""

    def answer(message: bytes, context: grpc.ServicerContext) -> Any:
        seconds = context.time_remaining()  # without a deadline some 10^18, or None
        deadline = None if seconds is None or seconds > threading.TIMEOUT_MAX else time.monotonic() + seconds
        try:
            with admission.entered(len(message)):
                return method(_parsed(message, request_class), deadline)
        except Exception as error:
            failure = serving_error(error)
            if failure is not error:
                logging.exception("A request failed for a reason that is not the client's.")
        context.abort(grpc.StatusCode[failure.code], failure.text)

    return grpc.unary_unary_rpc_method_handler(answer, response_serializer=_serialized)


def _parsed(message: bytes, request_class: type[Any]) -> Any:
    try:
        return request_class.FromString(message)
    except DecodeError as error:
        raise ServingError("INTERNAL", f"The message is no {request_class.DESCRIPTOR.name}: {error}") from None


def _serialized(response: Any) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()
