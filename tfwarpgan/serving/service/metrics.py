"""Counters and histograms of the requests, as the text that Prometheus collects.

The names are those of TensorFlow Serving, so that the same dashboard shows either program.
"""

import bisect
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from tfwarpgan.serving.wire.statuses import serving_error

LIMITS = [10 * 1.8**power for power in range(33)]  # microseconds, up to some 20 minutes
PREFIX = ":tensorflow:serving:"
COUNTERS, HISTOGRAMS = ("request_count",), ("request_latency", "runtime_latency")
GRPC, REST = "GRPC", "REST"  # entrypoints


class Metrics:
    """What is counted; safe to use from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, str], int] = {}
        self._histograms: dict[tuple[str, str], tuple[list[int], float]] = {}

    @contextlib.contextmanager
    def counted(self, model: str, api: str, entrypoint: str = GRPC) -> Iterator[None]:
        """Counts a request by the status that it ends with, and how long it takes where it is answered."""
        start, status = time.perf_counter(), "OK"
        try:
            yield
        except Exception as error:
            status = serving_error(error).code
            raise
        else:
            api = api.lower() if entrypoint == REST else api  # as it stands in the path
            seconds = time.perf_counter() - start
            self._observe("request_latency", seconds, model_name=model, API=api, entrypoint=entrypoint)
        finally:
            self._add("request_count", model_name=model, status=status)

    def ran(self, model: str, seconds: float) -> None:
        """Notes how long a run took, the wait for a batch included."""
        self._observe("runtime_latency", seconds, model_name=model, API="Predict", runtime="TF1")

    def text(self) -> str:
        """All metrics in Prometheus' text format."""
        with self._lock:
            counters = {key: value for key, value in self._counters.items()}
            histograms = {key: (list(counts), total) for key, (counts, total) in self._histograms.items()}
        lines = []
        for name in COUNTERS:  # the types are told before anything is counted
            lines.append(f"# TYPE {PREFIX}{name} counter")
            lines += [f"{PREFIX}{name}{{{labels}}} {value}" for (own, labels), value in counters.items() if own == name]
        for name in HISTOGRAMS:
            lines.append(f"# TYPE {PREFIX}{name} histogram")
            for (own, labels), (counts, total) in histograms.items():
                if own == name:
                    lines += _histogram_lines(f"{PREFIX}{name}", labels, counts, total)
        return "\n".join(lines) + "\n"

    def _add(self, name: str, **labels: str) -> None:
        key = (name, _labels(labels))
        with self._lock:
            self._counters[key] = self._counters.get(key, 0) + 1

    def _observe(self, name: str, seconds: float, **labels: str) -> None:
        microseconds = seconds * 1e6
        key = (name, _labels(labels))
        with self._lock:
            counts, total = self._histograms.setdefault(key, ([0] * (len(LIMITS) + 1), 0.0))
            counts[bisect.bisect_left(LIMITS, microseconds)] += 1
            self._histograms[key] = (counts, total + microseconds)


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _histogram_lines(name: str, labels: str, counts: Sequence[int], total: float) -> list[str]:
    lines, count = [], 0
    for limit, own in zip([*(f"{limit:.6g}" for limit in LIMITS), "+Inf"], counts, strict=True):
        count += own
        lines.append(f'{name}_bucket{{{labels},le="{limit}"}} {count}')
    return [*lines, f"{name}_sum{{{labels}}} {total:.6g}", f"{name}_count{{{labels}}} {count}"]
