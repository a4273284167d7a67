"""Signals that ask a training to stop: Ctrl-C, and the one that schedulers send before they end a process."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any


class StopSignals:
    """Context in which the first signal is only noted, in `received`; a second one is not waited for."""

    def __init__(self) -> None:
        self.received = False
        self._at_once = False
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._note)
        return self

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Within it, where there is nothing to save, the first signal already raises KeyboardInterrupt."""
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._at_once:
            raise KeyboardInterrupt
        self.received = True
        signal.signal(number, self._handlers[number])

    def __exit__(self, *error: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
