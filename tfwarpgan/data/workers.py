"""Work on many items by several processes, results in the order of the items.

Decoding and encoding images holds Python's lock for most of its time: two threads are no faster than one, processes
are. They are forked where the system forks safely: nothing is imported again, and what they run is NumPy and Pillow,
never TensorFlow, whose threads a fork does not copy.
"""

import collections
import concurrent.futures
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from typing import Any, TypeVar

from tfwarpgan.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 4  # items that travel together
AHEAD = 4  # chunks per process that are under way: what is in memory, however many items there are


def count_workers(workers: int = 0) -> int:
    """The number of processes: `workers`, or for 0 one for each core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return workers or cores or 1


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int = 0) -> Iterator[Result]:
    """`function` of each item, computed by several processes.

    Args:
        function: Function of an item; function, items and results can be pickled.
        items: Iterable, read as far ahead as work is under way.
        workers: Number of processes; 0: one per core; 1: none, the work is done here.

    Yields:
        The results, in the order of the items; an error is raised in the place of its result.

    Raises:
        InputError: If the system ended a process.
    """
    workers = count_workers(workers)
    if workers == 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    pool = concurrent.futures.ProcessPoolExecutor(workers, context, initializer=_start)
    try:
        yield from _results(pool, function, iter(items), workers * AHEAD)
    except concurrent.futures.process.BrokenProcessPool:
        raise InputError(
            "The system ended a worker process, most likely because memory ran out; try --workers=1, or "
            "a machine with more memory."
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _results(
    pool: concurrent.futures.Executor, function: Callable[[Item], Result], items: Iterator[Item], ahead: int
) -> Iterator[Result]:
    waiting: collections.deque[concurrent.futures.Future[Any]] = collections.deque()
    while chunk := list(itertools.islice(items, CHUNK)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, see above
            waiting.append(pool.submit(_all_of, function, chunk))
        if len(waiting) >= ahead:
            yield from _values(waiting.popleft())
    while waiting:
        yield from _values(waiting.popleft())


def _all_of(function: Callable[[Item], Result], chunk: list[Item]) -> tuple[list[Result], Exception | None]:
    """Results up to the first error, and that error or None."""
    results = []
    for item in chunk:
        try:
            results.append(function(item))
        except Exception as error:
            return results, error
    return results, None


def _values(future: concurrent.futures.Future[tuple[list[Result], Exception | None]]) -> Iterator[Result]:
    results, error = future.result()
    yield from results
    if error is not None:
        raise error


def _start() -> None:
    """In a new process: signals are handled by the first process, and this one ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        connection.wait([parent.sentinel])
    os._exit(1)
