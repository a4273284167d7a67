"""The warping block against equation 1, in functional and subclassed models, saved and under every precision."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers import SoftGatedWarpingBlock
from tfwarpgan.layers.normalization import instance_normalize
from tfwarpgan.layers.sampling import core_ops_only, sample
from tfwarpgan.layers.transforms import IDENTITY_AFFINE, affine_grid, compose

keras = tf.keras

GATES = ["spatial", "channel", "scalar", "none"]
ALL = list(itertools.product(["conv", "identity"], GATES))


def example(batch=2, height=6, width=4, channels=3, dtype="float32"):
    features = tf.cast(tf.random.stateless_normal([batch, height, width, channels], [0, 1]), dtype)
    theta = tf.constant([IDENTITY_AFFINE]) + tf.random.stateless_normal([batch, 6], [0, 2], stddev=0.2)
    return features, compose(theta, tf.random.stateless_normal([batch, 9, 2], [0, 3], stddev=0.1), height, width)


def randomize(variables):
    for seed, variable in enumerate(variables):
        values = tf.random.stateless_normal(tuple(variable.shape), [7, seed], stddev=0.3)
        variable.assign(tf.cast(values, variable.dtype))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_ungated_identity_is_features_plus_their_warp():
    features = tf.constant([[[[1.0], [2.0], [4.0]]]])
    grid = affine_grid([[-1.0, 0, 0, 0, 1, 0]], 1, 3)  # mirrored
    output = SoftGatedWarpingBlock("identity", "none")(features, grid)
    np.testing.assert_allclose(output[0, 0, :, 0], [5, 4, 5], atol=1e-6)


@pytest.mark.parametrize("residual, gate", ALL)
def test_gate_is_half_at_first(residual, gate):
    terms = SoftGatedWarpingBlock(residual, gate).terms(*example())
    np.testing.assert_array_equal(terms["gate"], np.full(terms["gate"].shape, 1.0 if gate == "none" else 0.5))


@pytest.mark.parametrize("residual, gate", ALL)
def test_equation_1(residual, gate):
    features, grid = example()
    block = SoftGatedWarpingBlock(residual, gate)
    block(features, grid)
    randomize(block.trainable_variables)
    terms = block.terms(features, grid)
    weights = [np.asarray(weight) for weight in block.get_weights()]

    refined = features
    if residual == "conv":
        first, first_bias, second, second_bias = weights[:4] if gate != "scalar" else weights[-4:]
        refined = tf.nn.relu(instance_normalize(tf.nn.conv2d(features, first, 1, "SAME") + first_bias))
        refined = instance_normalize(tf.nn.conv2d(refined, second, 1, "SAME") + second_bias)
    warped = sample(refined, grid).numpy()
    np.testing.assert_allclose(terms["warped_features"], warped, atol=1e-4)

    both = np.concatenate([features, warped], -1)
    if gate == "spatial":
        expected = sigmoid((tf.nn.conv2d(both, weights[-2], 1, "SAME") + weights[-1]).numpy())
    elif gate == "channel":
        expected = sigmoid(both.mean((1, 2), keepdims=True) @ weights[-2] + weights[-1])
    elif gate == "scalar":
        expected = sigmoid(next(weight for weight in weights if weight.shape == ())) * np.ones([2, 1, 1, 1])
    else:
        expected = np.ones([2, 1, 1, 1])
    np.testing.assert_allclose(terms["gate"], expected, atol=1e-5)
    assert terms["gate"].shape == expected.shape
    np.testing.assert_allclose(terms["output"], features + expected * warped, atol=1e-4)
    np.testing.assert_array_equal(block(features, grid), terms["output"])


@pytest.mark.parametrize(
    "residual, gate, expected",
    [
        ("conv", "none", 2 * (9 * 8 * 8 + 8)),
        ("identity", "spatial", 9 * 16 + 1),
        ("identity", "channel", 16 * 8 + 8),
        ("identity", "scalar", 1),
        ("identity", "none", 0),
    ],
)
def test_parameters(residual, gate, expected):
    block = SoftGatedWarpingBlock(residual, gate)
    block(*example(channels=8))
    assert sum(int(np.prod(variable.shape)) for variable in block.trainable_variables) == expected


@pytest.mark.parametrize("residual, gate", ALL)
def test_gradients_reach_features_grid_and_weights(residual, gate):
    features, grid = example()
    block = SoftGatedWarpingBlock(residual, gate)
    block(features, grid)
    randomize(block.trainable_variables)
    with tf.GradientTape() as tape:
        tape.watch([features, grid])
        loss = tf.reduce_sum(block(features, grid) ** 2)
    for gradient in tape.gradient(loss, [features, grid, *block.trainable_variables]):
        assert gradient is not None and np.isfinite(gradient).all()


@pytest.mark.parametrize("gate", GATES)
def test_numeric_gradients(gate):
    features, grid = example(1, 3, 3, 2, "float64")
    block = SoftGatedWarpingBlock("identity", gate, dtype="float64")
    block(features, grid)
    randomize(block.trainable_variables)
    arguments = [features, tf.cast(grid, tf.float64)]
    for theory, numeric in zip(*tf.test.compute_gradient(block, arguments, delta=1e-5)):
        np.testing.assert_allclose(theory, numeric, atol=1e-6)


@pytest.mark.parametrize("residual, gate", ALL)
def test_functional_model_saves_and_loads(residual, gate, tmp_path):
    inputs = keras.Input([6, 4, 3]), keras.Input([6, 4, 2])
    model = keras.Model(inputs, SoftGatedWarpingBlock(residual, gate, name="warp")(*inputs))
    randomize(model.trainable_variables)
    path = str(tmp_path / "model.keras")
    model.save(path)
    loaded = keras.models.load_model(path)
    assert tuple(loaded.output_shape) == (None, 6, 4, 3)
    np.testing.assert_allclose(loaded(list(example())), model(list(example())), atol=1e-6)


class Network(keras.Model):
    """A model of someone else that uses the block and shows its gate."""

    def __init__(self):
        super().__init__()
        self.block = SoftGatedWarpingBlock(gate="spatial")

    def call(self, inputs):
        terms = self.block.terms(inputs["features"], inputs["grid"])
        return {"output": terms["output"], "gate": terms["gate"]}


def test_subclassed_model_trains_and_keeps_its_weights(tmp_path):
    features, grid = example()
    inputs = {"features": features, "grid": grid}
    network = Network()
    network.compile("sgd", loss={"output": "mse", "gate": "mse"})
    network.fit(inputs, {"output": features, "gate": tf.zeros([2, 6, 4, 1])}, epochs=2, verbose=0)
    assert network(inputs)["gate"].numpy().mean() < 0.5
    path = str(tmp_path / "network.weights.h5")
    network.save_weights(path)
    other = Network()
    other(inputs)
    other.load_weights(path)
    np.testing.assert_allclose(other(inputs)["output"], network(inputs)["output"], atol=1e-6)


def test_saved_model_with_unknown_batch_in_a_version_1_session(tmp_path):
    block = SoftGatedWarpingBlock()
    features, grid = example()
    expected = block(features, grid).numpy()
    specs = tf.TensorSpec([None, 6, 4, 3], name="features"), tf.TensorSpec([None, 6, 4, 2], name="grid")
    with core_ops_only():
        serve = tf.function(lambda features, grid: {"output": block(features, grid)}).get_concrete_function(*specs)
    module = tf.Module()
    module.parameters = list(serve.graph.variables)  # a version 1 loader misses those that only a Keras layer tracks
    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path))
        signature = meta.signature_def["serving_default"]
        feed = {signature.inputs["features"].name: features.numpy(), signature.inputs["grid"].name: grid.numpy()}
        np.testing.assert_allclose(session.run(signature.outputs["output"].name, feed), expected, atol=1e-5)


@pytest.mark.parametrize("residual, gate", ALL)
@pytest.mark.parametrize("policy, tolerance", [("mixed_float16", 0.02), ("mixed_bfloat16", 0.1), ("float64", 1e-4)])
def test_precisions(residual, gate, policy, tolerance):
    features, grid = example()
    exact = SoftGatedWarpingBlock(residual, gate)
    exact(features, grid)
    randomize(exact.trainable_variables)
    block = SoftGatedWarpingBlock(residual, gate, dtype=policy)
    terms = block.terms(features, grid)
    block.set_weights(exact.get_weights())
    terms = block.terms(features, grid)
    for name, expected in exact.terms(features, grid).items():
        assert terms[name].dtype == policy.removeprefix("mixed_")
        np.testing.assert_allclose(tf.cast(terms[name], tf.float32), expected, atol=tolerance, rtol=tolerance)


def test_grid_is_not_rounded_to_half_precision():
    features = tf.reshape(tf.range(512.0) % 2, [1, 1, 512, 1])
    grid = affine_grid([IDENTITY_AFFINE], 1, 512)
    block = SoftGatedWarpingBlock("identity", "none", dtype="mixed_float16")
    np.testing.assert_allclose(block.terms(features, grid)["warped_features"], features, atol=1e-2)


def test_graph_equals_eager_with_unknown_sizes():
    block = SoftGatedWarpingBlock()
    features, grid = example()
    expected = block(features, grid)
    specs = tf.TensorSpec([None, None, None, 3]), tf.TensorSpec([None, None, None, 2])
    graph = tf.function(lambda features, grid: block(features, grid), input_signature=specs)
    np.testing.assert_allclose(graph(features, grid), expected, atol=1e-5)


def test_config():
    block = SoftGatedWarpingBlock("identity", "channel", name="warp", dtype="mixed_bfloat16")
    copy = SoftGatedWarpingBlock.from_config(block.get_config())
    assert (copy.residual, copy.gate, copy.name, copy.compute_dtype) == ("identity", "channel", "warp", "bfloat16")


def test_refusals():
    with pytest.raises(ValueError, match="residual of a warping block must be one of .*'none'"):
        SoftGatedWarpingBlock(residual="none")
    with pytest.raises(ValueError, match="gate of a warping block must be one of .*'hard'"):
        SoftGatedWarpingBlock(gate="hard")
    features, _ = example()
    with pytest.raises(ValueError, match="must be of the features' size"):
        SoftGatedWarpingBlock("identity", "none")(features, tf.zeros([2, 12, 8, 2]))
