"""The embedded service: models, their runs, gRPC and REST, put together, started and drained."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import tensorflow as tf
from absl import logging

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service import configuration
from tfwarpgan.serving.service.admission import Admission, DirectRunner
from tfwarpgan.serving.service.batching import BatchingRunner, Runner
from tfwarpgan.serving.service.grpc.server import GrpcServer
from tfwarpgan.serving.service.metrics import Metrics
from tfwarpgan.serving.service.model_service import ModelService
from tfwarpgan.serving.service.prediction_service import PredictionService, warm_up
from tfwarpgan.serving.service.registry import Models
from tfwarpgan.serving.service.request_log import RequestLog
from tfwarpgan.serving.service.rest.server import RestServer
from tfwarpgan.serving.service.servables import Servable
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError, serving_error
from tfwarpgan.serving.wire.warmup import MAX_RECORDS, WARMUP_FILE

if TYPE_CHECKING:
    from tfwarpgan.serve import ServeOptions

WAITING, WAITING_BYTES = 128, 512 * 2**20  # of requests that are being answered, over all queues
TELLING_SECONDS, CLEANING_SECONDS = 1, 2  # to tell clients about aborted runs, and to unload the models


class Server:
    """A service of the options; `with Server(options) as server:` starts it and drains it in the end.

    `port` and `rest_port` are the ports that it listens on; `ended` says whether all of it has stopped.
    """

    def __init__(self, options: ServeOptions, configured: configuration.Configuration | None = None) -> None:
        """Prepares a service that does not listen yet.

        Args:
            options: `tfwarpgan.serve.ServeOptions`.
            configured: Their `Configuration`; None: it is read.

        Raises:
            InputError: If something in it is wrong.
        """
        self.options = options
        self._configured = configured or configuration.read(options)
        self._session_config = session_config(options)
        self.metrics = Metrics()
        self.models = Models(self._load, options.allow_version_labels_for_unavailable_models)
        admission = Admission(WAITING, WAITING_BYTES)
        self._runner: Runner
        if options.enable_batching:
            self._runner = BatchingRunner(self._configured.batching, admission, self.metrics.batch_begins)
        else:
            self._runner = DirectRunner(4 * (os.cpu_count() or 1), admission)
        self.metrics.watch_queue(lambda: self._runner.waiting)
        request_log = RequestLog(options.request_log)
        prediction = PredictionService(self.models, self._runner, self.metrics)
        model = ModelService(self.models, options.allow_reload)
        self._grpc = GrpcServer(options, self._configured, prediction, model, request_log, WAITING)
        self._rest = None
        if options.rest_api_port:
            self._rest = RestServer(options, prediction, model, request_log, self._configured.metrics_path)
        self._stopping = threading.Event()
        self._is_lame = self.ended = False

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def port(self) -> int | None:
        """The gRPC port."""
        return self._grpc.port

    @property
    def rest_port(self) -> int | None:
        """The REST port, or None."""
        return self._rest.port if self._rest else None

    def start(self) -> None:
        """Loads the models, then listens.

        Raises:
            InputError: If a model cannot be loaded, or a port cannot be used.
        """
        try:
            self._first_load()
            if self._stopping.is_set():
                return
            if self.options.profile_port:
                tf.profiler.experimental.server.start(self.options.profile_port)
            self._grpc.start()
            if self._rest:
                self._rest.start()
        except BaseException:
            self.stop()
            raise
        self._follow()

    def stop(self) -> None:
        """Lets callers leave, takes no more requests, waits for those that run, and lets the models go.

        For the lame-duck time it answers on, while its health and the end of each connection tell callers to go
        elsewhere. What is asked by then is answered, for the grace at most. What runs longer cannot be ended from here:
        `ended` is then False, and threads of the service go on.
        """
        self._stopping.set()
        if self.port and not self._is_lame:
            self._is_lame = True
            self._grpc.lame_duck()
            if self._rest:
                self._rest.lame_duck()
            time.sleep(self.options.lame_duck_seconds)
        end = time.monotonic() + self.options.grace_seconds
        self._grpc.stop(self.options.grace_seconds)
        drained = True
        if self._rest:
            self._rest.stop()
            drained = self._rest.drain(_until(end))
        self._grpc.drain(_until(end) + TELLING_SECONDS)
        # Joins that may never return are a thread's, which ends with the process.
        letting_go = threading.Thread(target=self._let_go, daemon=True)
        letting_go.start()
        letting_go.join(max(_until(end), CLEANING_SECONDS))
        self.ended = drained and not letting_go.is_alive()

    def request_stop(self) -> None:
        """Ends `wait`, and `start` where it waits for a first version."""
        self._stopping.set()

    def wait(self) -> None:
        """Blocks until `request_stop`."""
        self._stopping.wait()

    def _let_go(self) -> None:
        self._grpc.join()
        self._runner.close()
        self.models.stop()

    def _first_load(self) -> None:
        """Loads each model; waits where a folder holds no version yet."""
        self.models.configure(self._configured.models, first=True)
        while not self.models.all_served():
            for name, number, error in self.models.failures():
                raise InputError(f"Version {number} of model {name} cannot be loaded: {_one_line(error.text)}")
            if self._stopping.wait(max(self.options.file_system_poll_wait_seconds, 0.1)):
                return
            self.models.poll()

    def _follow(self) -> None:
        options = self.options
        if options.file_system_poll_wait_seconds > 0:
            self.models.follow(options.file_system_poll_wait_seconds)
        if options.model_config_file and options.model_config_file_poll_wait_seconds > 0:
            self.models.follow_file(
                options.model_config_file, options.model_config_file_poll_wait_seconds, self._configured.models
            )

    def _load(self, name: str, version: int, path: str) -> Servable:
        servable = Servable(name, version, path, self._session_config, self.options.saved_model_tags.split(","))
        try:
            if self.options.enable_model_warmup:
                _warm_up(servable, os.path.join(path, WARMUP_FILE), self.options.num_request_iterations_for_warmup)
        except Exception as error:
            servable.close()
            raise serving_error(error) from None
        return servable


def session_config(options: ServeOptions) -> tf.compat.v1.ConfigProto:
    """What sessions are opened with.

    Raises:
        InputError: If its file cannot be parsed.
    """
    config = tf.compat.v1.ConfigProto()
    config.gpu_options.allow_growth = True  # the machine is not the service's alone
    file = options.tensorflow_session_config_file
    if file:
        config.MergeFrom(configuration.parse(configuration.content(file), tf.compat.v1.ConfigProto, file))
    both = options.tensorflow_session_parallelism
    for name in ("intra_op_parallelism", "inter_op_parallelism"):
        threads = getattr(options, f"tensorflow_{name}") or both or getattr(config, f"{name}_threads")
        setattr(config, f"{name}_threads", threads)
    if options.per_process_gpu_memory_fraction:
        config.gpu_options.per_process_gpu_memory_fraction = options.per_process_gpu_memory_fraction
    return config


def _warm_up(servable: Servable, path: str, times: int) -> None:
    if not os.path.exists(path):
        return
    for count, record in enumerate(tf.data.TFRecordDataset(path).as_numpy_iterator(), 1):
        if count > MAX_RECORDS:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}",
            )
        for _ in range(max(times, 1)):
            warm_up(servable, messages.PredictionLog.FromString(record))
    logging.info("%s: version %d is warm.", servable.name, servable.version)


def _until(end: float) -> float:
    """Seconds until a time of `time.monotonic()`; 0 once it has passed."""
    return max(end - time.monotonic(), 0)


def _one_line(text: str) -> str:
    return " ".join(text.split())
