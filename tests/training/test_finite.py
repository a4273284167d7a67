"""What is no longer finite is told from the first step on, and alike by all replicas."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.training.finite import FiniteWatch, all_finite


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_one_number_is_enough(value):
    good = [tf.ones([3, 2]), tf.fill([4], -1e30)]
    assert all_finite(good)
    for bad in ([value], [value, -value], [1.0, value]):
        assert not all_finite([*good, tf.constant(bad)])


def counted(watch, strategy, finite_at):
    """What the watch says after each of six steps; `finite_at`: (step, replica) -> name -> whether it was finite."""

    @tf.function
    def step(number):
        def on_replica():
            watch.update(finite_at(number, tf.distribute.get_replica_context().replica_id_in_sync_group))

        strategy.run(on_replica)

    for number in range(1, 7):
        step(tf.constant(number))
        yield watch.failed()


@pytest.mark.parametrize("replicas", [1, 2])
def test_the_first_step_is_known_later_too(replicas, mirrored):
    """One replica meets it first; with the gradients, all have it from the next step on."""
    strategy = mirrored if replicas == 2 else tf.distribute.get_strategy()
    with strategy.scope() if replicas == 2 else contextlib.nullcontext():
        watch = FiniteWatch(["loss", "other", "never"])

    def finite_at(number, replica):
        return {"loss": (number < 3) | (number == 3) & (replica < replicas - 1), "other": number < 5}

    told = list(counted(watch, strategy, finite_at))
    assert told == [([], 0), ([], 0), (["loss"], 1), (["loss"], 2), (["loss"], 3), (["loss"], 4)]


def test_a_few_void_steps_are_nothing_and_many_in_a_row_are():
    watch = FiniteWatch(["gradient"], most=2)
    told = list(counted(watch, tf.distribute.get_strategy(), lambda number, _: {"gradient": number % 2 == 0}))
    assert told == [([], 0)] * 6
    told = list(counted(watch, tf.distribute.get_strategy(), lambda number, _: {"gradient": number < 2}))
    assert told == [([], 0), ([], 0), *[(["gradient"], steps) for steps in (2, 3, 4, 5)]]
