"""Runs one request at a time, with a bound on those that run and on those that wait.

Each run holds its activations, so that unbounded ones would fill the memory under overload.
"""

import contextlib
import threading
import time

from tfwarpgan.serving.wire.statuses import ServingError, deadline_exceeded

FULL = "The batch scheduling queue to which this task was submitted is full"


def remaining(deadline):
    """Seconds until a deadline of `time.monotonic()`, None where there is none.

    Raises:
        ServingError: If it has passed.
    """
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise deadline_exceeded()
    return seconds


class Admission:
    """A bound on the requests that are being answered, or wait for it, and on the bytes that they hold."""

    def __init__(self, most_requests, most_bytes):
        """Bounds; a request that is alone is admitted whatever its size."""
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._lock = threading.Lock()
        self.requests = self.bytes = 0

    @contextlib.contextmanager
    def entered(self, size):
        """Counts a request of so many bytes while the context lasts.

        Raises:
            ServingError: At once, if there are too many.
        """
        with self._lock:
            too_large = self.requests and self.bytes + size > self._most_bytes
            if too_large or self.requests >= self._most_requests:
                raise ServingError("UNAVAILABLE", f"{FULL}; {self.requests} requests are being answered")
            self.requests += 1
            self.bytes += size
        try:
            yield
        finally:
            with self._lock:
                self.requests -= 1
                self.bytes -= size


class DirectRunner:
    """Runs each request by itself."""

    def __init__(self, running, admission):
        """A runner.

        Args:
            running: Runs at the same time; further requests wait for their turn.
            admission: `Admission` of requests.
        """
        self._turns = threading.Semaphore(running)
        self.admission = admission

    def run(self, servable, feeds, fetches, deadline=None):
        """See `Servable.run`; the deadline is one of `time.monotonic()`."""
        with self.admission.entered(nbytes(feeds)):
            if not self._turns.acquire(timeout=remaining(deadline)):
                raise deadline_exceeded()
            try:
                return servable.run(feeds, fetches, remaining(deadline))
            finally:
                self._turns.release()

    def close(self):
        """Nothing to stop."""


def nbytes(feeds):
    """Bytes of a dictionary of arrays, which may hold strings."""
    return sum(sum(map(len, array.flat)) if array.dtype == object else array.nbytes for array in feeds.values())
