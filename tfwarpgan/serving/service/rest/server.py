"""The REST API: predict, classify, regress, status and metadata in JSON, and the metrics' page.

Python's own threading server, with a bound on connections: for laptops and tests, where gRPC is the faster way.
"""

import contextlib
import http.server
import re
import socket
import threading
import time

from absl import logging

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.admission import Admission
from tfwarpgan.serving.service.metrics import REST
from tfwarpgan.serving.service.rest import answers, examples, requests
from tfwarpgan.serving.service.servables import DEFAULT_SIGNATURE
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import HTTP_STATUSES, ServingError, serving_error

MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
POST = re.compile(MODEL + r":(predict|classify|regress)", re.IGNORECASE)
GET = re.compile(MODEL + "(/metadata)?", re.IGNORECASE)
MOST_CONNECTIONS = 256
LARGEST_BODY, BODIES_BYTES = 256 * 2**20, 512 * 2**20  # of one request, and of all that are being read or answered
IDLE_SECONDS = 60


class RestServer:
    """The server; `port` is the one that it listens at."""

    def __init__(self, options, prediction_service, model_service, metrics_path):
        """Prepares a server that does not listen yet.

        Args:
            options: `ServeOptions`.
            prediction_service, model_service: What answers.
            metrics_path: Path of the metrics' page, or None.
        """
        self._options = options
        self._api = RestApi(prediction_service, model_service, options.rest_api_timeout_in_ms / 1000)
        self._metrics_path = metrics_path
        self._server = self.port = None

    def start(self):
        """Listens.

        Raises:
            InputError: If the port cannot be had.
        """
        address = (self._options.address, max(self._options.rest_api_port, 0))
        try:
            self._server = _BoundedServer(address, self._handler())
        except OSError as error:
            raise InputError(f"{address[0]}:{address[1]} cannot be listened at ({error.strerror}).") from None
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self):
        """Takes no more requests, not at open connections either; does not wait for those that run, see `drain`."""
        if self._server:
            self._server.refuse()
            self._server.shutdown()
            self._server.server_close()

    def drain(self, seconds):
        """Waits for those that run, for so many seconds at most; whether they are answered."""
        return self._server is None or self._server.drain(seconds)

    def _handler(self):
        api, metrics_path, metrics = self._api, self._metrics_path, self._api.prediction.metrics

        class Handler(_Handler):
            def answer(self, method, path, body):
                if metrics_path and method == "GET" and path == metrics_path:
                    return 200, "text/plain", metrics.text()
                if not path.lower().startswith("/v1/"):
                    return 404, "application/json", answers.error("Not found")
                return api.answer(method, path, body)

        return Handler


class RestApi:
    """What a request in JSON is answered, apart from HTTP."""

    def __init__(self, prediction_service, model_service, timeout):
        """The API of both services; `timeout` in seconds."""
        self.prediction, self.model, self.timeout = prediction_service, model_service, timeout

    def answer(self, method, path, body):
        """Status, content type and text of the answer to a request."""
        try:
            return 200, "application/json", self._answer(method, path, body, time.monotonic() + self.timeout)
        except Exception as error:
            failure = serving_error(error)
            if failure is not error:
                logging.exception("A request failed for a reason that is not the client's.")
            return HTTP_STATUSES[failure.code], "application/json", answers.error(failure.text)

    def _answer(self, method, path, body, deadline):
        post = POST.fullmatch(path) if method == "POST" else None
        if post:
            call = {"predict": self._predict, "classify": self._classify, "regress": self._regress}[post[4].lower()]
            return call(_spec(*post.groups()[:3]), requests.parsed(body), deadline)
        get = GET.fullmatch(path) if method == "GET" else None
        if get is None:
            raise ServingError("INVALID_ARGUMENT", f"Malformed request: {method} {path}")
        spec = _spec(*get.groups()[:3])
        if get[4]:
            request = messages.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])
            return answers.metadata(self.prediction.metadata(request))
        return answers.message(self.model.status(messages.GetModelStatusRequest(model_spec=spec)))

    def _predict(self, spec, body, deadline):
        service = self.prediction
        with service.models.servable(spec) as servable, service.metrics.counted(servable.name, "Predict", REST):
            name = requests.signature_name(body)
            signature = servable.signature(name)
            if signature is None:
                text = f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def'
                raise ServingError("INVALID_ARGUMENT", text)
            arrays, by_row = requests.inputs(body, signature.definition.inputs)
            outputs = service.run(servable, signature, arrays, (), deadline)
            return answers.predictions(outputs, by_row)

    def _classify(self, spec, body, deadline):
        spec.signature_name = requests.signature_name(body)
        request = messages.ClassificationRequest(model_spec=spec, input=examples.examples(body))
        result = self.prediction.classify(request, deadline, REST).result
        rows = [[[c.label, answers.short(c.score)] for c in row.classes] for row in result.classifications]
        return answers.dumps({"results": rows})

    def _regress(self, spec, body, deadline):
        spec.signature_name = requests.signature_name(body)
        request = messages.RegressionRequest(model_spec=spec, input=examples.examples(body))
        result = self.prediction.regress(request, deadline, REST).result
        return answers.dumps({"results": [answers.short(found.value) for found in result.regressions]})


def _spec(name, version, label):
    spec = messages.ModelSpec(name=name)
    if version:
        if len(version) > 19 or int(version) >= 2**63:
            raise ServingError("INVALID_ARGUMENT", f"Failed to convert version: {version} to numeric.")
        spec.version.value = int(version)
    elif label:
        spec.version_label = label
    return spec


class _BoundedServer(http.server.ThreadingHTTPServer):
    """One thread a connection, and no more of them than it should have; further ones wait to be accepted."""

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(self, *args):
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        self._answering, self._idle = 0, threading.Condition()
        self._connections, self.refuses = set(), False
        self.bodies = Admission(MOST_CONNECTIONS, BODIES_BYTES)
        super().__init__(*args)

    def process_request(self, request, client_address):
        while not self._free.acquire(timeout=0.1):
            if self.refuses:
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            with self._idle:
                self._connections.add(request)
                if self.refuses:
                    _end_reading(request)
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def shutdown_request(self, request):
        with self._idle:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        logging.debug("A connection from %s broke off.", client_address)

    def begins(self):
        """Notes that one request more is being answered; False where it must not be."""
        with self._idle:
            self._answering += not self.refuses
            return not self.refuses

    def ends(self):
        """Notes that one request less is being answered."""
        with self._idle:
            self._answering -= 1
            self._idle.notify_all()

    def refuse(self):
        """From now on no request is begun, and connections end that wait for one."""
        with self._idle:
            self.refuses = True
            for connection in self._connections:
                _end_reading(connection)

    def drain(self, seconds):
        """Waits until no request is being answered; False if that takes longer than so many seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._answering, seconds)


def _end_reading(connection):
    """Whoever reads finds the connection's end; what is being answered can still be written."""
    with contextlib.suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RD)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Reads a request, and writes what `answer` gives."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server_version, sys_version = "tfwarpgan", ""

    def do_GET(self):
        self._respond("GET", b"")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(411, "Content-Length is missing")
        elif len(length) > 18 or int(length) > LARGEST_BODY:
            self._refuse(413, f"The body is too large: {LARGEST_BODY} bytes at most")
        else:
            try:
                with self.server.bodies.entered(int(length)):
                    self._respond("POST", self.rfile.read(int(length)))
            except ServingError as error:
                self._refuse(HTTP_STATUSES[error.code], error.text)

    def log_message(self, format, *args):
        logging.debug(format, *args)

    def _refuse(self, status, text):
        """Answers without having read the body, so that the connection cannot go on."""
        self.close_connection = True
        self._write(status, "application/json", answers.error(text))

    def _respond(self, method, body):
        if not self.server.begins():
            self._write(503, "application/json", answers.error("The service is being stopped"))
            return
        try:
            self._write(*self.answer(method, self.path.partition("?")[0], body))
        finally:
            self.server.ends()

    def _write(self, status, content_type, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.server.refuses or self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
