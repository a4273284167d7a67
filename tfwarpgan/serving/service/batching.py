"""Batching: requests that arrive together run together.

A queue holds what fits into one run: the same version of a model, the same inputs and outputs, and rows of the same
shapes and types. It is bounded, and so is the number of requests over all queues; one more is refused at once. Each
answer must be what the request alone would have got, so a batch that fails is halved until the request that spoils it
stands alone, and an output without a row for each row of the batch is run request by request.
"""

from __future__ import annotations

import collections
import dataclasses
import operator
import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.admission import FULL, Admission, DirectRunner, nbytes
from tfwarpgan.serving.service.deadlines import Deadline
from tfwarpgan.serving.wire.statuses import ServingError
from tfwarpgan.typing import Array, Arrays

if TYPE_CHECKING:
    from tfwarpgan.serving.service.servables import Servable


@dataclasses.dataclass(frozen=True)
class BatchingOptions:
    """The parameters of a batching file, with the defaults of TensorFlow Serving."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False

    def __post_init__(self) -> None:
        sizes = self.allowed_batch_sizes
        for name in ("max_batch_size", "max_enqueued_batches", "num_batch_threads"):
            if getattr(self, name) < 1:
                raise InputError(f"--batching_parameters_file: {name} must be at least 1.")
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] != self.max_batch_size):
            raise InputError(
                "--batching_parameters_file: allowed_batch_sizes must increase, and the last must be max_batch_size."
            )


class _Task:
    def __init__(self, feeds: Arrays, size: int, deadline: Deadline) -> None:
        self.feeds, self.size, self.deadline = feeds, size, deadline
        self.since = time.monotonic()
        self.wakes, self.is_finished = threading.Event(), False
        self.answer: list[Array] = []
        self.error: Exception | None = None

    def finish(self, answer: list[Array] | None = None, error: Exception | None = None) -> None:
        self.answer, self.error = answer or [], error
        self.feeds = {}
        self.is_finished = True
        self.wakes.set()


class _Batch:
    """Tasks that run together: open while it is the last of its queue and not full."""

    def __init__(self) -> None:
        self.tasks: list[_Task] = []
        self.size, self.since = 0, time.monotonic()
        self.waits_from = self.since


Begins: TypeAlias = Callable[[int, Sequence[float]], None]  # of its rows, and the seconds that each request waited
_Queue: TypeAlias = tuple["Servable", Sequence[str], collections.deque[_Batch]]  # what is fetched of which version


class BatchingRunner:
    """Runs requests in batches, on threads of its own; has the interface of `DirectRunner`."""

    def __init__(
        self, options: BatchingOptions, admission: Admission, begins: Begins = lambda size, waits: None
    ) -> None:
        """Starts the threads.

        Args:
            options: `BatchingOptions`.
            admission: `Admission` of requests, over all queues.
            begins: Is told of each batch that begins to run.
        """
        self.options, self.admission, self._begins = options, admission, begins
        self._queues: dict[Hashable, _Queue] = {}  # none that is empty, as clients choose the keys
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(options.num_batch_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait for their run."""
        with self._changed:
            return sum(len(batch.tasks) for _, _, batches in self._queues.values() for batch in batches)

    def run(
        self, servable: Servable, feeds: Arrays, fetches: Sequence[str], deadline: Deadline | None = None
    ) -> list[Array]:
        """See `Servable.run`; a request whose caller has gone away leaves the queue."""
        size, deadline = _rows(feeds), deadline or Deadline()
        if size > self.options.max_batch_size:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"Task size {size} is larger than maximum input batch size {self.options.max_batch_size}",
            )
        if not size:
            return servable.run(feeds, fetches, deadline.remaining())
        task = _Task(feeds, size, deadline)
        with self.admission.entered(nbytes(feeds)):
            key = self._key(servable, feeds, fetches)
            self._enqueue(key, servable, fetches, task)
            deadline.on_leaving(task.wakes.set)
            task.wakes.wait(deadline.left())
            if not task.is_finished:
                self._withdraw(key, task)
                raise deadline.error()
        if task.error:
            raise task.error
        return task.answer

    def close(self) -> None:
        """Ends the threads once the queues are empty."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _key(self, servable: Servable, feeds: Arrays, fetches: Sequence[str]) -> Hashable:
        shape_of = operator.attrgetter("ndim") if self.options.pad_variable_length_inputs else _row_shape
        rows = tuple((name, array.dtype.str, shape_of(array)) for name, array in feeds.items())
        return id(servable), rows, tuple(fetches)

    def _enqueue(self, key: Hashable, servable: Servable, fetches: Sequence[str], task: _Task) -> None:
        with self._changed:
            batches = self._queues[key][2] if key in self._queues else collections.deque()
            is_new = not batches or batches[-1].size + task.size > self.options.max_batch_size
            if is_new and len(batches) >= self.options.max_enqueued_batches:
                raise ServingError("UNAVAILABLE", f"{FULL}; {len(batches)} batches wait in it")
            if is_new:
                batches.append(_Batch())
            batches[-1].tasks.append(task)
            batches[-1].size += task.size
            self._queues[key] = (servable, fetches, batches)
            self._changed.notify()

    def _withdraw(self, key: Hashable, task: _Task) -> None:
        """Takes a request out of its queue, if it is still there, with the place that it held."""
        with self._changed:
            batches = self._queues[key][2] if key in self._queues else collections.deque()
            batch = next((batch for batch in batches if task in batch.tasks), None)
            if batch is None:  # it runs
                return
            batch.tasks.remove(task)
            batch.size -= task.size
            if not batch.tasks:
                batches.remove(batch)
            if not batches:
                del self._queues[key]

    def _work(self) -> None:
        while True:
            with self._changed:
                key = self._ready_queue()
                while key is None:
                    if self._closed and not self._queues:
                        return
                    self._changed.wait(self._next_timeout())
                    key = self._ready_queue()
                servable, fetches, batches = self._queues[key]
                tasks = batches.popleft().tasks
                if not batches:
                    del self._queues[key]
            now = time.monotonic()
            self._begins(sum(task.size for task in tasks), [now - task.since for task in tasks])
            self._run_tasks(servable, fetches, tasks)
            with self._changed:
                if key in self._queues:  # those who have just been answered may come back in time for the next batch
                    self._queues[key][2][0].waits_from = time.monotonic()

    def _ready_queue(self) -> Hashable:
        """The key of the queue whose first batch has waited longest of those that are full or have waited enough."""
        oldest = None
        for key, (_, _, batches) in self._queues.items():
            batch = batches[0]
            full = len(batches) > 1 or batch.size == self.options.max_batch_size
            if (full or self._closed or self._seconds_left(batch) <= 0) and (not oldest or batch.since < oldest[0]):
                oldest = (batch.since, key)
        return oldest and oldest[1]

    def _seconds_left(self, batch: _Batch) -> float:
        return batch.waits_from + self.options.batch_timeout_micros / 1e6 - time.monotonic()

    def _next_timeout(self) -> float | None:
        times = [self._seconds_left(batches[0]) for _, _, batches in self._queues.values()]
        return max(min(times), 0) if times else None

    def _run_tasks(self, servable: Servable, fetches: Sequence[str], tasks: Sequence[_Task]) -> None:
        """Answers each task; halves the tasks where they cannot be answered together."""
        tasks = [task for task in tasks if not task.deadline.is_over]  # the others left already
        if not tasks:
            return
        try:
            answers = self._answers(servable, fetches, tasks)
        except Exception as error:
            if len(tasks) == 1:
                tasks[0].finish(error=error)
            else:
                self._run_tasks(servable, fetches, tasks[: len(tasks) // 2])
                self._run_tasks(servable, fetches, tasks[len(tasks) // 2 :])
            return
        for task, answer in zip(tasks, answers, strict=True):
            task.finish(answer)

    def _answers(self, servable: Servable, fetches: Sequence[str], tasks: Sequence[_Task]) -> list[list[Array]]:
        """The outputs of each task; those of the whole batch are cut where its rows change hands."""
        size = sum(task.size for task in tasks)
        padding = next((allowed for allowed in self.options.allowed_batch_sizes if allowed >= size), size) - size
        feeds = {name: _merged([task.feeds[name] for task in tasks], padding) for name in tasks[0].feeds}
        ends = [task.deadline.end for task in tasks if task.deadline.end is not None]
        latest = max(ends) - time.monotonic() if len(ends) == len(tasks) else None
        outputs = servable.run(feeds, fetches, latest)
        if any(output.ndim == 0 or len(output) != size + padding for output in outputs):
            if len(tasks) == 1 and not padding:
                return [outputs]
            return [servable.run(task.feeds, fetches, task.deadline.left()) for task in tasks]
        stops = np.cumsum([task.size for task in tasks])
        return [[output[stop - task.size : stop] for output in outputs] for task, stop in zip(tasks, stops)]


Runner: TypeAlias = DirectRunner | BatchingRunner


def _row_shape(array: Array) -> tuple[int, ...]:
    return array.shape[1:]


def _rows(feeds: Arrays) -> int:
    """The number of rows that all inputs have."""
    if any(array.ndim == 0 for array in feeds.values()):
        raise ServingError("INVALID_ARGUMENT", "Batching Run() input tensors must have at least one dimension")
    sizes = {len(array) for array in feeds.values()}
    if len(sizes) != 1:
        raise ServingError("INVALID_ARGUMENT", "Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def _merged(arrays: Sequence[Array], padding: int) -> Array:
    """The arrays below each other, each filled up to the largest rows, with more rows like the last array's first."""
    if len({array.shape[1:] for array in arrays}) > 1:
        largest = [max(sizes) for sizes in zip(*(array.shape[1:] for array in arrays))]
        arrays = [_filled_up(array, largest) for array in arrays]
    if len(arrays) == 1 and not padding:
        return arrays[0]
    return np.concatenate([*arrays, *[arrays[-1][:1]] * padding])


def _filled_up(array: Array, sizes: Sequence[int]) -> Array:
    filled = np.empty([len(array), *sizes], array.dtype)
    filled.fill(array.flat[0] if array.size else b"" if array.dtype == object else 0)
    filled[tuple(map(slice, array.shape))] = array
    return filled
