"""AUNET's divergence, its weight, and what its training starts from."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import variables_of
from tfwarpgan.options import NetworkOptions
from tfwarpgan.training import stages
from tfwarpgan.training.divergence import divergence_weight, unit_divergence
from tfwarpgan.training.optimization import make_optimizer


def test_divergence_by_hand():
    code, prior = tf.constant([[[[1.0, 2.0]]]]), tf.constant([[[[0.0, 1.0]]]])
    assert float(unit_divergence([code], [prior])) == 1.0
    two = tf.concat([code, prior], axis=0)
    assert float(unit_divergence([two, two], [tf.repeat(prior, 2, axis=0)] * 2)) == 1.0  # 2 scales, half of the batch


@pytest.mark.parametrize("step, weight", [(0, 1e-6), (500, 1e-6), (625, 0.5), (750, 1.0), (999, 1.0)])
def test_weight_of_the_divergence(step, weight):
    np.testing.assert_allclose(divergence_weight(tf.constant(step), 1000), weight, rtol=1e-4)


@pytest.mark.parametrize("replicas", [1, 2])
def test_training_starts_from_data(options, batch, mirrored, replicas):
    networks = NetworkOptions(model="aunet", generator_width=4)
    losses = dataclasses.replace(options.losses, lambda_adversarial=0.0, lambda_pyramid=0.0)
    options = dataclasses.replace(options, networks=networks, losses=losses)
    with mirrored.scope() if replicas == 2 else tf.distribute.get_strategy().scope():
        trainer = stages.image_generator_trainer(options)
        trainer.compile_networks(lambda name: make_optimizer(options.train, 3, name), ema=0.9)
        trainer.start(lambda: batch)
        conditions, _ = trainer.pipeline.practice(batch)
        image = trainer.pipeline.generate(conditions, seed=tf.zeros([2], tf.int32))["image"]
    mean, variance = tf.nn.moments(tf.cast(image, tf.float32), [0, 1, 2])
    np.testing.assert_allclose(mean, [0] * 3, atol=1e-3)
    np.testing.assert_allclose(variance, [1] * 3, atol=1e-2)
    for average, variable in zip(trainer.averages, trainer.networks["image_generator"].variables):
        np.testing.assert_array_equal(average.numpy(), variable.numpy())
    if replicas == 2:
        ones, others = (np.asarray(value) for value in variables_of(trainer.networks["image_generator"])[1].values)
        np.testing.assert_array_equal(ones, others)
