"""The health protocol of gRPC, grpc.health.v1: whether the service answers at all.

Whether a model does is the state that ModelService gives. The package grpcio-health-checking would do, but for its
streams, which hold up the end of a service until its grace is over.
"""

import threading

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


class Health:
    """The state of a service; `handler` is what a gRPC server takes."""

    def __init__(self, names):
        """Health of the named services, and of the empty name; none of them answers yet."""
        self._names = {"", *names}
        self._status = HealthCheckResponse.NOT_SERVING
        self._watchers, self._over = 0, False
        self._changed = threading.Condition()
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, **_SERIALIZERS),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, **_SERIALIZERS),
        }
        self.handler = grpc.method_handlers_generic_handler(SERVICE, methods)

    def start(self):
        """From now on the service answers."""
        with self._changed:
            self._status = HealthCheckResponse.SERVING
            self._changed.notify_all()

    def stop(self):
        """From now on the service does not answer; those who watch are told, and their streams end."""
        with self._changed:
            self._status, self._over = HealthCheckResponse.NOT_SERVING, True
            self._changed.notify_all()

    def _check(self, request, context):
        if request.service not in self._names:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Unknown service {request.service}")
        return HealthCheckResponse(status=self._status)

    def _watch(self, request, context):
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
                        self._changed.wait()
                    told, over = self._status_of(request), self._over
                if context.is_active():
                    yield HealthCheckResponse(status=told)
                if over:
                    return
        finally:
            with self._changed:
                self._watchers -= 1

    def _status_of(self, request):
        return self._status if request.service in self._names else HealthCheckResponse.SERVICE_UNKNOWN

    def _wake(self):
        with self._changed:
            self._changed.notify_all()


_SERIALIZERS = {
    "request_deserializer": HealthCheckRequest.FromString,
    "response_serializer": HealthCheckResponse.SerializeToString,
}
