"""Counters and histograms of the requests, as the text that Prometheus collects.

Where TensorFlow Serving has the same, the name is its own, so that one dashboard shows either program; signatures are a
label more.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

import prometheus_client

from tfwarpgan.serving.service.servables import DEFAULT_SIGNATURE, Servable, Signature
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import serving_error

MICROSECONDS = [10 * 1.8**power for power in range(33)]  # up to some 20 minutes
ROWS = [2**power for power in range(11)]
SERVING = ":tensorflow:serving:"
BATCHING = f"{SERVING}batching_session:"
GRPC, REST = "GRPC", "REST"  # entrypoints

prometheus_client.disable_created_metrics()  # a second series for each one, of its first second


class Metrics:
    """What is counted; safe to use from all threads."""

    def __init__(self) -> None:
        self._registry = registry = prometheus_client.CollectorRegistry()
        prometheus_client.ProcessCollector(registry=registry)
        counter, histogram = prometheus_client.Counter, prometheus_client.Histogram
        self._requests = counter(
            f"{SERVING}request_count",
            "Requests by their end.",
            ["model_name", "signature", "status"],
            registry=registry,
        )
        self._latencies = histogram(
            f"{SERVING}request_latency",
            "Microseconds from request to answer.",
            ["model_name", "signature", "API", "entrypoint"],
            buckets=MICROSECONDS,
            registry=registry,
        )
        self._runs = histogram(
            f"{SERVING}runtime_latency",
            "Microseconds of a run, with the wait for it.",
            ["model_name", "signature", "API", "runtime"],
            buckets=MICROSECONDS,
            registry=registry,
        )
        self._waits = histogram(
            f"{BATCHING}queuing_latency",
            "Microseconds that a request waited for its batch to run.",
            buckets=MICROSECONDS,
            registry=registry,
        )
        self._batches = histogram(
            f"{BATCHING}processed_batch_size", "Rows of a batch.", buckets=ROWS, registry=registry
        )
        self._queue = prometheus_client.Gauge(
            "tfwarpgan_queue_length", "Requests that wait for their run.", registry=registry
        )

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Asks this function for the length of the queue from now on."""
        self._queue.set_function(waiting)

    @contextlib.contextmanager
    def counted(self, servable: Servable, spec: messages.ModelSpec, api: str, entrypoint: str = GRPC) -> Iterator[None]:
        """Counts a request by the status that it ends with, and how long it takes if it is answered."""
        start, status = time.perf_counter(), "OK"
        wanted = spec.signature_name or DEFAULT_SIGNATURE
        signature = wanted if servable.signature(wanted) else ""  # names of clients' choice would have no end
        try:
            yield
        except Exception as error:
            status = serving_error(error).code
            raise
        else:
            api = api.lower() if entrypoint == REST else api  # as it stands in the path
            microseconds = 1e6 * (time.perf_counter() - start)
            self._latencies.labels(servable.name, signature, api, entrypoint).observe(microseconds)
        finally:
            self._requests.labels(servable.name, signature, status).inc()

    def ran(self, servable: Servable, signature: Signature, seconds: float) -> None:
        """Notes how long a run took, with the wait for a batch."""
        self._runs.labels(servable.name, signature.name, "Predict", "TF1").observe(1e6 * seconds)

    def batch_begins(self, rows: int, waits: Sequence[float]) -> None:
        """Notes a batch that begins to run, and the seconds that each of its requests waited."""
        self._batches.observe(rows)
        for seconds in waits:
            self._waits.observe(1e6 * seconds)

    def text(self) -> str:
        """All metrics in Prometheus' text format."""
        text = prometheus_client.generate_latest(self._registry).decode()
        return text.replace(f"{SERVING}request_count_total", f"{SERVING}request_count")  # as TensorFlow Serving says it
