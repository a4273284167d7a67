"""How many calls each rater, and new raters together, may make: a bucket of tokens for each."""

import threading
import time
from collections.abc import Callable

PER_SECOND, BURST = 5.0, 60.0
MOST_BUCKETS = 10_000


class Rates:
    """Buckets by name, in memory alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # name -> (tokens left, when)

    def take(self, name: str) -> bool:
        """Takes a token; gives whether there was one."""
        with self._lock:
            now = self._clock()
            left, when = self._buckets.pop(name, (BURST, now))
            left = min(BURST, left + PER_SECOND * (now - when))
            is_allowed = left >= 1
            self._buckets[name] = (left - 1 if is_allowed else left), now  # the latest is the last in the dictionary
            if len(self._buckets) > MOST_BUCKETS:
                del self._buckets[next(iter(self._buckets))]
            return is_allowed
