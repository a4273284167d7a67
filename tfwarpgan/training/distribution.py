"""One device or several, on one machine or several: the strategy of a run, and what its workers tell each other."""

import contextlib
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf
from tensorflow.python.distribute import collective_all_reduce_strategy
from tensorflow.python.eager import context

from tfwarpgan.errors import InputError
from tfwarpgan.training.meeting import PATIENCE, meet
from tfwarpgan.training.signals import StopSignals
from tfwarpgan.training.workers import ALONE, Workers
from tfwarpgan.typing import Array

Made = TypeVar("Made")

SILENCE = 30.0  # seconds after which a worker counts as gone; one whose process has ended is noticed at once
# What TensorFlow raises where another worker, or the connection to it, has gone.
_GONE = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
# How a FailedPreconditionError tells of another worker; files and folders have such errors of their own.
_OF_WORKERS = re.compile("aborted by: |incarnation|oordination|CONNECTED state")


def choose_strategy(devices: Sequence[str] | None = None, workers: Workers = ALONE) -> tf.distribute.Strategy:
    """MultiWorkerMirroredStrategy for several workers, MirroredStrategy for several devices, else the default one.

    Several workers have to be connected before TensorFlow has done anything else in the process.

    Args:
        devices: List of device names, such as ["CPU:0", "CPU:1"], or None for all GPUs; of one worker.
        workers: `Workers`.

    Raises:
        InputError: If NCCL is wanted without a GPU, or the workers do not meet.
    """
    gpus = [gpu.name.replace("/physical_device:", "") for gpu in tf.config.list_physical_devices("GPU")]
    if workers.count > 1:
        return _connect(workers, len(gpus))
    devices = devices or gpus
    return tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else tf.distribute.get_strategy()


def _connect(workers: Workers, gpus: int) -> tf.distribute.Strategy:
    """Waits until all workers are there."""
    if workers.communication == "nccl" and not gpus:
        raise InputError("--communication=nccl needs GPUs, and TensorFlow sees none here; use ring, or leave it out.")
    implementation = tf.distribute.experimental.CommunicationImplementation(workers.communication.upper())
    cluster = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(workers.addresses)}),
        task_type="worker",
        task_id=workers.index,
        num_accelerators={"GPU": gpus},
        rpc_layer="grpc",
    )
    options = tf.distribute.experimental.CommunicationOptions(implementation=implementation)
    print(f"worker {workers.index} of {workers.count} waits for the others.", file=sys.stderr, flush=True)
    with StopSignals() as signals, signals.at_once():
        meet(workers)
    _set_limits(workers.count)
    return tf.distribute.MultiWorkerMirroredStrategy(cluster, options)


def _set_limits(count: int) -> None:
    """Tells TensorFlow, in the one way there is, how long a worker may be silent; its own 10 s end busy ones, too."""
    jobs = [collective_all_reduce_strategy.coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=count)]
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        cluster_register_timeout_in_ms=int(1000 * PATIENCE),
        heartbeat_timeout_in_ms=int(1000 * SILENCE),
        coordinated_jobs=jobs,
    )


@contextlib.contextmanager
def worker_errors(workers: Workers) -> Iterator[None]:
    """Turns what TensorFlow says of a worker that has gone into an `InputError`."""
    try:
        yield
    except (*_GONE, tf.errors.FailedPreconditionError) as error:
        told = isinstance(error, _GONE) or _OF_WORKERS.search(str(error))
        if workers.count == 1 or not told:
            raise
        reason = re.search(r"aborted by: ([^\n]+)", str(error))
        raise InputError(
            f"Another worker stopped or cannot be reached any more{f' ({reason[1].strip()})' if reason else ''}: run "
            "the same command on all workers, and the training goes on from the last checkpoint."
        ) from None


def chief_first(make: Callable[[], Made], strategy: tf.distribute.Strategy, workers: Workers) -> Made:
    """`make()`, called by the chief first and by the other workers when it has returned there."""
    if workers.is_chief:
        made = make()
        wait_for_all(strategy, workers)
        return made
    wait_for_all(strategy, workers)
    return make()


def chosen_by_chief(
    choose: Callable[[], Collection[str]], names: Sequence[str], strategy: tf.distribute.Strategy, workers: Workers
) -> list[str]:
    """Those of the names that `choose()` gives, which the chief alone calls; the other workers wait for it."""
    chosen = choose() if workers.is_chief else ()
    if workers.count == 1:
        return list(chosen)
    bits = gather(sum(1 << place for place, name in enumerate(names) if name in chosen), strategy)[0]
    return [name for place, name in enumerate(names) if bits >> place & 1]


def wait_for_all(strategy: tf.distribute.Strategy, workers: Workers) -> None:
    """Returns when all workers have called this."""
    if workers.count > 1:
        gather(0, strategy)


def any_worker(value: bool, strategy: tf.distribute.Strategy, workers: Workers) -> bool:
    """Whether the value of any worker is true, the same on each; it waits for all of them."""
    return value if workers.count == 1 else any(gather(int(value), strategy))


def agree(text: str, what: str, strategy: tf.distribute.Strategy, workers: Workers) -> None:
    """Refuses to go on where the workers do not hold the same.

    Args:
        text: What all have to hold.
        what: What it is, for the message.
        strategy: That of the run.
        workers: `Workers`.

    Raises:
        InputError: On every worker, if one holds something else than the chief.
    """
    if workers.count == 1:
        return
    found = gather(int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big"), strategy)
    per_worker = found[:: len(found) // workers.count]
    others = [str(index) for index, value in enumerate(per_worker) if value != per_worker[0]]
    if others:
        raise InputError(f"Worker {', '.join(others)} has other {what} than worker 0: give all of them the same.")


def total(sums: Mapping[str, Array], strategy: tf.distribute.Strategy, workers: Workers) -> dict[str, Array]:
    """The sums of all workers' arrays, by name, float64 and bit by bit the same on each; it waits for all of them."""
    if workers.count == 1:
        return dict(sums)
    own = [tf.constant(value, tf.float64) for value in sums.values()]
    summed = _on_all(_summed, strategy)(own, workers.count)
    return {name: strategy.experimental_local_results(value)[0].numpy() for name, value in zip(sums, summed)}


def gather(value: int, strategy: tf.distribute.Strategy) -> list[int]:
    """The integers of all replicas, in the order of the workers; it waits for all of them."""
    gathered = _on_all(_gathered, strategy)(tf.constant([value], tf.int64))
    return [int(number) for number in strategy.experimental_local_results(gathered)[0]]


@functools.cache
def _on_all(of_replica: Callable[..., Any], strategy: tf.distribute.Strategy) -> Callable[..., Any]:
    """The function run on all replicas, compiled; made once, since TensorFlow warns of one that is made for each call.

    All replicas of a worker get the same arguments.
    """
    return tf.function(lambda *arguments: strategy.run(of_replica, args=arguments), autograph=False)


def _gathered(value: tf.Tensor) -> tf.Tensor:
    return tf.distribute.get_replica_context().all_gather(tf.identity(value), axis=0)  # an argument is on no device


def _summed(values: list[tf.Tensor], workers: int) -> list[tf.Tensor]:
    replica = tf.distribute.get_replica_context()
    first = replica.replica_id_in_sync_group % (replica.num_replicas_in_sync // workers) == 0
    counted = [tf.where(first, value, tf.zeros_like(value)) for value in values]  # a worker's replicas once
    return list(replica.all_reduce(tf.distribute.ReduceOp.SUM, counted))
