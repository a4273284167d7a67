"""The health protocol of gRPC, grpc.health.v1: whether the service answers at all, and whether for a model.

A probe of readiness asks for the model: ModelService, and so GET /v1/models/NAME, answers for one whose versions have
all failed, too. The package grpcio-health-checking would do, except that its streams hold up the end of a service until
its grace period is over.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import grpc

from tfwarpgan.serving.wire.descriptors import build

SERVICE = "grpc.health.v1.Health"
SCHEMA = """
HealthCheckRequest: 1 string service
HealthCheckResponse: 1 HealthCheckResponse.ServingStatus status
enum HealthCheckResponse.ServingStatus: UNKNOWN=0 SERVING=1 NOT_SERVING=2 SERVICE_UNKNOWN=3
"""
MESSAGES = build({"grpc.health.v1": SCHEMA})
HealthCheckRequest, HealthCheckResponse = MESSAGES["HealthCheckRequest"], MESSAGES["HealthCheckResponse"]
MOST_WATCHERS = 32  # each holds a thread
POLL = 1.0  # seconds between two looks at the models for those who watch


class Health:
    """The state of a service; `handler` is what a gRPC server takes."""

    def __init__(self, names: Iterable[str], models: Callable[[], Mapping[str, bool]]) -> None:
        """Health of the named services, and of the empty name; none of them answers yet.

        Args:
            names: Of the services.
            models: Function that gives further names, and whether each is ready once the service answers.
        """
        self._names, self._models = {"", *names}, models
        self._status = HealthCheckResponse.NOT_SERVING
        self._watchers, self._over = 0, False
        self._changed = threading.Condition()
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, **_SERIALIZERS),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, **_SERIALIZERS),
        }
        self.handler = grpc.method_handlers_generic_handler(SERVICE, methods)

    def start(self) -> None:
        """From now on the service answers."""
        with self._changed:
            self._status = HealthCheckResponse.SERVING
            self._changed.notify_all()

    def stop(self) -> None:
        """From now on the service does not answer; those who watch are told, and their streams end."""
        with self._changed:
            self._status, self._over = HealthCheckResponse.NOT_SERVING, True
            self._changed.notify_all()

    def _check(self, request: Any, context: grpc.ServicerContext) -> Any:
        status = self._status_of(request)
        if status == HealthCheckResponse.SERVICE_UNKNOWN:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Unknown service {request.service}")
        return HealthCheckResponse(status=status)

    def _watch(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        with self._changed:
            if self._watchers >= MOST_WATCHERS:
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many watch the health of this service")
            self._watchers += 1
        context.add_callback(self._wake)
        told = None
        try:
            while context.is_active():
                with self._changed:
                    while context.is_active() and not self._over and self._status_of(request) == told:
                        self._changed.wait(POLL)
                    told, over = self._status_of(request), self._over
                if context.is_active():
                    yield HealthCheckResponse(status=told)
                if over:
                    return
        finally:
            with self._changed:
                self._watchers -= 1

    def _status_of(self, request: Any) -> int:
        if request.service in self._names:
            return self._status
        is_ready = self._models().get(request.service)
        if is_ready is None:
            return HealthCheckResponse.SERVICE_UNKNOWN
        return self._status if is_ready else HealthCheckResponse.NOT_SERVING

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


_SERIALIZERS = {
    "request_deserializer": HealthCheckRequest.FromString,
    "response_serializer": HealthCheckResponse.SerializeToString,
}
