"""The gRPC side of the service: methods, health, TLS and sockets."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import stat
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
from absl import logging
from google.protobuf.message import DecodeError

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.admission import Admission
from tfwarpgan.serving.service.compression import MAGIC, unpacked
from tfwarpgan.serving.service.configuration import Configuration
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.service.grpc.health import Health
from tfwarpgan.serving.service.metrics import GRPC
from tfwarpgan.serving.service.model_service import ModelService
from tfwarpgan.serving.service.prediction_service import PredictionService
from tfwarpgan.serving.service.request_log import RequestLog
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError, serving_error

if TYPE_CHECKING:
    from tfwarpgan.serve import ServeOptions

PREDICTION, MODEL = "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"
LARGEST_MESSAGE = 128 * 2**20  # of a request, on the wire and unpacked
ARGUMENTS = {
    "grpc.max_receive_message_length": LARGEST_MESSAGE,
    "grpc.max_send_message_length": -1,
    "grpc.so_reuseport": 0,  # a port in use is an error, and not a second server at it
    # gRPC would unpack a message before anything here could refuse it. Of the algorithms identity (1), deflate (2) and
    # gzip (4), deflate does not say what it unpacks to.
    "grpc.per_message_decompression": 0,
    "grpc.compression_enabled_algorithms_bitset": 1 | 4,
    "grpc.max_concurrent_streams": 1024,  # of a connection: calls that are made and given up at once, over and over
    # Connections whose other end has gone without a word; and clients may ask as often as ours do.
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.http2.min_ping_interval_without_data_ms": 5_000,
    "grpc.http2.max_ping_strikes": 0,
}
# Threads beyond those that wait in a queue, so that a full queue, health and status are told at once.
SPARE_THREADS = 64
MOST_CALLS = 4096  # calls that wait for a thread have sent no message yet
MESSAGES_BYTES = 256 * 2**20  # of the requests that are being parsed or answered


class GrpcServer:
    """A server of both services and of health; `port` is the one that it listens on."""

    def __init__(
        self,
        options: ServeOptions,
        configured: Configuration,
        prediction_service: PredictionService,
        model_service: ModelService,
        request_log: RequestLog,
        waiting: int,
    ) -> None:
        """Prepares a server that does not listen yet.

        Args:
            options: `ServeOptions`.
            configured: Their `Configuration`.
            prediction_service, model_service: What answers.
            request_log: Of single requests.
            waiting: Requests that may wait for their run.
        """
        threads = waiting + SPARE_THREADS
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc")
        arguments = ARGUMENTS | dict(configured.channel_arguments)
        self._server = grpc.server(
            self._pool,
            options=list(arguments.items()),
            maximum_concurrent_rpcs=MOST_CALLS,
        )
        names = [PREDICTION, MODEL, *(name.rpartition(".")[2] for name in (PREDICTION, MODEL))]
        self._health = Health(names, prediction_service.models.readiness)
        largest = int(arguments["grpc.max_receive_message_length"])
        answering = _Answering(request_log, largest if largest >= 0 else sys.maxsize)
        handlers = [*_handlers(prediction_service, model_service, threads, answering), self._health.handler]
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

    def lame_duck(self) -> None:
        """Reports that it is not healthy, while it still takes requests."""
        self._health.stop()

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


def _handlers(
    prediction: PredictionService, model: ModelService, threads: int, answering: _Answering
) -> list[grpc.GenericRpcHandler]:
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
        own = {name: answering.handler(name, method, request, admission) for name, (method, request) in named.items()}
        handlers.append(grpc.method_handlers_generic_handler(service, own))
    return handlers


class _Answering:
    """How messages become answers."""

    def __init__(self, request_log: RequestLog, largest: int) -> None:
        self._log, self._largest = request_log, largest

    def handler(
        self, name: str, method: Callable[[Any, Deadline], Any], request_class: type[Any], admission: Admission
    ) -> grpc.RpcMethodHandler:
        """The handler of a method; a message is not unpacked or parsed, and so takes no more memory, before it may."""

        def answer(message: bytes, context: grpc.ServicerContext) -> Any:
            deadline = Deadline(context.time_remaining())  # without a deadline some 10^18, or None
            if not context.add_callback(deadline.leave):
                deadline.leave()
            try:
                with self._said(name, message, context) as said, admission.entered(len(message)) as grow:
                    deadline.remaining()
                    if message.startswith(MAGIC):
                        message = unpacked(message, self._largest, grow)
                    request = _parsed(message, request_class)
                    if request.DESCRIPTOR.fields_by_name.get("model_spec"):
                        said |= {"model": request.model_spec.name, "signature": request.model_spec.signature_name}
                    return method(request, deadline)
            except Exception as error:
                failure = serving_error(error)
                if failure is not error:
                    logging.exception("A request failed for a reason that is not the client's.")
            context.abort(grpc.StatusCode[failure.code], failure.text)

        return grpc.unary_unary_rpc_method_handler(answer, response_serializer=_serialized)

    def _said(
        self, name: str, message: bytes, context: grpc.ServicerContext
    ) -> contextlib.AbstractContextManager[dict[str, object]]:
        if not self._log.is_on:  # what follows takes time in each call
            return contextlib.nullcontext({})
        headers = dict(context.invocation_metadata())
        known = {"entrypoint": GRPC, "method": name, "peer": context.peer(), "request_bytes": len(message)}
        return self._log.request(headers, **known)


def _parsed(message: bytes, request_class: type[Any]) -> Any:
    try:
        return request_class.FromString(message)
    except DecodeError as error:
        raise ServingError("INTERNAL", f"The message is no {request_class.DESCRIPTOR.name}: {error}") from None


def _serialized(response: Any) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()
