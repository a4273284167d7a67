"""Runs one request at a time, with a bound on those that run and on those that wait.

Each run holds its activations, so that unbounded ones would fill the memory under overload.
"""

from __future__ import annotations

import collections
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.wire.statuses import ServingError
from tfwarpgan.typing import Array, Arrays

if TYPE_CHECKING:
    from tfwarpgan.serving.service.servables import Servable

Grow: TypeAlias = Callable[[int], None]  # see `Admission.entered`
FULL = "The batch scheduling queue to which this task was submitted is full"


class Admission:
    """A bound on the requests that are being answered, or wait for it, and on the bytes that they hold."""

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        """Sets the bounds; a request that is alone is admitted whatever its size."""
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._lock = threading.Lock()
        self.requests = self.bytes = 0

    @contextlib.contextmanager
    def entered(self, size: int = 0) -> Iterator[Grow]:
        """Counts a request of this many bytes while the context lasts.

        Yields:
            Function of further bytes, which counts them too and raises the same.

        Raises:
            ServingError: At once, if there are too many.
        """
        held = 0

        def grow(size: int) -> None:
            nonlocal held
            with self._lock:
                if self.requests > 1 and self.bytes + size > self._most_bytes:
                    raise self._full(self.requests - 1)
                self.bytes += size
                held += size

        with self._lock:
            if self.requests >= self._most_requests:
                raise self._full(self.requests)
            self.requests += 1
        try:
            grow(size)
            yield grow
        finally:
            with self._lock:
                self.requests -= 1
                self.bytes -= held

    def _full(self, others: int) -> ServingError:
        return ServingError("UNAVAILABLE", f"{FULL}; {others} requests are being answered")


class DirectRunner:
    """Runs each request by itself."""

    def __init__(self, running: int, admission: Admission) -> None:
        """A runner.

        Args:
            running: Runs at the same time; further requests wait for their turn, in their order.
            admission: `Admission` of requests.
        """
        self.admission = admission
        self._free, self._lock = running, threading.Lock()
        self._line = collections.deque[threading.Event]()  # of those that wait

    @property
    def waiting(self) -> int:
        """Requests that wait for their run."""
        return len(self._line)

    def run(
        self, servable: Servable, feeds: Arrays, fetches: Sequence[str], deadline: Deadline | None = None
    ) -> list[Array]:
        """See `Servable.run`; a request whose caller has gone away does not run."""
        deadline = deadline or Deadline()
        with self.admission.entered(nbytes(feeds)):
            self._wait_for_turn(deadline)
            try:
                return servable.run(feeds, fetches, deadline.remaining())
            finally:
                self._pass_turn()

    def close(self) -> None:
        """Nothing to stop."""

    def _wait_for_turn(self, deadline: Deadline) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Event()
            self._line.append(turn)
        deadline.on_leaving(turn.set)
        turn.wait(deadline.left())
        with self._lock:
            if turn in self._line:  # it was not called, but left or became late
                self._line.remove(turn)
                raise deadline.error()

    def _pass_turn(self) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


def nbytes(feeds: Arrays) -> int:
    """Bytes of a dictionary of arrays, which may hold strings."""
    return sum(sum(map(len, array.flat)) if array.dtype == object else array.nbytes for array in feeds.values())
