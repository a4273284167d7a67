"""The optimizer against Keras' own, and the learning rate by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.options import TrainOptions
from tfwarpgan.training.optimization import (
    FusedAdam,
    LearningRate,
    apply_gradients,
    gradients_of,
    inner_optimizer,
    make_optimizer,
)

keras = tf.keras


def course(optimizer, graph):
    """Two variables over five steps of the same random gradients."""
    variables = [tf.Variable([1.0, -2.0, 3.0]), tf.Variable([[0.5], [0.25]])]
    optimizer.build(variables)
    generator = np.random.default_rng(0)

    def step(*gradients):
        optimizer.apply_gradients(zip(gradients, variables))

    step = tf.function(step) if graph else step
    for _ in range(5):
        step(*(tf.constant(generator.normal(size=v.shape), tf.float32) for v in variables))
    moments = [np.asarray(moment) for moment in optimizer.variables]
    return [variable.numpy() for variable in variables], moments


@pytest.mark.parametrize("graph", [False, True])
def test_fused_adam_is_adam(graph):
    rate = LearningRate(0.1, 6, 2)
    wanted, wanted_moments = course(keras.optimizers.Adam(rate, 0.5, 0.9), graph)
    got, moments = course(FusedAdam(rate, 0.5, 0.9), graph)
    for want, have in zip([*wanted, *wanted_moments], [*got, *moments], strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)


def test_the_first_step_is_the_learning_rate():
    # Both moments corrected for their start at 0 leave g / |g|.
    variable = tf.Variable([1.0, 1.0])
    optimizer = FusedAdam(0.25, 0.5, 0.999)
    optimizer.apply_gradients([(tf.constant([3.0, -1.0]), variable)])
    np.testing.assert_allclose(variable.numpy(), [0.75, 1.25], atol=1e-5)


@pytest.mark.parametrize("clip_norm", [0.0, 0.5])
@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_two_replicas_take_the_steps_of_one(precision, clip_norm, mirrored):
    options = TrainOptions(precision=precision, learning_rate=1.0, decay_from=0.5, clip_norm=clip_norm)
    examples = tf.constant(np.random.default_rng(0).normal(size=[8, 4]), tf.float32)

    def course(strategy):
        with strategy.scope():
            layer = keras.layers.Dense(1, kernel_initializer="ones")
            layer.build([None, 3])
            optimizer = make_optimizer(options, 4)
            inner_optimizer(optimizer).epsilon = 0.1  # so that a gradient of another scale makes another step
            optimizer.build(layer.trainable_variables)

        def step(part):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((layer(part[:, :3]) - part[:, 3:]) ** 2)
            gradients = gradients_of(optimizer, tape, loss, layer.trainable_variables)
            apply_gradients(optimizer, gradients, layer.trainable_variables)

        run = tf.function(lambda parts: strategy.run(step, args=(parts,)))
        replicas = strategy.num_replicas_in_sync
        for _ in range(4):
            run(
                strategy.experimental_distribute_values_from_function(
                    lambda context: tf.split(examples, replicas)[context.replica_id_in_sync_group]
                )
            )
        kernel = strategy.experimental_local_results(variables_of(layer)[0])
        return [value.numpy() for value in kernel]

    (one,), two = course(tf.distribute.get_strategy()), course(mirrored)
    assert np.abs(one - 1).max() > 0.1
    for replica in two:
        np.testing.assert_allclose(replica, one, rtol=1e-5)


def test_it_comes_back_from_its_configuration():
    optimizer = make_optimizer(TrainOptions(learning_rate=0.5, beta_1=0.25), 10)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert isinstance(again, FusedAdam) and again.get_config()["beta_1"] == 0.25


def test_a_discriminator_may_learn_slower():
    options = TrainOptions(learning_rate=0.5, discriminator_learning_rate=0.125, decay_from=1.0)

    def rate(options, network):
        return float(tf.convert_to_tensor(make_optimizer(options, 10, network).learning_rate))

    assert (rate(options, "warping_generator"), rate(options, "discriminator")) == (0.5, 0.125)
    assert rate(TrainOptions(learning_rate=0.5), "discriminator") == 0.5


def test_the_learning_rate_falls_to_0():
    decay = LearningRate(2.0, 20, 10)
    assert [float(decay(step)) for step in (0, 10, 15, 20, 30)] == [2.0, 2.0, 1.0, 0.0, 0.0]
    decay = LearningRate(2.0, 20, 10, "cosine")
    wanted = [2.0, 2.0, 1.0 + np.cos(np.pi / 5), 1.0, 0.0, 0.0]
    np.testing.assert_allclose([float(decay(step)) for step in (0, 10, 12, 15, 20, 30)], wanted, atol=1e-6)


def test_the_learning_rate_rises_halves_and_falls():
    rate = LearningRate(8.0, 20, 20, warmup_steps=4)
    assert [float(rate(step)) for step in (0, 1, 3, 4, 19)] == [2.0, 4.0, 8.0, 8.0, 8.0]
    rate = LearningRate(8.0, 20, 20, halve_every=5)
    assert [float(rate(step)) for step in (0, 4, 5, 9, 10, 15)] == [8.0, 8.0, 4.0, 4.0, 2.0, 1.0]
    rate = LearningRate(8.0, 20, 10, warmup_steps=2, halve_every=5)
    assert [float(rate(step)) for step in (0, 1, 5, 15)] == [4.0, 8.0, 4.0, 0.5]


@pytest.mark.parametrize("clip_norm, scale", [(0.0, 1.0), (100.0, 1.0), (2.6, 0.2)])
def test_gradients_are_scaled_down_to_their_largest_norm(clip_norm, scale):
    """Gradients (3, 4) and (12) have norm 13 together; half of what is left of them is the first moment."""
    optimizer = make_optimizer(TrainOptions(clip_norm=clip_norm), 10)
    variables = [tf.Variable([0.0, 0.0]), tf.Variable([0.0])]
    optimizer.build(variables)
    apply_gradients(optimizer, [tf.constant([3.0, 4.0]), tf.constant([12.0])], variables)
    wanted = [0.5 * scale * np.array([3.0, 4.0]), 0.5 * scale * np.array([12.0])]
    for have, want in zip(optimizer._momentums, wanted, strict=True):
        np.testing.assert_allclose(have, want, rtol=1e-5)
