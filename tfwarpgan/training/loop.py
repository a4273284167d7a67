"""The loop of a training: one step on every replica, callbacks between two steps, whatever the strategy."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.training.trainer import Trainer
from tfwarpgan.typing import Scalar

Logs: TypeAlias = dict[str, Scalar]


def run_steps(
    trainer: Trainer,
    dataset: tf.data.Dataset,
    steps: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    strategy: tf.distribute.Strategy | None = None,
) -> Logs:
    """Trains until `steps` steps are done, or a callback sets `trainer.stop_training`.

    A step that a scaled loss made void is no step done: another batch takes its place.

    Args:
        trainer: A `Trainer` with its optimizers, made in the strategy's scope.
        dataset: tf.data.Dataset of batches for all replicas together, each divisible by their number.
        steps: Of the whole stage, those before a restored checkpoint included.
        callbacks: Told of each step as by Keras' `fit`, which cannot run every strategy.
        strategy: None is the default, one replica.

    Returns:
        What the last train step returned.
    """
    strategy = strategy or tf.distribute.get_strategy()
    batches = iter(strategy.experimental_distribute_dataset(dataset))
    step, logs, number = step_function(trainer, strategy), {}, 0
    watching = keras.callbacks.CallbackList(list(callbacks), model=trainer)
    trainer.stop_training = False
    watching.on_train_begin()
    while trainer.steps_done < steps and not trainer.stop_training:
        watching.on_train_batch_begin(number)
        logs = step(batches)
        watching.on_train_batch_end(number, logs)
        number += 1
    watching.on_train_end(logs)
    trainer.reset_metrics()  # not before: a restored checkpoint holds the means of a log entry that has begun
    return logs


def step_function(trainer: Trainer, strategy: tf.distribute.Strategy) -> Callable[[Any], Logs]:
    """The compiled function of an iterator over distributed batches that takes one step on all replicas."""
    train_step = trainer.train_step
    if trainer.jit_compile:
        train_step = tf.function(train_step, jit_compile=True)

    def step(batches: Any) -> Logs:
        logs = strategy.run(train_step, args=(next(batches),))
        # The means are the same on all replicas.
        return {name: strategy.experimental_local_results(value)[0] for name, value in logs.items()}

    return tf.function(step, reduce_retracing=True)
