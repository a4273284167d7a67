"""How long a caller waits for its answer: until a time, or until it goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tfwarpgan.serving.wire.statuses import ServingError, deadline_exceeded


class Deadline:
    """The patience of one caller; work that nobody waits for anymore is dropped by it."""

    def __init__(self, seconds: float | None = None) -> None:
        """A caller that waits for this long; None: for as long as it takes."""
        self.end = None if seconds is None or seconds > threading.TIMEOUT_MAX else time.monotonic() + seconds
        self._gone, self._wake = False, list[Callable[[], object]]()
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether nobody waits anymore."""
        return self._gone or self.end is not None and time.monotonic() >= self.end

    def leave(self) -> None:
        """The caller has gone away; wakes those who wait on its behalf."""
        with self._lock:
            self._gone, wake, self._wake = True, self._wake, []
        for function in wake:
            function()

    def on_leaving(self, function: Callable[[], object]) -> None:
        """Has a function called when the caller goes away, or now if it has."""
        with self._lock:
            if not self._gone:
                self._wake.append(function)
                return
        function()

    def left(self) -> float | None:
        """Seconds that are left, 0 if none are; None if there is no end."""
        if self._gone:
            return 0.0
        return None if self.end is None else max(self.end - time.monotonic(), 0.0)

    def remaining(self) -> float | None:
        """Seconds that are left, None if there is no end.

        Raises:
            ServingError: If nobody waits anymore.
        """
        if self.is_over:
            raise self.error()
        return self.left()

    def error(self) -> ServingError:
        """Why there is no answer."""
        return ServingError("CANCELLED", "The caller has gone away") if self._gone else deadline_exceeded()
