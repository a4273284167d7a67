"""Instance normalization against NumPy, Keras' GroupNormalization and numeric gradients."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers import InstanceNormalization, normalization
from tfwarpgan.layers.normalization import (
    SampleNormalization,
    instance_normalize,
    normalize_closed_form,
    normalize_fused,
)

keras = tf.keras

PATHS = [normalize_closed_form, normalize_fused]


def numpy_reference(x, epsilon):
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def group_normalization(x, epsilon):
    return keras.layers.GroupNormalization(groups=-1, epsilon=epsilon, center=False, scale=False)(x)


def with_gradient(function, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x, upstream)


@pytest.mark.parametrize("path", PATHS)
def test_hand_computed(path):
    x = tf.constant([[[[1.0, 7.0]], [[3.0, 7.0]]]])  # mean 2, variance 1; and a constant channel
    np.testing.assert_allclose(path(x, 0.5625)[0, :, 0], [[-0.8, 0], [0.8, 0]], atol=1e-6)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shape", [(3, 5, 4, 6), (1, 1, 2, 1), (2, 16, 8, 32)])
def test_equals_group_normalization(path, shape):
    x, upstream = 5 * tf.random.normal(shape) + 10, tf.random.normal(shape)
    expected = with_gradient(lambda x: group_normalization(x, 1e-3), x, upstream)
    actual = with_gradient(lambda x: path(x, 1e-3), x, upstream)
    np.testing.assert_allclose(actual[0], numpy_reference(x.numpy().astype("float64"), 1e-3), atol=1e-4)
    for a, e in zip(actual, expected):
        np.testing.assert_allclose(a, e, atol=1e-4)


def test_paths_agree_on_a_large_sample():
    x, upstream = tf.random.normal([2, 64, 64, 16]), tf.random.normal([2, 64, 64, 16])
    assert x.shape[1:].num_elements() >= normalization.FUSED_ELEMENTS
    for path in (lambda x: normalize_closed_form(x, 1e-5), instance_normalize):
        expected = with_gradient(lambda x: normalize_fused(x, 1e-5), x, upstream)
        for a, e in zip(with_gradient(path, x, upstream), expected):
            np.testing.assert_allclose(a, e, atol=2e-5)


def test_numeric_gradient():
    x = tf.random.normal([2, 3, 2, 2], dtype=tf.float64)
    weights = tf.random.normal(x.shape, dtype=tf.float64)
    (theory,), (numeric,) = tf.test.compute_gradient(lambda x: instance_normalize(x) * weights, [x], delta=1e-4)
    np.testing.assert_allclose(theory, numeric, atol=1e-6)


def test_large_means_do_not_cost_precision():
    x = tf.random.normal([1, 8, 8, 2])
    np.testing.assert_allclose(instance_normalize(x + 1000), instance_normalize(x), atol=2e-3)


@pytest.mark.parametrize("path", PATHS)
def test_constant_channel_has_finite_gradient(path):
    y, gradient = with_gradient(lambda x: path(x, 1e-5), tf.ones([1, 4, 4, 2]), tf.random.normal([1, 4, 4, 2]))
    np.testing.assert_allclose(y, 0, atol=1e-3)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("shape", [[None, 6, 5, 3], [None, None, None, 3], [2, 6, 5, 3]])
def test_graph_equals_eager_and_is_used_twice(shape):
    def twice(x):
        return instance_normalize(tf.nn.relu(instance_normalize(x)))

    graph = tf.function(
        lambda x, upstream: with_gradient(twice, x, upstream), input_signature=[tf.TensorSpec(shape, tf.float32)] * 2
    )
    x, upstream = tf.random.normal([2, 6, 5, 3]), tf.random.normal([2, 6, 5, 3])
    for a, e in zip(graph(x, upstream), with_gradient(twice, x, upstream)):
        np.testing.assert_allclose(a, e, atol=1e-5)


@pytest.mark.parametrize("dtype, tolerance", [("float16", 5e-3), ("bfloat16", 3e-2)])
def test_half_types_keep_statistics_in_single_precision(dtype, tolerance):
    x = tf.cast(300 + 100 * tf.random.normal([2, 16, 16, 3]), dtype)  # squares overflow half precision
    y, gradient = with_gradient(instance_normalize, x, tf.ones_like(x))
    assert y.dtype == gradient.dtype == x.dtype
    expected = numpy_reference(tf.cast(x, tf.float64).numpy(), 1e-5)
    np.testing.assert_allclose(tf.cast(y, tf.float64), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("shape", [(2, 6, 5, 3), (2, 64, 64, 16)])
def test_compiled_by_xla(shape):
    x, upstream = tf.random.normal(shape), tf.random.normal(shape)
    compiled = tf.function(lambda x, u: with_gradient(instance_normalize, x, u), jit_compile=True)(x, upstream)
    for a, e in zip(compiled, with_gradient(instance_normalize, x, upstream)):
        np.testing.assert_allclose(a, e, atol=2e-5)


def test_under_a_mirrored_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    x = tf.random.normal([4, 6, 5, 3])
    halves = strategy.experimental_distribute_values_from_function(
        lambda context: x[2 * context.replica_id_in_sync_group :][:2]
    )

    @tf.function
    def step(values):
        return strategy.run(lambda x: with_gradient(instance_normalize, x, x + 1), [values])

    for distributed, e in zip(step(halves), with_gradient(instance_normalize, x, x + 1)):
        np.testing.assert_allclose(tf.concat(strategy.experimental_local_results(distributed), 0), e, atol=1e-5)


def test_saved_model(tmp_path):
    module = tf.Module()
    module.normalize = tf.function(
        lambda x: instance_normalize(x), input_signature=[tf.TensorSpec([None, 4, 4, 2], tf.float32)]
    )
    tf.saved_model.save(module, str(tmp_path))
    x = tf.random.normal([3, 4, 4, 2])
    np.testing.assert_allclose(tf.saved_model.load(str(tmp_path)).normalize(x), instance_normalize(x), atol=1e-6)


def test_layer_saves_and_loads(tmp_path):
    inputs = keras.Input([4, 4, 2])
    model = keras.Model(inputs, InstanceNormalization(epsilon=0.1)(inputs))
    assert model.count_params() == 0 and tuple(model.output_shape) == (None, 4, 4, 2)
    path = str(tmp_path / "model.keras")
    model.save(path)
    x = tf.random.normal([3, 4, 4, 2])
    np.testing.assert_allclose(keras.models.load_model(path)(x), instance_normalize(x, 0.1), atol=1e-6)


@pytest.mark.parametrize("x", [tf.zeros([2, 3, 4]), tf.zeros([1, 2, 2, 1], tf.int32)])
def test_refuses_other_inputs(x):
    with pytest.raises(ValueError, match="needs floating"):
        instance_normalize(x)


def test_refuses_epsilon():
    with pytest.raises(ValueError, match="above 0"):
        InstanceNormalization(epsilon=0)


@pytest.mark.parametrize("channels", [32, 24])
def test_large_samples_of_bfloat16(channels):
    """With 32 channels by the fused kernel, with 24 in closed form: both add in float32."""
    x = tf.cast(3 * tf.random.normal([2, 64, 64, channels]) + 1, tf.bfloat16)
    upstream = tf.cast(tf.random.normal(x.shape), tf.bfloat16)
    assert x.shape[1:].num_elements() >= normalization.FUSED_ELEMENTS
    actual = with_gradient(instance_normalize, x, upstream)
    expected = with_gradient(instance_normalize, tf.cast(x, tf.float32), tf.cast(upstream, tf.float32))
    for a, e in zip(actual, expected):
        assert a.dtype == tf.bfloat16
        np.testing.assert_allclose(tf.cast(a, tf.float32), e, atol=2e-2)


def test_of_a_sample_all_values_are_normalized_together():
    layer = SampleNormalization()
    first = tf.reshape(tf.range(1.0, 9.0), [1, 2, 2, 2])
    normalized = np.asarray(layer(tf.concat([first, 100 * first], axis=0)))
    np.testing.assert_allclose(normalized[0].ravel()[4:], [0.21812, 0.65437, 1.09061, 1.52686], atol=1e-5)
    np.testing.assert_allclose(normalized[0].ravel()[:4], -normalized[0].ravel()[:3:-1], atol=1e-5)
    np.testing.assert_allclose(normalized[1], normalized[0], rtol=1e-3)  # a deviation of 2.3, and 0.001
    assert layer.count_params() == 2


def test_scale_and_offset_of_each_channel():
    layer = InstanceNormalization(affine=True)
    values = tf.random.stateless_normal([2, 4, 4, 3], [0, 1])
    layer(values)
    scale, offset = np.array([1.0, 2.0, 3.0], "float32"), np.array([0.0, -1.0, 5.0], "float32")
    layer.set_weights([scale, offset])
    np.testing.assert_allclose(layer(values), InstanceNormalization()(values) * scale + offset, atol=1e-5)
    assert InstanceNormalization.from_config(layer.get_config()).affine
