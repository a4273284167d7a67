"""Correlation against hand-computed values and a NumPy loop."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.layers.correlation import correlation, l2_normalize, normalize_matches


def test_l2_normalize():
    features = tf.constant([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]])
    np.testing.assert_allclose(l2_normalize(features), [[0.6, 0.8], [0, 0], [0, -1]], atol=1e-6)


def test_gradient_at_zero_is_finite():
    features = tf.zeros([2, 3])
    with tf.GradientTape() as tape:
        tape.watch(features)
        total = tf.reduce_sum(l2_normalize(features))
    assert np.isfinite(tape.gradient(total, features)).all()


def test_hand_computed():
    a = tf.constant([[[[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]]])  # [1, 1, 3, 2]
    b = tf.constant([[[[5.0, 0.0]], [[-1.0, 1.0]]]])  # [1, 2, 1, 2]
    r = 0.5**0.5
    expected = [[[[1, 0, r]], [[-r, r, 0]]]]
    np.testing.assert_allclose(correlation(a, b), expected, atol=1e-5)
    # ReLU, then each row of matches has length 1.
    expected = [[[[1 / 1.5**0.5, 0, r / 1.5**0.5]], [[0, 1, 0]]]]
    np.testing.assert_allclose(normalize_matches(correlation(a, b)), expected, atol=1e-5)


def test_numpy_reference():
    a, b = tf.random.normal([2, 3, 4, 5]), tf.random.normal([2, 2, 6, 5])
    result = correlation(a, b)
    assert result.shape == (2, 2, 6, 12)
    for n, i, j, y, x in np.random.default_rng(0).integers([2, 2, 6, 3, 4], size=[30, 5]):
        p, q = a[n, y, x].numpy(), b[n, i, j].numpy()
        expected = p @ q / np.linalg.norm(p) / np.linalg.norm(q)
        np.testing.assert_allclose(result[n, i, j, 4 * y + x], expected, atol=1e-5)


def test_normalizing_before_changes_nothing():
    a, b = tf.random.normal([1, 3, 3, 4]), tf.random.normal([1, 3, 3, 4])
    np.testing.assert_allclose(correlation(l2_normalize(a), l2_normalize(b)), correlation(a, b), atol=1e-5)


def test_shifted_features_match_where_they_went():
    a = tf.random.stateless_normal([1, 4, 4, 16], [0, 1])
    b = tf.roll(a, 1, axis=2)
    best = tf.argmax(correlation(a, b), axis=-1).numpy()[0]
    np.testing.assert_array_equal(best[:, 1:] % 4, np.arange(3)[None].repeat(4, 0))
    np.testing.assert_array_equal(best[:, 1:] // 4, np.arange(4)[:, None].repeat(3, 1))


def test_nothing_in_common():
    matches = normalize_matches(correlation(tf.ones([1, 2, 2, 3]), -tf.ones([1, 2, 2, 3])))
    np.testing.assert_array_equal(matches, tf.zeros([1, 2, 2, 4]))


def test_numeric_gradients():
    a, b = tf.random.normal([1, 2, 2, 3], dtype=tf.float64), tf.random.normal([1, 2, 2, 3], dtype=tf.float64)
    for theory, numeric in zip(*tf.test.compute_gradient(correlation, [a, b])):
        np.testing.assert_allclose(theory, numeric, atol=1e-5)


def test_graph_equals_eager_with_unknown_sizes():
    specs = [tf.TensorSpec([None, None, None, 5], tf.float32)] * 2
    graph = tf.function(lambda a, b: normalize_matches(correlation(a, b)), input_signature=specs)
    a, b = tf.random.normal([2, 3, 4, 5]), tf.random.normal([2, 3, 2, 5])
    np.testing.assert_allclose(graph(a, b), normalize_matches(correlation(a, b)), atol=1e-6)
    known = tf.function(correlation).get_concrete_function(*[tf.TensorSpec([None, 3, 2, 5], tf.float32)] * 2)
    assert known.output_shapes.as_list() == [None, 3, 2, 6]


@pytest.mark.parametrize("dtype, tolerance", [("float16", 5e-3), ("bfloat16", 3e-2)])
def test_half_types(dtype, tolerance):
    a, b = tf.random.normal([1, 3, 3, 64]), tf.random.normal([1, 3, 3, 64])
    result = normalize_matches(correlation(tf.cast(100 * a, dtype), tf.cast(100 * b, dtype)))  # squares overflow half
    assert result.dtype == dtype
    np.testing.assert_allclose(tf.cast(result, tf.float32), normalize_matches(correlation(a, b)), atol=tolerance)


def test_refuses_other_channels():
    with pytest.raises(ValueError, match="same C"):
        correlation(tf.zeros([1, 2, 2, 3]), tf.zeros([1, 2, 2, 4]))
