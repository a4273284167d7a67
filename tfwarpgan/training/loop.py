"""The loop of a training: one step on every replica, callbacks between two steps, whatever the strategy."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.compat import variables_of
from tfwarpgan.training.signals import StopSignals
from tfwarpgan.training.trainer import Trainer
from tfwarpgan.typing import Scalar

Logs: TypeAlias = dict[str, Scalar]


def run_steps(
    trainer: Trainer,
    dataset: tf.data.Dataset,
    steps: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    strategy: tf.distribute.Strategy | None = None,
    signals: StopSignals | None = None,
) -> tuple[Logs, bool]:
    """Trains until `steps` steps are done, a callback sets `trainer.stop_training`, or a signal asks to stop.

    A step that a scaled loss made void is no step done: another batch takes its place. With several workers, all run
    the same callbacks, and a signal to one of them stops all after the same step.

    Args:
        trainer: A `Trainer` with its optimizers, made in the strategy's scope.
        dataset: tf.data.Dataset of batches for all replicas of this worker together, each divisible by their number.
        steps: Of the whole stage, those before a restored checkpoint included.
        callbacks: Told of each step as by Keras' `fit`, which cannot run every strategy.
        strategy: None is the default, one replica.
        signals: Those that the whole training heeds, or None.

    Returns:
        (the means after the last step, whether a signal stopped it)
    """
    strategy, signals = strategy or tf.distribute.get_strategy(), signals or StopSignals()
    alone = not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    step, batches = step_function(trainer, strategy), distributed(dataset, strategy)
    watching = keras.callbacks.CallbackList(list(callbacks), model=trainer)
    trainer.stop_training = False
    logs: Logs = {}
    number, interrupted = 0, False
    watching.on_train_begin()
    while trainer.steps_done < steps and not (interrupted or trainer.stop_training):
        watching.on_train_batch_begin(number)
        logs, told = step(batches, tf.constant(float(signals.received)))
        watching.on_train_batch_end(number, logs)
        number += 1
        interrupted = signals.received if alone else bool(told > 0)
    watching.on_train_end(logs)
    trainer.reset_metrics()  # not before: a restored checkpoint holds the means of a log entry that has begun
    return logs, interrupted


def distributed(dataset: tf.data.Dataset, strategy: tf.distribute.Strategy) -> Any:
    """An iterator over a worker's batches, each split among its replicas in their order."""
    size = next(iter(dataset.element_spec.values())).shape[0]

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        replicas = context.num_replicas_in_sync // context.num_input_pipelines
        return dataset.rebatch(size // replicas) if replicas > 1 else dataset

    return iter(strategy.distribute_datasets_from_function(of_worker))


def step_function(trainer: Trainer, strategy: tf.distribute.Strategy) -> Callable[[Any, Scalar], tuple[Logs, Scalar]]:
    """The compiled function of distributed batches and a number that takes one step on all replicas.

    It gives the means over all replicas that the train step has logged, and the sum of their numbers, all of which
    travel together.
    """
    train_step = trainer.train_step
    if trainer.jit_compile:
        train_step = tf.function(train_step, jit_compile=True, autograph=False)

    def of_replica(batch: Any, number: Scalar) -> tuple[Logs, Scalar]:
        names = list(train_step(batch))
        parts = [part for name in names for part in variables_of(trainer.trackers[name])]  # sum and weight of each
        replica = tf.distribute.get_replica_context()
        *sums, total = tf.unstack(replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.stack([*parts, number])))
        means = map(tf.math.divide_no_nan, sums[::2], sums[1::2])
        return dict(zip(names, means, strict=True)), total

    def step(batches: Any, number: Scalar) -> tuple[Logs, Scalar]:
        results = strategy.run(of_replica, args=(next(batches), number))
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], results)

    return tf.function(step, reduce_retracing=True, autograph=False)
