"""Grids against hand-computed values, an independent NumPy solution and the peer spline."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.compat import tensorflow_addons
from tfwarpgan.layers.transforms import (
    IDENTITY_AFFINE,
    affine_grid,
    blended_affine_grid,
    compose,
    sample,
    strided_grid,
    tps_grid,
)


def regular(height, width):
    return np.stack(np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height)), -1)


def solve_spline(offsets, positions):
    """Thin-plate spline by least squares on the interpolation system, one position after another."""
    count = len(offsets)
    side = round(count**0.5)
    control = regular(side, side).reshape(-1, 2)

    def kernel(p, q):
        distance = np.hypot(*(p - q))
        return 0.0 if distance == 0 else 2 * distance**2 * np.log(distance)

    system = np.zeros([count + 3, count + 3])
    for i, p in enumerate(control):
        system[i, :count] = [kernel(p, q) for q in control]
        system[i, count:] = system[count:, i] = 1, *p
    weights = np.linalg.lstsq(system, np.concatenate([control + offsets, np.zeros([3, 2])]), rcond=None)[0]
    return np.array([[*[kernel(p, q) for q in control], 1, *p] for p in positions]) @ weights


def test_identity():
    for grid in (
        affine_grid([IDENTITY_AFFINE], 5, 3),
        tps_grid(tf.zeros([1, 9, 2]), 5, 3),
        tps_grid(tf.zeros([1, 25, 2]), 5, 3, control_points=5),
        compose([IDENTITY_AFFINE], tf.zeros([1, 9, 2]), 5, 3),
    ):
        np.testing.assert_array_equal(grid[0], regular(5, 3).astype("float32"))


def test_affine_hand_computed():
    grid = affine_grid([[0.5, 0.25, 0.1, -1.0, 2.0, -0.2]], 2, 2)
    # x' = 0.5 x + 0.25 y + 0.1, y' = -x + 2 y - 0.2 at (-1, -1), (1, -1), (-1, 1), (1, 1)
    expected = [[[-0.65, -1.2], [0.35, -3.2]], [[-0.15, 2.8], [0.85, 0.8]]]
    np.testing.assert_allclose(grid[0], expected, atol=1e-6)


def test_shift_to_the_right_by_one_pixel():
    picture = tf.reshape(tf.range(12.0), [1, 3, 4, 1])
    grid = affine_grid([[1.0, 0, -2 / 3, 0, 1, 0]], 3, 4)  # reads one pixel further left
    expected = [[0, 0, 1, 2], [4, 4, 5, 6], [8, 8, 9, 10]]
    np.testing.assert_allclose(sample(picture, grid)[0, ..., 0], expected, atol=1e-5)


def test_mirror_and_transpose():
    picture = tf.random.normal([1, 4, 4, 2])
    mirrored = sample(picture, affine_grid([[-1.0, 0, 0, 0, 1, 0]], 4, 4))
    np.testing.assert_allclose(mirrored, picture[:, :, ::-1], atol=1e-5)
    transposed = sample(picture, affine_grid([[0.0, 1, 0, 1, 0, 0]], 4, 4))
    np.testing.assert_allclose(transposed, tf.transpose(picture, [0, 2, 1, 3]), atol=1e-5)


@pytest.mark.parametrize("control_points, size", [(2, 5), (3, 9), (5, 9)])
def test_spline_meets_its_control_points(control_points, size):
    offsets = np.random.default_rng(0).uniform(-0.3, 0.3, [2, control_points**2, 2])
    grid = tps_grid(tf.constant(offsets), size, size, control_points)
    stride = (size - 1) // (control_points - 1)
    met = grid.numpy()[:, ::stride, ::stride].reshape(2, -1, 2)
    np.testing.assert_allclose(met, regular(control_points, control_points).reshape(1, -1, 2) + offsets, atol=1e-9)


def test_offsets_are_row_major_and_x_first():
    offsets = np.zeros([1, 9, 2], "float32")
    offsets[0, 1] = 0.25, -0.5  # the middle of the upper edge
    grid = tps_grid(offsets, 5, 5)
    np.testing.assert_allclose(grid[0, 0, 2], [0.25, -1.5], atol=1e-6)
    np.testing.assert_allclose(grid[0, 2, 0], [-1, 0], atol=1e-6)


@pytest.mark.parametrize("control_points", [3, 5])
def test_spline_against_numpy(control_points):
    offsets = np.random.default_rng(1).uniform(-0.3, 0.3, [1, control_points**2, 2])
    grid = tps_grid(offsets.astype("float32"), 7, 6, control_points)
    expected = solve_spline(offsets[0], regular(7, 6).reshape(-1, 2)).reshape(7, 6, 2)
    np.testing.assert_allclose(grid[0], expected, atol=1e-5)


def test_spline_of_affine_offsets_is_affine():
    theta = np.array([[0.8, 0.1, 0.05, -0.2, 1.1, -0.1]])
    moved = affine_grid(theta, 3, 3).numpy().reshape(1, 9, 2)
    grid = tps_grid(moved - regular(3, 3).reshape(1, 9, 2), 8, 5)
    np.testing.assert_allclose(grid, affine_grid(theta, 8, 5), atol=1e-9)


@pytest.mark.skipif(tensorflow_addons is None, reason="tensorflow-addons does not exist for this Python")
def test_peer_interpolate_spline():
    offsets = tf.random.uniform([2, 9, 2], -0.3, 0.3)
    control = tf.constant(regular(3, 3).reshape(1, 9, 2).repeat(2, 0), tf.float32)
    positions = tf.constant(regular(6, 4).reshape(1, 24, 2).repeat(2, 0), tf.float32)
    expected = tensorflow_addons.image.interpolate_spline(control, control + offsets, positions, order=2)
    np.testing.assert_allclose(tps_grid(offsets, 6, 4), tf.reshape(expected, [2, 6, 4, 2]), atol=1e-4)


def test_compose_is_the_affine_map_of_the_spline():
    theta = tf.constant([[0.8, 0.1, 0.05, -0.2, 1.1, -0.1]])
    offsets = tf.random.uniform([1, 25, 2], -0.2, 0.2)
    spline = tps_grid(offsets, 6, 5, control_points=5).numpy()
    a, b, tx, c, d, ty = theta[0].numpy()
    x, y = spline[..., 0], spline[..., 1]
    expected = np.stack([a * x + b * y + tx, c * x + d * y + ty], -1)
    np.testing.assert_allclose(compose(theta, offsets, 6, 5), expected, atol=1e-6)


def test_compose_samples_like_spline_after_affine():
    """A(T(p)): the picture is warped by the affine map first, the result by the spline."""
    y, x = np.mgrid[0:64, 0:64] / 64.0
    picture = tf.constant(np.sin(4 * x + 3 * y)[None, ..., None], tf.float32)
    theta = tf.constant([[0.7, 0.1, 0.1, 0, 0.8, 0]])
    offsets = tf.random.stateless_uniform([1, 9, 2], [1, 2], -0.1, 0.1)
    twice = sample(sample(picture, affine_grid(theta, 64, 64)), tps_grid(offsets, 64, 64))
    once = sample(picture, compose(theta, offsets, 64, 64))
    np.testing.assert_allclose(once[:, 12:-12, 12:-12], twice[:, 12:-12, 12:-12], atol=2e-3)


def test_numeric_gradients():
    theta = tf.constant([[0.8, 0.1, 0.05, -0.2, 1.1, -0.1]], tf.float64)
    offsets = tf.random.uniform([1, 9, 2], -0.2, 0.2, tf.float64)
    for theory, numeric in zip(*tf.test.compute_gradient(lambda t, o: compose(t, o, 4, 3), [theta, offsets])):
        np.testing.assert_allclose(theory, numeric, atol=1e-6)


def test_graph_equals_eager_with_unknown_batch():
    specs = tf.TensorSpec([None, 6], tf.float32), tf.TensorSpec([None, 9, 2], tf.float32)
    graph = tf.function(lambda theta, offsets: compose(theta, offsets, 5, 4), input_signature=specs)
    assert graph.get_concrete_function().output_shapes.as_list() == [None, 5, 4, 2]
    for batch in (0, 1, 3):
        theta, offsets = tf.random.normal([batch, 6]), tf.random.normal([batch, 9, 2])
        np.testing.assert_allclose(graph(theta, offsets), compose(theta, offsets, 5, 4), atol=1e-5)


@pytest.mark.parametrize("dtype, expected", [("float16", "float32"), ("bfloat16", "float32"), ("float64", "float64")])
def test_grids_have_at_least_single_precision(dtype, expected):
    theta, offsets = tf.constant([IDENTITY_AFFINE], dtype), tf.zeros([1, 9, 2], dtype)
    for grid in (affine_grid(theta, 3, 200), tps_grid(offsets, 3, 200), compose(theta, offsets, 3, 200)):
        assert grid.dtype == expected
        np.testing.assert_allclose(grid[0], regular(3, 200), atol=1e-6)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: affine_grid(tf.zeros([1, 5]), 4, 4), r"Affine parameters must have the shape \[B, 6\]"),
        (lambda: affine_grid(tf.zeros([1, 6], tf.int32), 4, 4), "must be floating"),
        (lambda: affine_grid(tf.zeros([1, 6]), 0, 4), "height of a grid must be a positive"),
        (lambda: affine_grid(tf.zeros([1, 6]), 4, None), "width of a grid must be a positive"),
        (lambda: tps_grid(tf.zeros([1, 9, 3]), 4, 4), r"\[B, 9, 2\]"),
        (lambda: tps_grid(tf.zeros([1, 9, 2]), 4, 4, control_points=5), r"\[B, 25, 2\]"),
        (lambda: tps_grid(tf.zeros([1, 1, 2]), 4, 4, control_points=1), "at least 2 control points"),
        (lambda: compose(tf.zeros([1, 6]), tf.zeros([1, 8, 2]), 4, 4), r"\[B, k\*k, 2\]"),
        (lambda: compose(tf.zeros([1, 6]), tf.zeros([9, 2]), 4, 4), r"\[B, k\*k, 2\]"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("stride", [1, 2, 4, 8])
def test_strided_grid_holds_the_true_centers(stride):
    """Feature i of stride s is centered on pixel s i + s - 1: columns of pixel numbers sampled there say so."""
    height, width = 32, 16
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    numbers = tf.constant(np.stack([rows, columns], -1)[None], tf.float32)
    features = numbers[:, stride - 1 :: stride, stride - 1 :: stride]  # what each feature is centered on
    shift = [2 * 2.0 / (width - 1), -2 * 1.0 / (height - 1)]  # two pixels to the right, one up
    grid = affine_grid([[1.0, 0, shift[0], 0, 1, shift[1]]], height, width)
    there = sample(features, strided_grid(grid, stride))
    inside = (features[..., 0] - 1 >= stride - 1) & (features[..., 1] + 2 <= width - 1)
    expected = tf.stack([features[..., 0] - 1, features[..., 1] + 2], -1)
    np.testing.assert_allclose(there[inside], expected[inside], atol=1e-3)
    assert np.count_nonzero(inside)
    if stride == 1:
        np.testing.assert_allclose(strided_grid(grid, 1), grid, atol=1e-6)


def test_strided_convolutions_are_centered_where_strided_grid_says():
    """Three convolutions of stride 2, all weights 1: the mean position of what a feature sees is pixel 8 i + 7."""
    layers = [tf.keras.layers.Conv2D(1, 3, 2, "same", kernel_initializer="ones", use_bias=False) for _ in range(3)]
    image = tf.Variable(tf.zeros([1, 64, 64, 1]))
    with tf.GradientTape() as tape:
        features = image
        for layer in layers:
            features = layer(features)
        value = features[0, 3, 4, 0]
    weights = tape.gradient(value, image)[0, ..., 0].numpy()
    rows, columns = np.indices(weights.shape)
    center = (weights * rows).sum() / weights.sum(), (weights * columns).sum() / weights.sum()
    np.testing.assert_allclose(center, (8 * 3 + 7, 8 * 4 + 7))


def test_blended_affine_maps_are_the_blend_of_their_grids():
    generator = np.random.default_rng(5)
    thetas = generator.normal(size=[2, 3, 6]).astype("float32")
    weights = generator.uniform(size=[2, 6, 5, 3]).astype("float32")
    grids = np.stack([affine_grid(thetas[:, k], 6, 5).numpy() for k in range(3)], axis=-1)
    expected = np.einsum("bhwck,bhwk->bhwc", grids, weights)
    np.testing.assert_allclose(blended_affine_grid(thetas, weights), expected, atol=1e-5)
