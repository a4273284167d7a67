"""One line of JSON for each request, for those who follow single requests through several programs."""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TextIO

from tfwarpgan.errors import InputError
from tfwarpgan.serving.wire.statuses import serving_error

TRACEPARENT = "traceparent"  # a caller's header, of W3C Trace Context


class RequestLog:
    """Where the lines go; without a path they go nowhere."""

    def __init__(self, path: str = "") -> None:
        """Opens the file, to which lines are added.

        Raises:
            InputError: If it cannot be written.
        """
        self._lock, self._file = threading.Lock(), _opened(path) if path else None

    @property
    def is_on(self) -> bool:
        """Whether lines go anywhere."""
        return self._file is not None

    @contextlib.contextmanager
    def request(self, headers: Mapping[str, str], **known: object) -> Iterator[dict[str, object]]:
        """Writes the line of a request at its end.

        Args:
            headers: The caller's.
            **known: What is known of it from the start.

        Yields:
            What is said of it, a dictionary to add to.
        """
        start, said = time.perf_counter(), {"status": "OK", **known}
        try:
            yield said
        except BaseException as error:  # a coroutine is cancelled when its caller goes away
            said["status"] = serving_error(error).code if isinstance(error, Exception) else "CANCELLED"
            raise
        finally:
            if self._file:
                now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
                milliseconds = round(1000 * (time.perf_counter() - start), 3)
                line = {"time": now, "milliseconds": milliseconds, **said}
                if traceparent := headers.get(TRACEPARENT):
                    line[TRACEPARENT] = traceparent
                self._write(json.dumps(line) + "\n")

    def _write(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError):  # a full disk must not fail a request
            if self._file:
                self._file.write(line)


def _opened(path: str) -> TextIO:
    try:
        return open(path, "a", buffering=1, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--request_log={path} cannot be written ({error.strerror}).") from None
