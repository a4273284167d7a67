"""Runs one request at a time, with a bound on those that run and on those that wait.

Each run holds its activations, so that unbounded ones would fill the memory under overload.
"""

import threading
import time

from tfwarpgan.serving.statuses import ServingError, deadline_exceeded

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


class DirectRunner:
    """Runs each request by itself."""

    def __init__(self, running, waiting):
        """A runner.

        Args:
            running: Runs at the same time.
            waiting: Requests that may wait for their turn; one more is refused at once.
        """
        self._turns = threading.Semaphore(running)
        self._lock = threading.Lock()
        self._inside, self._most = 0, running + waiting

    def run(self, servable, feeds, fetches, deadline=None):
        """See `Servable.run`; the deadline is one of `time.monotonic()`."""
        with self._lock:
            if self._inside >= self._most:
                raise ServingError("UNAVAILABLE", f"{FULL}; {self._most} requests are being answered")
            self._inside += 1
        try:
            if not self._turns.acquire(timeout=remaining(deadline)):
                raise deadline_exceeded()
            try:
                return servable.run(feeds, fetches, remaining(deadline))
            finally:
                self._turns.release()
        finally:
            with self._lock:
                self._inside -= 1

    def close(self):
        """Nothing to stop."""
