"""The perceptual loss's features against the networks of tf.keras.applications with the same weights."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.models.perceptual import PerceptualFeatures

keras = tf.keras
LAYERS = [f"block{block}_conv1" for block in range(1, 6)]  # relu1_1 .. relu5_1
NETWORKS = {"VGG16": keras.applications.vgg16, "VGG19": keras.applications.vgg19}


def levels():
    """Two pictures of 32x32, RGB in 0..255."""
    return np.random.default_rng(0).integers(0, 256, [2, 32, 32, 3]).astype("float32")


def pictures():
    return tf.constant(levels() / 127.5 - 1.0)


@pytest.fixture(scope="module", params=list(NETWORKS))
def network(request):
    return request.param


@pytest.fixture(scope="module")
def application(network):
    """The network as Keras builds it, with random weights and biases."""
    keras.utils.set_random_seed(0)
    application = getattr(keras.applications, network)(weights=None, include_top=False)
    for layer in application.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([2.0 * kernel, np.random.default_rng(1).normal(size=bias.shape)])
    return application


@pytest.fixture(scope="module")
def weights(application, tmp_path_factory):
    """The same weights as a file that `--perceptual_weights` takes."""
    path = tmp_path_factory.mktemp("weights") / "vgg.npz"
    arrays = {
        f"{layer.name}/{part}": value
        for layer in application.layers
        for part, value in zip(("kernel", "bias"), layer.get_weights())
    }
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture(scope="module")
def perceptual(network, weights):
    return PerceptualFeatures(network, weights)


@pytest.fixture(scope="module")
def wanted(network, application):
    outputs = [application.get_layer(name).output for name in LAYERS]
    preprocessed = NETWORKS[network].preprocess_input(levels())
    return [feature.numpy() for feature in keras.Model(application.input, outputs)(preprocessed)]


def test_the_features_are_the_applications(perceptual, wanted):
    found = perceptual(pictures())
    assert [feature.shape[-1] for feature in found] == [64, 128, 256, 512, 512]
    for feature, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(feature, want, rtol=1e-4, atol=1e-4 * want.max())


def test_the_deeper_the_heavier(perceptual):
    assert perceptual.alphas == (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def test_gradients_reach_the_pictures_and_not_the_weights(perceptual):
    images = pictures()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        sums = [tf.reduce_sum(feature) for feature in perceptual(images)]
    assert all(np.any(tape.gradient(value, images)) for value in sums)
    assert perceptual.trainable_variables == []


@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_bfloat16", 0.03), ("mixed_float16", 0.004)])
def test_half_precision_is_near(policy, tolerance, network, weights, wanted):
    keras.mixed_precision.set_global_policy(policy)
    try:
        found = PerceptualFeatures(network, weights)(pictures())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    for feature, want in zip(found, wanted, strict=True):
        assert feature.dtype == policy.removeprefix("mixed_")
        error = np.abs(tf.cast(feature, tf.float32) - want).mean() / want.mean()
        assert error < tolerance
