"""Inception's forms: the topology against Keras' own, and where the forms differ."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.evaluation.networks import inception
from tfwarpgan.evaluation.networks.inception import FORMS, pooled_features
from tfwarpgan.evaluation.weights.conversion import _arrays_of
from tfwarpgan.evaluation.weights.keras_inception import arrays_of_keras


def test_the_topology_is_that_of_keras():
    """With the same random weights, at a small size: every block, and padding that averages do not count."""
    keras_model = tf.keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=(75, 79, 3)
    )
    random = np.random.default_rng(0)

    def values(shape):
        if len(shape) == 1:
            return random.uniform(0.5, 1.5, shape)
        return random.normal(0, np.prod(shape[:3]) ** -0.5, shape)

    keras_model.set_weights([values(weight.shape) for weight in keras_model.get_weights()])
    images = random.uniform(-1, 1, (2, 75, 79, 3)).astype(np.float32)
    expected = np.asarray(keras_model(images, training=False))
    found = pooled_features(images, arrays_of_keras(keras_model), FORMS["inception_keras"])
    assert expected.shape == (2, 2048) and expected.std() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4 * expected.std())


def test_the_forms_differ_in_their_pooling_alone(tiny_inception):
    arrays = _arrays_of("inception_2015", tiny_inception(width=2), "")
    images = np.random.default_rng(0).uniform(-1, 1, (1, 139, 139, 3)).astype(np.float32)
    found = {name: pooled_features(images, arrays, form).numpy() for name, form in FORMS.items()}
    assert all(features.shape == (1, 12) for features in found.values())
    alike = found["inception_2015"][0] == found["inception_keras"][0]
    np.testing.assert_array_equal(alike[:10], True)  # all branches of the last block but that behind its pooling
    assert not np.allclose(found["inception_2015"], found["inception_keras"], rtol=1e-3)
    assert not np.allclose(found["inception_torchvision"], found["inception_keras"], rtol=1e-3)


def test_averages_and_their_padding_by_hand():
    ones = tf.ones([1, 3, 3, 1])
    of_form = {name: inception._Blocks({}, form).average(ones)[0, 0, 0, 0].numpy() for name, form in FORMS.items()}
    assert of_form["inception_keras"] == of_form["inception_2015"] == 1
    assert of_form["inception_torchvision"] == pytest.approx(4 / 9)
